"""Who may do what with which token: one table, and everything else that keeps a stranger out."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection, transaction
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from accounts.models import ApiToken
from alliance.api import cors, limits, schema, tokens
from alliance.api.limits import Fast, Limit
from alliance.api.router import ROUTES, WITH_TOKEN
from registration.api import access as token_access
from registration.api.access import TokenViewSet
from registration.api.members import ParticipantViewSet
from registration.models import ApiGrant, Delegation, Membership, Scope
from registration.services import api_tokens
from tests.factories import NOW, SideEventFactory
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_races import at_once
from tests.registration.tokens import Program, a_delegation, person, problem, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]

# Every address that needs a token, with every method. A new one without a row here fails the test. Columns: no token,
# a wrong one, an expired one, a revoked one, another delegation's, one that may only read, a convenor's, the own one.
TABLE = """
                         none wrong expired revoked other reads convenor own
delegations-list         ---------------------------------------------------
  GET HEAD                401   401     401     401   200   200      403 200
  OPTIONS                 401   401     401     401   204   204      204 204
  POST PUT PATCH DELETE   401   401     401     401   405   405      405 405
delegations-detail       ---------------------------------------------------
  GET HEAD                401   401     401     401   404   200      403 200
  OPTIONS                 401   401     401     401   204   204      204 204
  POST PUT PATCH DELETE   401   401     401     401   405   405      405 405
registrations-list       ---------------------------------------------------
  GET HEAD                401   401     401     401   200   200      200 200
  OPTIONS                 401   401     401     401   204   204      204 204
  POST PUT PATCH DELETE   401   401     401     401   405   405      405 405
registrations-detail     ---------------------------------------------------
  GET HEAD                401   401     401     401   404   200      404 200
  OPTIONS                 401   401     401     401   204   204      204 204
  POST PUT PATCH DELETE   401   401     401     401   405   405      405 405
registrations-export     ---------------------------------------------------
  GET HEAD                401   401     401     401   200   200      200 200
  OPTIONS                 401   401     401     401   204   204      204 204
  POST PUT PATCH DELETE   401   401     401     401   405   405      405 405
participants-list        ---------------------------------------------------
  GET HEAD                401   401     401     401   200   200      403 200
  OPTIONS                 401   401     401     401   204   204      204 204
  POST                    401   401     401     401   201   403      403 201
  PUT PATCH DELETE        401   401     401     401   405   405      405 405
participants-bulk        ---------------------------------------------------
  POST                    401   401     401     401   201   403      403 201
  OPTIONS                 401   401     401     401   204   204      204 204
  GET HEAD PUT            401   401     401     401   405   405      405 405
  PATCH DELETE            401   401     401     401   405   405      405 405
participants-detail      ---------------------------------------------------
  GET HEAD                401   401     401     401   404   200      403 200
  OPTIONS                 401   401     401     401   204   204      204 204
  PATCH DELETE            401   401     401     401   404   403      403 204
  POST PUT                401   401     401     401   405   405      405 405
participants-substitute  ---------------------------------------------------
  POST                    401   401     401     401   404   403      403 201
  OPTIONS                 401   401     401     401   204   204      204 204
  GET HEAD PUT            401   401     401     401   405   405      405 405
  PATCH DELETE            401   401     401     401   405   405      405 405
"""
COLUMNS = ["none", "wrong", "expired", "revoked", "other", "reads", "convenor", "own"]
METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]


def _text(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode() if answer.streaming else str(answer.text)


def table() -> dict[tuple[str, str], dict[str, int]]:
    """Status by address and method, then by column."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    name = ""
    for line in TABLE.strip().splitlines()[1:]:
        if not line.startswith(" "):
            name = line.split()[0]
            continue
        words = line.split()
        cells = dict(zip(COLUMNS, map(int, words[-len(COLUMNS) :]), strict=True))
        found |= {(name, method): cells for method in words[: -len(COLUMNS)]}
    return found


def addresses(patterns: list[URLPattern | URLResolver]) -> Iterator[str]:
    """The names of all addresses that need a token."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns)
        elif issubclass(getattr(one.callback, "cls", object), TokenViewSet):
            yield str(one.name)


def test_every_address_with_every_method_has_its_row() -> None:
    wanted = {(name, method) for name in addresses(get_resolver().url_patterns) for method in METHODS}

    assert set(table()) == wanted


@pytest.mark.parametrize("name", sorted({name for name, _method in table()}))
def test_everything_is_answered_as_the_table_says(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in ("WRONG_TOKENS", "PER_TOKEN", "PER_ADDRESS"):
        monkeypatch.setattr(token_access, limit, Limit("much", 10_000))
    delegation = a_delegation()
    secrets = kinds_of_tokens(delegation)
    programs = {column: Program(secret) for column, secret in secrets.items()}
    numbers = iter(range(10_000))
    wanted = {method: cells for (address, method), cells in table().items() if address == name}
    found: dict[str, dict[str, int]] = {}
    leaked = []
    resource, _dash, what = name.partition("-")

    (made,) = nominate(delegation, nominee(next(numbers)))
    for method in wanted:
        row = made.membership
        seat = row.participant.registrations.get()
        ids = {"delegations": delegation.public_id, "participants": row.public_id, "registrations": seat.public_id}
        path = {
            "list": f"/{resource}/",
            "detail": f"/{resource}/{ids[resource]}/",
            "bulk": f"/{resource}/bulk/",
            "export": f"/{resource}/export/",
            "substitute": f"/{resource}/{ids[resource]}/substitute/",
        }[what]
        for column, program in programs.items():
            one = person(next(numbers))
            body = {"members": [one]} if what == "bulk" else {"function": "Adviser"} if method == "PATCH" else one
            sent = body if method in {"POST", "PUT", "PATCH"} else None
            answer = program.send(method, path, sent, If_Match="*")
            found.setdefault(method, {})[column] = answer.status_code
            if column in {"other", "convenor", "none", "wrong"} and str(row.public_id) in _text(answer):
                leaked.append((method, column))
            if answer.status_code >= 400 and method != "HEAD":
                assert answer.headers["Content-Type"] == "application/problem+json"
            assert "no-store" in answer.headers["Cache-Control"]
            if answer.status_code == 401:
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        if (what, method) in {("detail", "DELETE"), ("substitute", "POST")} and resource == "participants":
            (made,) = nominate(delegation, nominee(next(numbers)))

    assert found == wanted
    assert leaked == []


# What everybody may read: a token, whatever it is and whoever sends it, opens and closes nothing.
PUBLIC = {
    "list": {"GET": 200, "HEAD": 200, "OPTIONS": 204, "POST": 405, "PUT": 405, "PATCH": 405, "DELETE": 405},
    "detail": {"GET": 404, "HEAD": 404, "OPTIONS": 204, "POST": 405, "PUT": 405, "PATCH": 405, "DELETE": 405},
}


def kinds_of_tokens(delegation: Delegation) -> dict[str, str | None]:
    """The columns of the table: a secret for each."""
    secrets: dict[str, str | None] = {
        "none": None,
        "wrong": "all_" + "x" * 43,
        "expired": token(delegation),
        "revoked": token(delegation),
        "other": token(a_delegation()),
        "reads": token(delegation, Scope.MEMBERS_READ, Scope.REGISTRATIONS_READ),
        "convenor": token(SideEventFactory(conference=delegation.conference)),
        "own": token(delegation),
    }
    for column, change in (("expired", {"expires_at": NOW}), ("revoked", {"revoked_at": NOW})):
        ApiToken.objects.filter(prefix=str(secrets[column])[:12]).update(**change, created_at=NOW - timedelta(days=1))
    return secrets


def test_public_rows_are_the_same_for_every_token(delegation: Delegation) -> None:
    programs = {column: Program(secret) for column, secret in kinds_of_tokens(delegation).items()}
    for resource, _view in ROUTES:
        for what, wanted in PUBLIC.items():
            path = f"/{resource}/" if what == "list" else f"/{resource}/{uuid4()}/"
            for method in METHODS:
                # Whoever asks, a method that is not there is not there: once with a token, once without will do.
                columns = COLUMNS if method == "GET" else ["none", "own"]
                found = {column: programs[column].send(method, path).status_code for column in columns}

                assert found == dict.fromkeys(columns, wanted[method]), (method, path)


def test_every_operation_of_the_schema_stands_in_a_table() -> None:
    names = {name for name, _method in table()}
    for path, operations in json.loads(schema.document())["paths"].items():
        match = resolve(path.replace("{id}", str(uuid4())))
        resource = path.split("/")[3]
        if resource in dict(ROUTES):
            assert match.url_name in {f"{resource}-list", f"{resource}-detail"}, path
            assert set(operations) == {"get"}, path
        else:
            assert resource in tokens.CLOSED, path
            assert match.url_name in names, path
            allowed = {method.lower() for name, method in table() if name == match.url_name}
            assert set(operations) <= allowed
    assert {resource for resource, _view in WITH_TOKEN} == tokens.CLOSED


# --- the public programme by token ------------------------------------------------------------------------------------


def policy(answer: Any) -> str:
    """By what the request was counted."""
    return str(answer.headers["RateLimit-Policy"]).partition(";")[0].strip('"')


def test_programme_is_read_at_the_count_of_the_token_and_nothing_else_is_opened(
    delegation: Delegation, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Program(token(delegation, Scope.PROGRAMME_READ))
    monkeypatch.setattr(cors, "READS", Fast(Limit("reads", 1)))
    monkeypatch.setattr(cors, "READS_WITH_TOKEN", Fast(Limit("token-reads", 3)))

    read = [reader.get("/countries/") for _number in range(4)]
    others = [Program(secret).get("/countries/") for secret in (None, token(delegation, Scope.MEMBERS_READ))]

    assert [answer.status_code for answer in read] == [200, 200, 200, 429]
    assert {policy(answer) for answer in read} == {"token-reads"}
    assert "Access-Control-Allow-Origin" not in read[0].headers
    assert [(answer.status_code, policy(answer)) for answer in others] == [(200, "reads"), (429, "reads")]
    assert ApiToken.objects.get(scopes=["programme:read"]).last_used_at == NOW
    for path in ("/participants/", "/delegations/", "/registrations/"):
        problem(reader.get(path), 403, "scope-missing")


def test_convenors_token_reads_the_programme_as_long_as_it_works() -> None:
    reader = Program(token(SideEventFactory(), Scope.PROGRAMME_READ))
    counted = [policy(reader.get("/countries/"))]
    ApiToken.objects.update(revoked_at=NOW)
    counted.append(policy(reader.get("/countries/")))  # remembered for some seconds
    token_access.forget_readers()
    counted.append(policy(reader.get("/countries/")))

    assert counted == ["token-reads", "token-reads", "reads"]


def test_token_in_the_address_of_a_public_read_works_no_more(delegation: Delegation) -> None:
    secret = token(delegation)

    problem(Program().get(f"/sessions/?search={secret}"), 400, "token-in-address")
    problem(Program(secret).get("/participants/"), 401, "token-revoked")


# --- how often --------------------------------------------------------------------------------------------------------


def test_too_many_requests_with_a_token_are_429_until_the_minute_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_access, "PER_TOKEN", Limit("token", 2))
    delegation = a_delegation()
    program = Program(token(delegation))
    with time_machine.travel(NOW.replace(second=20), tick=False):
        first, _second, third = (program.get("/participants/") for _number in range(3))
        other = Program(token(delegation)).get("/participants/")
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        later = program.get("/participants/")

    assert first.headers["RateLimit"] == '"address";r=599;t=40, "token";r=1;t=40'
    assert first.headers["RateLimit-Policy"] == '"address";q=600;w=60, "token";q=2;w=60'
    problem(third, 429, "too-many-requests")
    assert third.headers["Retry-After"] == "40"
    assert (other.status_code, later.status_code) == (200, 200)


def test_too_many_requests_from_an_address_are_429_whatever_they_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_access, "PER_ADDRESS", Limit("address", 1))
    program = Program(token(a_delegation()))

    assert [program.get("/participants/").status_code, Program().get("/participants/").status_code] == [200, 429]


def test_wrong_tokens_from_an_address_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_access, "WRONG_TOKENS", Limit("wrong-tokens", 2))
    wrong = Program("all_" + "y" * 43)

    assert [wrong.get("/participants/").status_code for _number in range(3)] == [401, 401, 429]


def test_behind_a_proxy_the_address_is_what_the_proxy_saw(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    monkeypatch.setattr(token_access, "PER_ADDRESS", Limit("address", 1))
    program = Program(token(a_delegation()))

    found = [
        program.get("/participants/", X_Forwarded_For=address).status_code
        for address in ("192.0.2.1", "192.0.2.1, 192.0.2.2", "198.51.100.9, 192.0.2.1")
    ]

    assert found == [200, 200, 429]


def test_without_the_cache_each_process_counts_and_asks_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def away(*args: object, **kwargs: object) -> None:
        asked.append(args)
        raise ConnectionError

    for name in ("add", "incr", "get"):
        monkeypatch.setattr(cache, name, away)
    monkeypatch.setitem(limits._state, "away_until", 0.0)
    monkeypatch.setattr(token_access, "PER_TOKEN", Limit("token", 2))
    program = Program(token(a_delegation()))

    found = [program.get("/participants/").status_code for _number in range(3)]

    limits._state["away_until"] = 0.0
    assert found == [200, 200, 429]
    assert len(asked) == 1


# --- what goes wrong on our side --------------------------------------------------------------------------------------


def test_our_own_mistake_is_a_problem_document_and_nothing_is_half_done(monkeypatch: pytest.MonkeyPatch) -> None:
    delegation = a_delegation()
    program = Program(token(delegation))
    program.client.raise_request_exception = False

    def broken(*args: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(ParticipantViewSet, "_outcomes", broken)

    answer = program.post("/participants/", person(), Idempotency_Key="one")

    problem(answer, 500, "server-error")
    assert Membership.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_no_request_waits_for_whoever_changes_the_token() -> None:
    delegation = a_delegation()
    program = Program(token(delegation))
    found = []

    def ask() -> None:
        found.append(program.get("/participants/").status_code)
        connection.close()

    thread = threading.Thread(target=ask)
    with transaction.atomic():
        ApiToken.objects.select_for_update().get()
        thread.start()
        thread.join()

    assert found == [200]


@pytest.mark.parametrize("path", ["/participants/", "/participants/bulk/", "/registrations/export/", "/delegations/"])
def test_nothing_here_may_be_read_by_pages_of_other_sites(path: str) -> None:
    asking = {"Origin": "https://elsewhere.example"}
    preflight = asking | {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization"}
    answers = [
        Program(token(a_delegation())).get(path, **asking),
        Program().get(path, **asking),
        Program().send("OPTIONS", path, **preflight),
    ]

    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_number_of_tokens_is_kept_when_many_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    delegation = a_delegation()
    monkeypatch.setattr(api_tokens, "MOST", 2)

    def make() -> bool:
        try:
            token(delegation)
        except api_tokens.TooManyTokens:
            return False
        return True

    assert sum(at_once([make] * 5)) == 2
    assert ApiGrant.objects.count() == 2
