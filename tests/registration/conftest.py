"""Fixtures of the registration tests: nothing kept in memory from test to test, no doorbell."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from events import page_cache
from outbox import doorbell
from registration import selectors, views


@pytest.fixture(autouse=True)
def fresh_memory() -> Iterator[None]:
    """What a process keeps in memory is gone before each test."""
    page_cache.forget()
    selectors.forget()
    yield
    page_cache.forget()
    selectors.forget()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers come as soon as they are ready."""
    monkeypatch.setattr(views, "_STEP", 1e-6)


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits in these tests wake no worker."""
    monkeypatch.setattr(doorbell, "ring", lambda: None)
