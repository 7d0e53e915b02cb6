"""A conference with one panel, and an organiser."""

from __future__ import annotations

import pytest

from events.models import Conference, Session
from tests.factories import ConferenceFactory, SessionFactory


@pytest.fixture
def summit() -> Conference:
    return ConferenceFactory(slug="summit", title={"en": "Summit", "ru": "Саммит"})


@pytest.fixture
def panel(summit: Conference) -> Session:
    return SessionFactory(conference=summit, slug="panel", title={"en": "First title"})
