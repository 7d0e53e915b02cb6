"""Fixtures of the registration tests: nothing kept in memory from test to test, no doorbell."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import time_machine

from alliance.api import limits
from events import page_cache
from outbox import doorbell
from registration import private_pages, selectors
from registration.api import access
from registration.models import Delegation, Membership
from tests.factories import NOW
from tests.registration.test_delegations import nominate, nominee
from tests.registration.tokens import Program, a_delegation, token


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
    monkeypatch.setattr(private_pages, "_STEP", 1e-6)


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commits in these tests wake no worker."""
    monkeypatch.setattr(doorbell, "ring", lambda: None)


# --- the API with a token ---------------------------------------------------------------------------------------------


@pytest.fixture
def api_minute(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The factories' time, in a minute that does not end, and counters of this test alone."""
    monkeypatch.setattr(limits, "_space", f"test-{uuid4()}")
    access.forget_readers()
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def delegation() -> Delegation:
    """A delegation."""
    return a_delegation()


@pytest.fixture
def program(delegation: Delegation) -> Program:
    """Its program."""
    return Program(token(delegation))


@pytest.fixture
def member(delegation: Delegation) -> Membership:
    """A member it has nominated."""
    (made,) = nominate(delegation, nominee())
    return made.membership
