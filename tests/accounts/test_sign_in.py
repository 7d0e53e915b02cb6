"""Signing in: password, second factor, who needs one (docs/decisions/0017-sign-in.md)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from tests.accounts.signing_in import CODE, FACTORS, LOGIN, PASSWORD, SECRET, actions, code, is_in, sign_in, with_app
from tests.factories import RoleFactory, SideEventFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("required")]


def test_password_and_code_open_the_admin_where_somebody_wanted_to_go(client: Client, staff: User) -> None:
    with_app(staff)
    asked = client.get("/admin/accounts/user/", follow=True)
    where = asked.redirect_chain[-1][0]

    first = client.post(
        where, {"login": "Office@OFFICE.example", "password": PASSWORD, "next": "/admin/accounts/user/"}
    )
    between = is_in(client)
    second = client.post(first["Location"], {"code": code()})

    assert (between, first["Location"]) == (False, CODE)
    assert second["Location"] == "/admin/accounts/user/"
    assert is_in(client)
    assert actions() == ["sign_in"]
    assert AuditEntry.objects.get().details == {"second_factor": "yes"}
    assert client.get("/admin/login/")["Location"] == "/admin/"


def test_a_code_works_once_also_without_the_cache(client: Client, staff: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_arguments: Any, **_more: Any) -> None:
        raise ConnectionError("no Redis")

    for name in ("get", "add", "set", "incr"):
        monkeypatch.setattr(cache._connections[cache._alias].__class__, name, away)  # type: ignore[attr-defined]
    with_app(staff)
    shown = code()
    sign_in(client)
    first = client.post(CODE, {"code": shown})
    other = Client()
    sign_in(other)

    again = other.post(CODE, {"code": shown})

    assert first.status_code == 302
    assert again.status_code == 200
    assert "This code is not right, or was used already." in again.text
    assert other.post(CODE, {"code": code(1)}).status_code == 302


def test_a_recovery_code_works_once(client: Client, staff: User) -> None:
    with_app(staff)
    spare = RecoveryCodes.activate(staff).get_unused_codes()[0]
    sign_in(client)
    first = client.post(CODE, {"code": spare})
    other = Client()
    sign_in(other)

    again = other.post(CODE, {"code": spare})

    assert (first.status_code, again.status_code) == (302, 200)
    assert not is_in(other)


def test_seeds_lie_encrypted(staff: User) -> None:
    with_app(staff)

    stored = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))

    assert SECRET not in stored
    seeds = re.findall(r'"(?:secret|seed)": "([^"]+)"', stored)
    assert seeds
    assert all(one.startswith("gAAAA") for one in seeds)


@pytest.mark.parametrize(
    ("email", "password"),
    [("office@office.example", "wrong"), ("nobody@office.example", PASSWORD), ("gone@office.example", PASSWORD)],
)
def test_wrong_password_unknown_and_inactive_are_answered_alike(
    client: Client, staff: User, email: str, password: str
) -> None:
    gone = UserFactory(email="gone@office.example", is_active=False)
    gone.set_password(PASSWORD)
    gone.save()

    page = sign_in(client, email=email, password=password)

    assert page.status_code == 200
    assert "The e-mail address and the password do not belong together." in page.text
    assert "office.example" not in page.text.replace(f'value="{email}"', "")


@pytest.mark.parametrize(
    "after", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_our_own_pages_only(client: Client, after: str, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    user = UserFactory(email="office@office.example", is_staff=True)
    user.set_password(PASSWORD)
    user.save()

    answer = client.post(f"{LOGIN}?next={after}", {"login": user.email, "password": PASSWORD, "next": after})

    assert answer["Location"] == "/admin/"


# --- who needs a factor -----------------------------------------------------------------------------------------------


def test_first_sign_in_leads_to_the_set_up_and_nowhere_else(
    client: Client, staff: User, django_capture_on_commit_callbacks: Any
) -> None:
    sign_in(client)
    closed = ["/admin/", "/admin/accounts/user/", "/en/convenor/", "/en/delegations/", "/en/accounts/sessions/"]
    closed += ["/en/accounts/password/", "/en/accounts/factors/codes/"]

    answers = {path: client.get(path) for path in closed}
    led = client.get("/admin/accounts/user/", follow=True)
    page = client.get("/en/accounts/factors/app/")
    secret = page.context["form"].secret
    step = int(timezone.now().timestamp()) // 30
    with django_capture_on_commit_callbacks(execute=True):
        done = client.post("/en/accounts/factors/app/", {"code": totp.format_hotp_value(totp.hotp_value(secret, step))})
    codes = client.get(done["Location"])
    again = client.get(done["Location"])

    assert {path for path, answer in answers.items() if answer.status_code == 200} == set()
    assert led.redirect_chain[-1][0].startswith(FACTORS)
    assert "<svg" in page.text
    assert done["Location"] == "/en/accounts/factors/codes/"
    assert len(re.findall(r"<li><code>\d{10}</code>", codes.text)) == 10
    assert "<li><code>" not in again.text
    assert is_in(client)
    assert 'href="/admin/accounts/user/"' in client.get(FACTORS).text
    assert actions() == ["sign_in", "factor.added", "factor.added"]


def test_a_session_from_before_the_factor_stays_closed(staff: User) -> None:
    stranger, owner = Client(), Client()
    sign_in(stranger)
    sign_in(owner)
    with_app(staff)  # in another session

    page = stranger.get(FACTORS)

    assert not is_in(stranger)
    assert "this session has not shown it" in page.text


def test_focal_points_and_others_without_powers_need_none(client: Client) -> None:
    user = UserFactory(email="office@office.example")
    user.set_password(PASSWORD)
    user.save()

    assert sign_in(client)["Location"] == "/"
    assert client.get("/en/accounts/sessions/").status_code == 200
    refused = client.get("/admin/", follow=True)
    assert refused.status_code == 403
    assert "This page is not for your account" in refused.text


@pytest.mark.parametrize("kind", ["convenor", "steward"])
def test_roles_need_one(client: Client, kind: str) -> None:
    place = {"conference": None, "session": SideEventFactory()} if kind == "convenor" else {}
    role = RoleFactory(kind=kind, **place)
    client.force_login(role.user)

    assert client.get("/en/convenor/").status_code == 302
    assert client.get("/en/accounts/sessions/").status_code == 302


def test_who_removes_the_last_factor_must_set_up_another(
    client: Client, staff: User, django_capture_on_commit_callbacks: Any
) -> None:
    with_app(staff)
    sign_in(client)
    client.post(CODE, {"code": code()})

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/en/accounts/factors/app/remove/")

    assert not Authenticator.objects.filter(user=staff).exists()
    assert not is_in(client)
    assert "factor.removed" in actions()


def test_no_page_of_the_library_is_open_that_is_not_needed(client: Client) -> None:
    for path in ("signup/", "email/", "confirm-email/", "password/set/", "social/connections/", "3rdparty/", "codes/"):
        assert client.get(f"/en/accounts/{path}").status_code == 404, path
        assert client.get(f"/accounts/{path}").status_code == 404, path
