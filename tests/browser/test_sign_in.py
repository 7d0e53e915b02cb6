"""Signing in with a passkey, in a real browser with a virtual authenticator, under our content security policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.models import Authenticator

from accounts.models import User
from tests.browser import chromium

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(300),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]
PASSWORD = "correct horse battery staple"


def test_first_sign_in_adds_a_passkey_and_the_next_one_uses_it(
    open_page: OpenPage, live_server: LiveServer, settings: Any
) -> None:
    settings.SECOND_FACTOR_REQUIRED = True
    settings.SITE_DOMAIN = "localhost"
    assert live_server.url.startswith("http://localhost:")
    user = User.objects.create_superuser("office@office.example", PASSWORD)
    page = open_page("/admin/accounts/user/")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options | {"automaticPresenceSimulation": True}})

    def type_password() -> None:
        page.fill("#id_login", "office@office.example")
        page.fill("#id_password", PASSWORD)
        page.click("main form button.button")

    type_password()
    page.wait_for_url("**/accounts/factors/**")
    page.click("a[href$='/passkeys/new/']")
    page.fill("#id_name", "work laptop")
    page.click("main form button.button")
    page.wait_for_url("**/accounts/factors/codes/")
    codes = page.locator(".codes code").all_inner_texts()
    page.click("main a.button")
    page.click("main a[href='/admin/accounts/user/']")
    page.wait_for_selector("#changelist")

    assert len(codes) == 10
    assert Authenticator.objects.filter(user=user, type="webauthn").get().wrap().name == "work laptop"

    page.context.clear_cookies()
    page.goto(f"{live_server.url}/admin/accounts/user/")
    type_password()
    page.wait_for_url("**/accounts/login/code/")
    page.click("[data-passkey] button")
    page.wait_for_url(re.compile("/admin/accounts/user/$"))
    page.wait_for_selector("#changelist")
