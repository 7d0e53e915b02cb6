"""People with browsers of their own, a clock for all of them, and a record of what the house has answered to whom."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.utils import timezone

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PHONE, DESKTOP = (390, 844), (1280, 900)


class Clock:
    """The time as the house reads it: it stands still until somebody moves it."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """What django.utils.timezone.now answers meanwhile."""
        return self.at

    def move(self, to: datetime) -> None:
        """Let days pass. Never backwards."""
        assert to >= self.at
        self.at = to


class Crowd:
    """Opens browsers. Each says in its User-Agent whose it is, so that answers can be kept by person."""

    def __init__(self, browser: Browser, url: str, clock: Clock) -> None:
        self.browser, self.url, self.clock = browser, url, clock
        self.answers: list[tuple[str, str, str]] = []  # who, path, what was sent back
        self.complaints: list[str] = []
        self._contexts: list[Any] = []

    def page(
        self,
        who: str,
        path: str,
        *,
        size: tuple[int, int] = DESKTOP,
        scheme: Any = "light",
        javascript: bool = True,
        complains: bool = True,
        session: str = "",
    ) -> Page:
        """A page in a fresh profile. complains: whether an error in the browser's console fails the test.

        session: the key of whoever has signed in.
        """
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            timezone_id="Europe/Vienna",
            locale="en-GB",
            java_script_enabled=javascript,
            user_agent=who,
            accept_downloads=True,
            reduced_motion="reduce",
        )
        context.set_default_timeout(15_000)  # what takes longer does not come
        self._contexts.append(context)
        if session:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.url}])
        page = context.new_page()
        if complains:
            page.on("console", lambda m: self.complaints.append(m.text) if m.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.goto(path if path.startswith("http") else self.url + path)
        return page

    def told(self, word: str) -> set[str]:
        """Who was sent a word by the house, in whatever page or file."""
        return {who for who, _path, text in self.answers if word in text}

    def close(self) -> None:
        """Close all browsers."""
        for context in self._contexts:
            context.close()


def _text(response: Any) -> str:
    content: bytes = b"" if response.streaming else response.content
    if response.headers.get("Content-Encoding") == "gzip":
        content = gzip.decompress(content)
    return content.decode(errors="replace")


@contextmanager
def crowd(browser: Browser, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Crowd]:
    """A crowd at a house that runs in this process, with the clock in place of the real one."""
    found = Crowd(browser, url, clock)
    answer: Callable[..., Any] = BaseHandler.get_response

    def kept(self: BaseHandler, request: Any) -> Any:
        response = answer(self, request)
        found.answers.append((request.headers.get("User-Agent", ""), request.path, _text(response)))
        return response

    monkeypatch.setattr(BaseHandler, "get_response", kept)
    monkeypatch.setattr(timezone, "now", clock.now)
    yield found
    found.close()
    assert found.complaints == []


def picture(page: Page, name: str) -> None:
    """A picture of the whole page, where LIFE_SCREENS names a directory."""
    if folder := os.environ.get("LIFE_SCREENS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)
