"""A Chromium for the browser tests, and the pages to look at in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page
    from pytest_django.live_server_helper import LiveServer

OpenPage = Callable[..., "Page"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; every page gets a profile of its own."""
    # Playwright keeps an event loop in this thread, and Django then takes every query here for asynchronous code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with chromium.browser() as found:
        yield found
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


def _is_trouble(line: ConsoleMessage) -> bool:
    """An error or a warning. Chromium tells of every form with mistakes, which is answered with 422."""
    return line.type in {"error", "warning"} and "status of 422" not in line.text


@pytest.fixture
def open_page(browser: Browser, live_server: LiveServer, settings: Any) -> Iterator[OpenPage]:
    """Open a path of the house in a fresh profile. Any error in the browser's console fails the test.

    Options of the profile: width, scheme (light, dark), zone, language, javascript, forced_colors.
    """
    settings.ALLOWED_HOSTS = ["*"]
    settings.EXIT_URL = f"{live_server.url}/robots.txt"
    contexts, complaints = [], []

    def opened(
        path: str,
        *,
        width: int = 1280,
        scheme: Any = "light",
        zone: str = "Europe/Vienna",
        language: str = "en-GB",
        javascript: bool = True,
        forced_colors: Any = "none",
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme=scheme,
            timezone_id=zone,
            locale=language,
            java_script_enabled=javascript,
            forced_colors=forced_colors,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda line: complaints.append(line.text) if _is_trouble(line) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(live_server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
