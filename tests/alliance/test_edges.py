"""Where requests come in: writes of strangers, planted sessions, poisoned pages, smuggled requests."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from tests.alliance.role_pages import names
from tests.factories import ConferenceFactory, ParticipantFactory, StaffFactory

ROOT = Path(__file__).resolve().parents[2]

# What a stranger may send to, and what bounds it (docs/threat-model.md). A new address without an entry fails the test.
TOKEN = "somebody's token first"
SECRET = "a token or signature first; wrong ones are counted"
COUNTED = "accounts.attempts, by account and address"
PROXY = "the proxy, and one-time tokens or one mail per address typed"
NOTHING = "nothing is written"
STRANGERS: dict[str, str] = {
    **dict.fromkeys(["account_login", "mfa_authenticate", "account_reset_password"], COUNTED),
    **dict.fromkeys(["registration:register", "registration:resend"], PROXY),
    **dict.fromkeys(
        [
            "account_logout", "account_reset_password_done", "account_reset_password_from_key_done",
            "admin:logout", "events:agenda", "registration:delegation-login", "api:", "openid_connect_login",
            "openid_connect_callback", "registration:verify",
        ],
        NOTHING,
    ),
    **dict.fromkeys(
        [
            "account_reset_password_from_key", "speaking:invitation",
            *(
                f"registration:{name}"
                for name in (
                    "correct", "address", "address-confirm", "consent", "protection", "delete", "asked", "cancel-all",
                    "cancel-one", "offer", "online-meanwhile", "companion", "send-link", "join", "unsubscribe",
                    "invitation", "invitation-accept", "delegation-answer",
                )
            ),
        ],
        TOKEN,
    ),
    **dict.fromkeys(
        [
            "video:hook", "api:delegations-list", "api:delegations-detail", "api:participants-list",
            "api:participants-bulk", "api:participants-detail", "api:participants-substitute",
            "api:registrations-list", "api:registrations-export", "api:registrations-detail",
        ],
        SECRET,
    ),
}  # fmt: skip


def filled(route: str, conference: Any) -> str:
    """An address of the route: of the conference, and otherwise of nothing that exists."""
    values = {"int": str(conference.pk), "uuid": "00000000-0000-0000-0000-000000000001"}
    return "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda found: values.get(found[1] or "", "x"), route)


@pytest.mark.django_db
def test_what_strangers_may_send_is_bounded_and_made_up_tokens_write_nothing(client: Client) -> None:
    conference = ConferenceFactory(slug="x")
    limited = re.search(r'"~(\^POST .+)" \$binary', (ROOT / "deploy/nginx.conf").read_text(encoding="utf-8"))
    assert limited is not None
    found, wrong = set(), []
    for name, route in names(get_resolver().url_patterns):
        path = filled(route, conference)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = client.post(path)
        leads_to = answer.headers.get("Location", "")
        if answer.status_code == 405 or (answer.status_code == 302 and leads_to.startswith("/en/accounts/login/?")):
            continue
        if name.startswith("admin:") and leads_to.startswith(("/admin/login/", "/en/accounts/login/")):
            continue
        found.add(name)
        kind = STRANGERS.get(name, "")
        written = [one["sql"][:60] for one in queries if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        if written:
            wrong.append(f"{name} writes {written}")
        if kind == PROXY and not re.search(limited[1], f"POST {path}"):
            wrong.append(f"{name} is not limited by the proxy")
        if kind == SECRET and answer.status_code not in {401, 404, 415}:
            wrong.append(f"{name} answers {answer.status_code}")

    assert wrong == []
    assert found == set(STRANGERS)


# --- sessions and kept pages ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_planted_session_is_not_the_one_that_signs_in(client: Client, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SECOND_FACTOR_REQUIRED = False
    user = StaffFactory()
    user.set_password("correct horse battery staple")
    user.save()
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = str(session.session_key)

    client.post("/en/accounts/login/", {"login": user.email, "password": "correct horse battery staple"})

    assert client.get("/admin/").status_code == 200
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted
    stranger = Client()
    stranger.cookies[settings.SESSION_COOKIE_NAME] = planted
    assert stranger.get("/admin/").status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    "ending", ["x.css", ".css", "%2Fx.css", "%0Ax.js", ";x.css", "%00.png", "?x.css", "%3F.css", "..%2Fx.ico"]
)
def test_no_personal_page_is_taken_for_a_file_that_may_be_kept(client: Client, ending: str) -> None:
    """A cache in front of us that keeps what looks like a style sheet must get nobody's page under such a name."""
    participant = ParticipantFactory(display_name="Wren Canary")

    answer = client.get(f"/r/{participant.personal_token}/{ending}")

    assert answer.headers["Cache-Control"] == "no-store"
    assert ("Wren Canary" in answer.text) == (ending == "?x.css"), "the page itself, with words behind its address"


@pytest.mark.django_db
def test_headers_of_one_reader_are_not_in_the_page_of_the_next(client: Client) -> None:
    ConferenceFactory(slug="x")
    evil = {
        "X-Forwarded-Host": "evil.example", "X-Host": "evil.example", "X-Original-URL": "/en/evil/",
        "X-Rewrite-URL": "/en/evil/", "X-Forwarded-Scheme": "http", "X-Forwarded-Prefix": "/evil",
        "X-HTTP-Method-Override": "POST", "Cookie": "session=evil", "Accept-Language": "evil", "Referer": "https://evil.example/",
    }  # fmt: skip

    first = client.get("/en/x/?evil=<script>", headers=evil)
    plain = client.get("/en/x/", headers=evil)
    kept = client.get("/en/x/")

    assert (first.status_code, plain.status_code, kept.status_code) == (200, 200, 200)
    assert "evil" not in plain.text
    assert kept.content == plain.content
    assert "<script>" not in first.text.split("</head>")[-1].replace('<script type="application/ld+json">', "")
    assert kept["Vary"] == "Accept-Encoding"
    assert client.get("/en/x/", headers={"Host": "evil.example"}).status_code == 400  # also where it is kept


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/en/", "/admin/", "/api/v1/"])
def test_refused_hosts_and_the_way_to_https_have_the_headers_too(client: Client, path: str, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for host, status in (("evil.example", 400), ("testserver", 301)):
        answer = client.get(path, headers={"Host": host})

        assert answer.status_code == status
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert (answer["X-Content-Type-Options"], answer["X-Frame-Options"]) == ("nosniff", "DENY")
        assert "evil.example" not in answer.headers.get("Location", "") + answer.text


# --- requests in requests ---------------------------------------------------------------------------------------------

START = b"POST / HTTP/1.1\r\nHost: testserver\r\n"
HIDDEN = b"GET /admin/ HTTP/1.1\r\nHost: testserver\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
        b"Transfer-Encoding: xchunked\r\n\r\n",
        b"Transfer-Encoding : chunked\r\n\r\n",
        b"Content-Length: +5\r\n\r\n",
        b"Content-Length: 5, 5\r\n\r\n",
        b"Content-Length: -1\r\n\r\n",
        b"X: a\r\n Content-Length: 5\r\n\r\n",
        b"X: a\0b\r\n\r\n",
    ],
)
def test_the_server_refuses_what_two_servers_could_read_differently(head: bytes) -> None:
    config = import_module("gunicorn.config").Config()
    config.set("forwarded_allow_ips", "*")  # as in deploy/gunicorn.conf.py

    with pytest.raises(import_module("gunicorn.http.errors").ParseException):
        list(import_module("gunicorn.http").RequestParser(config, iter([START + head + HIDDEN]), ("127.0.0.1", 1)))


def test_the_server_reads_what_is_plain() -> None:
    config = import_module("gunicorn.config").Config()
    sent = iter([START + b"Content-Length: 0\r\n\r\n" + HIDDEN])

    first = next(import_module("gunicorn.http").RequestParser(config, sent, ("127.0.0.1", 1)))

    assert (first.method, first.path) == ("POST", "/")
