"""The API's documentation: a token is entered, a request is tried, and nothing comes from anywhere else."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone

from tests.browser.conftest import OpenPage
from tests.registration.tokens import a_delegation, token

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_token_is_tried_out_and_nothing_is_loaded_from_elsewhere(
    open_page: OpenPage, live_server: LiveServer, settings: Any
) -> None:
    settings.SITE_URL = live_server.url
    now = timezone.now()
    secret = token(a_delegation(quota=7), now=now, expires_at=now + timedelta(days=1))
    page = open_page("/robots.txt")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{live_server.url}/api/v1/docs/")

    page.get_by_role("button", name="Authorize").first.focus()
    page.keyboard.press("Enter")
    page.get_by_label("auth-bearer-value").fill(secret)
    page.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").click()
    operation = page.locator("#operations-delegations-delegations_list")
    if not operation.get_by_role("button", name="Try it out").count():
        operation.locator(".opblock-summary-control").focus()
        page.keyboard.press("Enter")
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_role("button", name="Execute").click()
    operation.locator(".live-responses-table .response-col_status", has_text="200").wait_for()

    assert '"quota": 7' in operation.locator(".live-responses-table").inner_text()
    origins = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme in {"http", "https"}}
    assert origins == {urlsplit(live_server.url).netloc}
    assert not any(secret in url for url in asked)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("document.documentElement.classList.contains('dark-mode')")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light
