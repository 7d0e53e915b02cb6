"""Signing in with the accounts of another house, by OpenID Connect."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from tests.accounts.signing_in import CODE, LOGIN, PASSWORD, code, is_in, with_app

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("required")]


class Provider:
    """Another house, in process: what it answers to the library's requests."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "77", "email": "office@office.example", "email_verified": True}
        self.sent: dict[str, Any] = {}

    def request(self, method: str, url: str, **more: Any) -> Any:
        """Answer like a requests session."""
        import requests

        base, answer = "https://id.example", requests.Response()
        content: dict[str, Any] = self.person
        if url.endswith("/.well-known/openid-configuration"):
            content = {
                "issuer": base,
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
                "userinfo_endpoint": f"{base}/me",
                "jwks_uri": f"{base}/keys",
            }
        elif url.endswith("/token"):
            self.sent = more["data"]
            content = {"access_token": "canary", "token_type": "Bearer"}
        answer.status_code, answer._content = 200, json.dumps(content).encode()
        answer.headers["Content-Type"] = "application/json"
        return answer


@pytest.fixture
def provider(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """The house is set up for it."""
    found = Provider()
    settings.OIDC_SERVER_URL = "https://id.example"
    settings.OIDC_NAME = "Other house"
    app = {"provider_id": "house", "name": "Other house", "client_id": "us", "secret": "s"}
    app |= {"settings": {"server_url": "https://id.example"}}  # type: ignore[dict-item]
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    monkeypatch.setattr(
        "requests.Session.request", lambda _self, method, url, **more: found.request(method, url, **more)
    )
    return found


def through(client: Client) -> Any:
    """To the other house and back."""
    away = client.get("/accounts/openid/house/login/?next=/admin/")
    asked = parse_qs(urlsplit(away["Location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    return client.get("/accounts/openid/house/back/", {"code": "x", "state": asked["state"][0]})


def test_openid_signs_in_who_has_an_account_and_a_verified_address(
    client: Client, staff: User, provider: Provider
) -> None:
    with_app(staff)
    assert "Other house" in client.get(LOGIN).text

    back = through(client)
    client.post(CODE, {"code": code()})
    staff.refresh_from_db()

    assert back["Location"] == "/en/accounts/login/code/", "the second factor is still asked for"
    assert is_in(client)
    assert staff.check_password(PASSWORD)
    assert "code_verifier" in provider.sent


@pytest.mark.parametrize(
    "person",
    [
        {"sub": "77", "email": "office@office.example", "email_verified": False},
        {"sub": "77", "email": "office@office.example", "email_verified": "true"},
        {"sub": "77", "email": "office@office.example"},
        {"sub": "77", "email": "new@office.example", "email_verified": True},
        {"sub": "77"},
    ],
)
def test_openid_makes_no_account_and_trusts_no_unverified_address(
    client: Client, staff: User, provider: Provider, person: dict[str, Any]
) -> None:
    provider.person = person

    answer = through(client)

    assert (answer.status_code, User.objects.count()) == (403, 1)
    assert "You are not signed in" in answer.text


def test_openid_is_off_unless_it_is_set_up(client: Client) -> None:
    assert client.get("/accounts/openid/house/login/").status_code == 404
    # PostgreSQL takes no NUL: it was answered with 500.
    assert client.get("/accounts/openid/%00/login/", follow=True).status_code == 404
