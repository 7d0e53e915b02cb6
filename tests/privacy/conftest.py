"""The world that is searched."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import time_machine

from events import page_cache
from registration import selectors
from tests.factories import NOW
from tests.privacy.world import World, build


@pytest.fixture
def world(transactional_db: None, caplog: pytest.LogCaptureFixture) -> Iterator[World]:
    """Everything planted, published twice, mails sent, then taken down."""
    for name in ("", "alliance", "django", "celery", "outbox"):
        caplog.set_level(logging.DEBUG, logger=name)
    with time_machine.travel(NOW, tick=False):
        yield build()
    page_cache.forget()
    selectors.forget()
