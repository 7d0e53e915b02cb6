"""Tokens: how they are made and kept, what makes them stop, and that none may stand in an address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors import Actor
from accounts.models import ActorKind, ApiToken, AuditEntry
from registration.models import ApiGrant, Delegation, FocalPoint, Scope
from registration.services import api_tokens
from tests.factories import NOW, RoleFactory, SideEventFactory
from tests.registration.tokens import Program, a_delegation, problem, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]


# --- what makes a token stop ------------------------------------------------------------------------------------------


def test_token_works_only_as_long_as_its_maker_may() -> None:
    delegation = a_delegation()
    program = Program(token(delegation))
    focal_point = FocalPoint.objects.get()

    focal_point.delete()
    gone = program.get("/participants/")
    FocalPoint.objects.create(delegation=delegation, user=focal_point.user)
    back = program.get("/participants/")
    focal_point.user.is_active = False
    focal_point.user.save()
    off = program.get("/participants/")

    assert (gone.status_code, back.status_code, off.status_code) == (401, 200, 401)


def test_token_of_a_delegation_that_is_gone_is_unknown() -> None:
    delegation = a_delegation()
    program = Program(token(delegation))
    delegation.delete()

    problem(program.get("/delegations/"), 401, "token-unknown")


def test_organisers_token_stops_with_the_role() -> None:
    session = SideEventFactory()
    program = Program(token(session))
    before = program.get("/registrations/").status_code
    ApiToken.objects.get().owner.roles.all().delete()

    assert (before, program.get("/registrations/").status_code) == (200, 401)


def test_ways_in_which_a_token_does_not_work_are_told_apart() -> None:
    delegation = a_delegation()
    secret = token(delegation)
    kinds = [Program("all_wrong").get("/participants/").json()["type"]]
    kinds += [Program().send("GET", "/participants/", Authorization=f"Basic {secret}").json()["type"]]
    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        kinds += [Program(secret).get("/participants/").json()["type"]]
    api_tokens.revoke(grant=ApiGrant.objects.select_related("token").get(), by=_organiser(delegation), now=NOW)
    kinds += [Program(secret).get("/participants/").json()["type"], Program().get("/participants/").json()["type"]]

    assert [kind.rpartition(":")[2] for kind in kinds] == [
        "token-unknown",
        "token-unknown",
        "token-expired",
        "token-revoked",
        "not-authenticated",
    ]


def _organiser(delegation: Delegation) -> Actor:
    return Actor.organiser(RoleFactory(kind="organiser", conference=delegation.conference).user)


# --- a token in an address --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["access_token={}", "token={}", "anything=Bearer%20{}", "{}"])
def test_token_in_an_address_is_refused_and_works_no_more(query: str, caplog: pytest.LogCaptureFixture) -> None:
    delegation = a_delegation()
    secret = token(delegation)

    answer = Program().get(f"/participants/?{query.format(secret)}")

    found = problem(answer, 400, "token-in-address")
    assert "leaked" in found["detail"]
    assert secret not in answer.text + caplog.text
    problem(Program(secret).get("/participants/"), 401, "token-revoked")
    assert AuditEntry.objects.get(action="api-token.leaked").actor_kind == ActorKind.SYSTEM


def test_right_header_does_not_excuse_a_token_in_the_address() -> None:
    secret = token(a_delegation())

    problem(Program(secret).get("/participants/?api_key=whatever"), 400, "token-in-address")


# --- making -----------------------------------------------------------------------------------------------------------


def test_secret_is_stored_as_a_hash_with_a_prefix_and_is_in_the_audit_trail() -> None:
    delegation = a_delegation()
    secret = token(delegation, Scope.MEMBERS_READ)
    made = ApiToken.objects.get()

    assert (made.prefix, made.scopes) == (secret[:12], ["members:read"])
    assert secret.startswith("all_")
    entry = AuditEntry.objects.get(action="api-token.made")
    assert (entry.about_id, entry.details["delegation"]) == (made.public_id, str(delegation.public_id))
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_apitoken t")
        assert secret[12:] not in cursor.fetchone()[0]


@pytest.mark.parametrize(
    "more",
    [
        {"expires_at": NOW},
        {"expires_at": NOW + timedelta(days=367)},
        {"scopes": []},
        {"scopes": ["members:read", "everything"]},
    ],
)
def test_token_without_an_end_within_a_year_or_a_known_use_is_refused(more: dict[str, Any]) -> None:
    delegation = a_delegation()
    values: dict[str, Any] = {"scopes": ["members:read"], "expires_at": NOW + timedelta(days=1)} | more

    with pytest.raises(api_tokens.TokenRefused):
        api_tokens.make(target=delegation, label="", by=_organiser(delegation), now=NOW, **values)


def test_side_event_gets_no_token_for_members() -> None:
    with pytest.raises(api_tokens.TokenRefused):
        token(SideEventFactory(), Scope.MEMBERS_READ)


def test_use_is_kept_every_five_minutes_and_waits_for_nobody() -> None:
    program = Program(token(a_delegation()))
    program.get("/participants/")
    with time_machine.travel(NOW + timedelta(minutes=4), tick=False):
        program.get("/participants/")
    first = ApiToken.objects.get().last_used_at

    with time_machine.travel(NOW + timedelta(minutes=6), tick=False), CaptureQueriesContext(connection) as found:
        program.get("/participants/")

    assert first == NOW
    assert ApiToken.objects.get().last_used_at == NOW + timedelta(minutes=6)
    assert any("SKIP LOCKED" in query["sql"] for query in found)
