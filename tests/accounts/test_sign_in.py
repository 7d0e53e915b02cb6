"""Signing in: password, second factor, limits, lost factors, sessions, passwords (docs/decisions/0017-sign-in.md)."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import attempts, factor_resets
from accounts.models import AttemptCount, AuditEntry, FactorReset, User
from outbox import services as outbox_services
from outbox.models import Message
from tests.factories import RoleFactory, SideEventFactory, StaffFactory, UserFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN = "/en/accounts/login/"
CODE = "/en/accounts/login/code/"
FACTORS = "/en/accounts/factors/"


@pytest.fixture(autouse=True)
def required(settings: Any) -> None:
    """As in production, but for a hash of passwords that takes no time."""
    settings.SECOND_FACTOR_REQUIRED = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def staff() -> User:
    """An organiser with a password."""
    user = StaffFactory(email="office@office.example")
    user.set_password(PASSWORD)
    user.save()
    return user


def with_app(user: User) -> Authenticator:
    """The user has an app with codes, and recovery codes."""
    RecoveryCodes.activate(user)
    return totp.TOTP.activate(user, SECRET).instance


def code(steps: int = 0) -> str:
    """What the app shows now, or shows some steps of time later."""
    now = int(timezone.now().timestamp()) // 30
    return str(totp.format_hotp_value(totp.hotp_value(SECRET, now + steps)))


def sign_in(client: Client, *, email: str = "office@office.example", password: str = PASSWORD, **more: Any) -> Any:
    """Send the first form."""
    return client.post(LOGIN, {"login": email, "password": password}, **more)


def actions() -> list[str]:
    """What the audit trail says, in order."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def is_in(client: Client) -> bool:
    """Whether the admin is open."""
    return client.get("/admin/").status_code == 200


# --- password and code ------------------------------------------------------------------------------------------------


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


# --- limits -----------------------------------------------------------------------------------------------------------


def test_wrong_passwords_are_limited_and_the_right_one_is_not_tried(client: Client, staff: User) -> None:
    for _number in range(10):
        sign_in(client, password="wrong")

    refused = sign_in(client)
    elsewhere = sign_in(Client(), REMOTE_ADDR="203.0.113.9")

    assert re.search(r"Too many attempts. Wait for \d+ min", refused.text)
    assert elsewhere.status_code == 302, "somebody elsewhere is not locked out by it"
    entry = AuditEntry.objects.get(action="sign_in.blocked")
    assert (entry.about_id, entry.details) == (staff.public_id, {"limit": "password-both"})
    assert "Zu viele Versuche" in client.post("/de/accounts/login/", {"login": staff.email, "password": "x"}).text


def test_unknown_accounts_are_counted_and_recorded_alike(client: Client, staff: User) -> None:
    counts = []
    for email in (staff.email, "nobody@office.example"):
        found = []
        for _number in range(12):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                sign_in(client, email=email, password="wrong")
            found.append(len(queries))
        counts.append(found)

    assert counts[0] == counts[1]
    assert AuditEntry.objects.filter(action="sign_in.blocked").count() == 2
    assert not [who for who in AttemptCount.objects.values_list("who", flat=True) if b"office" in bytes(who)]


def test_right_passwords_do_not_count(client: Client, staff: User) -> None:
    with_app(staff)
    for _number in range(12):
        assert sign_in(Client()).status_code == 302

    assert set(AttemptCount.objects.values_list("used", flat=True)) == {0}


def test_wrong_codes_are_limited(client: Client, staff: User) -> None:
    with_app(staff)
    sign_in(client)
    for number in range(10):
        client.post(CODE, {"code": f"00000{number}"})

    refused = client.post(CODE, {"code": code()}, REMOTE_ADDR="203.0.113.9")

    assert "Too many attempts" in refused.text


def test_a_network_has_room_for_an_office_and_no_more(rf: Any) -> None:
    request = rf.post(LOGIN, REMOTE_ADDR="2001:db8::1")
    neighbour = rf.post(LOGIN, REMOTE_ADDR="2001:db8::2")
    now = timezone.now()
    for number in range(100):
        attempts.claim("password", request, account=f"{number}@office.example", now=now)

    with pytest.raises(attempts.TooMany) as refused:
        attempts.claim("password", neighbour, account="one@office.example", now=now)

    assert 1 <= refused.value.minutes <= 15
    attempts.claim("password", request, account="one@office.example", now=now + timedelta(minutes=15))


def test_old_counts_are_forgotten(rf: Any) -> None:
    attempts.claim("reset", rf.post(LOGIN), account="x", now=timezone.now() - timedelta(days=2))
    attempts.claim("reset", rf.post(LOGIN), account="x")

    attempts.forget_old(now=timezone.now())

    assert AttemptCount.objects.count() == 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_further_than_one_after_the_other(rf: Any) -> None:
    request, now, got = rf.post(LOGIN), timezone.now(), []
    gate = threading.Barrier(8)

    def tries() -> None:
        gate.wait()
        for _number in range(4):
            try:
                attempts.claim("password", request, account="office@office.example", now=now)
            except attempts.TooMany:
                continue
            got.append(1)
        connection.close()

    threads = [threading.Thread(target=tries) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(got) == 10


# --- forgotten passwords ----------------------------------------------------------------------------------------------


def ask(client: Client, email: str) -> Any:
    """Send the form for a new password."""
    return client.post("/en/accounts/password/forgotten/", {"email": email})


def test_a_new_password_is_set_by_the_link_of_a_mail(client: Client, staff: User, mailoutbox: Any) -> None:
    old = Client()
    old.force_login(staff)
    ask(client, staff.email.upper())
    outbox_services.drain_all(now=timezone.now())
    (mail,) = mailoutbox
    path = urlsplit(re.search(r"https?://\S+", mail.body)[0]).path  # type: ignore[index]
    form = client.get(path, follow=True)
    new = {"new_password1": "another long sentence", "new_password2": "another long sentence"}

    done = client.post(form.redirect_chain[-1][0], new)

    assert done["Location"] == "/en/accounts/password/new/done/"
    assert sign_in(Client(), password="another long sentence").status_code == 302
    assert "This link does not work any more" in Client().get(path, follow=True).text
    assert old.get("/en/accounts/sessions/").status_code == 302
    assert "password.reset" in actions()
    assert not is_in(client), "it signs nobody in"


def test_asking_says_and_does_the_same_for_unknown_addresses(client: Client, staff: User, mailoutbox: Any) -> None:
    found = []
    for email in (staff.email, "nobody@office.example"):
        with CaptureQueriesContext(connection) as queries:
            answer = ask(client, email)
        found.append((answer.status_code, answer["Location"], len(queries)))

    assert found[0] == found[1]
    assert Message.objects.filter(topic="account.password_reset").count() == 2
    assert "nobody" not in json.dumps(list(Message.objects.values("details", "key")), default=str)
    outbox_services.drain_all(now=timezone.now())
    assert [mail.to for mail in mailoutbox] == [[staff.email]]


def test_asking_is_limited(client: Client, staff: User) -> None:
    for _number in range(5):
        ask(client, staff.email)

    assert "Too many attempts" in ask(client, staff.email).text
    assert Message.objects.count() == 5


def test_changing_the_password_ends_other_sessions(client: Client, settings: Any, staff: User) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    other = Client()
    sign_in(client)
    sign_in(other)
    new = {"new_password1": "another long sentence", "new_password2": "another long sentence"}

    wrong = client.post("/en/accounts/password/", {"old_password": "wrong", **new})
    right = client.post("/en/accounts/password/", {"old_password": PASSWORD, **new})

    assert (wrong.status_code, right.status_code) == (200, 302)
    assert (is_in(client), is_in(other)) == (True, False)


def test_sessions_are_listed_and_ended(client: Client, settings: Any, staff: User) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    other = Client(headers={"User-Agent": "Other browser <b>"})
    sign_in(client)
    sign_in(other)

    page = client.get("/en/accounts/sessions/")
    client.post("/en/accounts/sessions/")

    assert "Other browser &lt;b&gt;" in page.text
    assert (is_in(client), is_in(other)) == (True, False)


# --- a lost factor ----------------------------------------------------------------------------------------------------


def page_of(user: User) -> str:
    """Where administrators look after somebody's second factor."""
    return reverse("admin:accounts_user_second_factor", args=[user.pk])


def test_a_lost_factor_takes_two_administrators(client: Client, staff: User, settings: Any) -> None:
    with_app(staff)
    lost = Client()
    sign_in(lost)
    lost.post(CODE, {"code": code()})
    assert is_in(lost)
    settings.SECOND_FACTOR_REQUIRED = False
    first, second = (StaffFactory(is_superuser=True) for _number in range(2))
    client.force_login(first)
    client.post(page_of(staff), {"do": "ask"})
    alone = client.post(page_of(staff), {"do": "confirm"})
    kept = Authenticator.objects.filter(user=staff).exists()
    client.force_login(second)

    page = client.get(page_of(staff))
    client.post(page_of(staff), {"do": "confirm"})

    assert "Another administrator must confirm" in alone.text
    assert kept
    assert str(first.email) in page.text
    assert not Authenticator.objects.filter(user=staff).exists()
    assert not is_in(lost)
    assert actions() == ["sign_in", "factor.reset_asked", "factor.reset"]


def test_others_reset_nothing(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    boss = StaffFactory(is_superuser=True)
    with_app(boss)
    for user in (UserFactory(is_staff=True), RoleFactory(kind="organiser").user):
        client.force_login(user)
        assert client.post(page_of(boss), {"do": "ask"}).status_code in {403, 404}
    client.force_login(boss)
    client.post(page_of(boss), {"do": "ask"})

    assert not FactorReset.objects.exists()


def test_a_wish_lapses_and_can_be_withdrawn(staff: User) -> None:
    with_app(staff)
    first, second = (StaffFactory(is_superuser=True) for _number in range(2))
    now = timezone.now()
    factor_resets.ask(staff, by=first, now=now - timedelta(days=4))

    with pytest.raises(factor_resets.CannotReset):
        factor_resets.confirm(staff, by=second, now=now)
    factor_resets.ask(staff, by=first, now=now)
    factor_resets.withdraw(staff, by=second, now=now)

    assert FactorReset.objects.filter(closed_at=None).count() == 0
    assert actions() == ["factor.reset_asked", "factor.reset_lapsed", "factor.reset_asked", "factor.reset_withdrawn"]


# --- OpenID Connect ---------------------------------------------------------------------------------------------------


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
