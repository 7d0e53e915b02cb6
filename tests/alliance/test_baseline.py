"""The baseline of headers and cookies for a page of every kind, and hosts that are not ours (docs/threat-model.md)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import User
from tests.alliance.role_pages import names
from tests.factories import ConferenceFactory, ParticipantFactory, StaffFactory

pytestmark = pytest.mark.django_db

WANTED = {
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NEVER = ("Server", "X-Powered-By", "X-AspNet-Version", "Via")


@pytest.fixture
def https(settings: Any) -> Client:
    """A browser at a house that is reached by https alone, as SITE_URL=https://... makes it."""
    settings.SECURE_HSTS_SECONDS = 2 * 365 * 24 * 3600
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = settings.SECURE_SSL_REDIRECT = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    return Client()


def test_a_page_of_every_kind_has_the_headers_of_the_baseline(https: Client) -> None:
    conference = ConferenceFactory(slug="alliance-20")
    participant = ParticipantFactory(conference=conference)
    paths = [
        "/en/",
        "/en/alliance-20/",
        "/en/alliance-20/register/",
        f"/r/{participant.personal_token}/",
        "/join/unknown/",
        "/en/accounts/login/",
        "/admin/",
        "/en/delegations/",
        "/api/v1/conferences/",
        "/api/v1/delegations/",
        "/api/v1/docs/",
        "/en/alliance-20/schedule.json",
        "/robots.txt",
        "/en/nothing-here/",
    ]
    staff = Client()
    staff.force_login(StaffFactory())
    answers = {path: https.get(path, secure=True) for path in paths}
    answers["/admin/ signed in"] = staff.get("/admin/", secure=True)

    for path, answer in answers.items():
        headers = answer.headers
        assert {name: headers.get(name) for name in WANTED} == WANTED, path
        assert headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, path
        assert headers["Cross-Origin-Resource-Policy"] in {"same-origin", "cross-origin"}, path
        assert {"camera=()", "geolocation=()", "microphone=()"} <= set(headers["Permissions-Policy"].split(", ")), path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert not [name for name in NEVER if name in headers], path


def test_plain_http_leads_to_https(https: Client) -> None:
    answer = https.get("/en/")

    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/en/")


def test_cookies_of_signing_in_are_closed_to_scripts_and_other_sites(https: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    User.objects.create_user("office@office.example", "correct horse battery staple")
    typed = {"login": "office@office.example", "password": "correct horse battery staple"}
    page = https.get("/en/accounts/login/", secure=True)
    answer = https.post("/en/accounts/login/", typed, secure=True, headers={"Referer": "https://testserver/"})

    cookies = [*page.cookies.values(), *answer.cookies.values()]
    assert {cookie.key for cookie in cookies} == {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME}
    assert all(one["secure"] and one["httponly"] and one["samesite"] == "Lax" and one["path"] == "/" for one in cookies)


@pytest.mark.parametrize("path", ["/en/", "/en/accounts/password/forgotten/", "/admin/", "/api/v1/"])
@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "testserver:80@evil.example"])
def test_other_hosts_are_answered_nothing(client: Client, path: str, host: str) -> None:
    answer = client.get(path, headers={"Host": host})

    assert answer.status_code == 400
    assert host not in answer.text


def test_forwarded_host_is_not_believed(client: Client, settings: Any) -> None:
    settings.BEHIND_PROXY = True

    page = client.get("/en/accounts/login/", headers={"X-Forwarded-Host": "evil.example"})

    assert "evil.example" not in page.text


EVIL = "https://evil.example/"


def test_no_page_of_signing_in_leads_to_another_site(client: Client) -> None:
    client.force_login(StaffFactory())
    found = [name for name, _route in names(get_resolver().url_patterns) if name.startswith(("account_", "mfa_"))]
    plain = [name for name in found if name not in {"account_reset_password_from_key", "mfa_remove_webauthn"}]

    for name in plain:
        for answer in (client.get(f"{reverse(name)}?next={EVIL}"), client.post(reverse(name), {"next": EVIL})):
            assert not answer.headers.get("Location", "").startswith((EVIL, "//")), name
            assert f'href="{EVIL}' not in answer.text, name
        client.force_login(StaffFactory())
