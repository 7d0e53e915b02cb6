"""What every test needs."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
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


@pytest.fixture(autouse=True, scope="session")
def guarded_answers() -> Iterator[None]:
    """Whatever a test asks for, pages, files, errors, the API and the admin alike, the answer guards its reader."""
    ask = Client.request

    def guarded(self: Client, **request: Any) -> Any:
        answer: Any = ask(self, **request)
        policy, path = answer.headers.get("Content-Security-Policy", ""), request.get("PATH_INFO", "")
        assert "frame-ancestors" in policy or "sandbox" in policy, path
        # HTML mail knows inline styles only: the demo's mailbox shows it in a sandbox, without scripts.
        assert "unsafe" not in policy or ("sandbox allow-popups" in policy and "script-src 'none'" in policy), path
        assert answer.headers.get("X-Content-Type-Options") == "nosniff", path
        assert "X-Frame-Options" in answer.headers, path
        assert answer.headers.get("Referrer-Policy") in {"same-origin", "no-referrer"}, path
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Client, "request", guarded)
        yield
