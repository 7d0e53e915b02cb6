"""What every test needs."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils import translation

from alliance.api import cors
from alliance.api.limits import Limit
from events import page_cache


@pytest.fixture(autouse=True)
def same_language() -> None:
    """A request leaves its language behind in the thread; the next test begins with the project's."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def fresh_pages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No page kept from another test: test databases count the content version from the same number again.

    Within a test the version is asked for once, however slow the machine: counts of queries must not depend on it.
    """
    monkeypatch.setattr(page_cache, "_VERSION_SECONDS", 3600.0)
    page_cache.forget()
    monkeypatch.setattr(cors.READS, "limit", Limit("reads", 1_000_000))  # a minute of tests reads more than anybody may
    cors.READS.forget()
    yield
    page_cache.forget()
