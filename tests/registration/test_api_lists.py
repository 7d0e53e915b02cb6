"""Lists that need a token: which rows are asked for, whether anything is new, and at what cost."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import actors
from registration.api import member_places
from registration.api.member_places import Place
from registration.models import Delegation, Membership, Places, Registration, RegistrationStatus
from registration.services import delegations
from tests.factories import NOW, AdmissionFactory, RegistrationFactory, SideEventFactory
from tests.registration.test_delegations import nominate, nominee
from tests.registration.tokens import Program, path_of, person, problem, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]


def names(program: Program, query: str) -> list[str]:
    """Who is found among the members, by the last letter of the name."""
    return sorted(row["name"][-1] for row in program.get(f"/participants/?{query}").json()["results"])


@pytest.fixture
def members(delegation: Delegation) -> list[Membership]:
    """1 has a place and has confirmed, 2 waits in line, 3 comes on-line, 4 has declined."""
    Places.objects.filter(admission__conference=delegation.conference, admission__mode="in_person").update(capacity=1)
    made = nominate(
        delegation, nominee(1, capacity="head"), nominee(2), nominee(3, mode="online"), nominee(4, mode="online")
    )
    rows = [one.membership for one in made]
    delegations.confirm(membership_id=rows[0].pk, is_listed=False, now=NOW)
    delegations.decline(membership_id=rows[3].pk, now=NOW)
    return rows


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=confirmed", ["1"]),
        ("state=declined", ["4"]),
        ("capacity=head", ["1"]),
        ("mode=in_person", ["1", "2"]),
        ("verification=verified", []),
        ("place=held", ["1", "3"]),
        ("place=waiting", ["2"]),
        ("place=awaiting_approval", []),
        ("place=none", ["4"]),
        ("place=held&mode=online", ["3"]),
    ],
)
def test_members_are_found_by_what_is_shown_of_them(
    members: list[Membership], program: Program, query: str, found: list[str]
) -> None:
    assert names(program, query) == found


@pytest.mark.parametrize("query", ["state=withdrawn", "state=replaced", "name=Lena", "search=Lena", "status=attended"])
def test_what_is_not_shown_is_not_searched(program: Program, query: str) -> None:
    problem(program.get(f"/participants/?{query}"), 400, "invalid-parameters")


@pytest.mark.parametrize("status", RegistrationStatus.values)
def test_the_filter_and_the_row_agree_on_every_status(delegation: Delegation, status: str) -> None:
    row = nominate(delegation, nominee())[0].membership
    Registration.objects.filter(participant=row.participant).delete()
    changes: dict[str, dict[str, Any]] = {
        "cancelled": {"cancelled_at": NOW},
        "rejected": {"reason": "full"},
        "waitlisted": {"position": 1},
    }
    admission = delegation.conference.admissions.get(mode="in_person")
    RegistrationFactory(participant=row.participant, admission=admission, status=status, **changes.get(status, {}))
    shown = member_places.seats_of([row])[row.pk].place

    found = [place for place in Place if member_places.with_place(Membership.objects.all(), place).exists()]

    assert found == [shown]


def test_registrations_are_found_by_place_but_never_by_attendance(members: list[Membership], program: Program) -> None:
    Registration.objects.filter(participant=members[0].participant).update(status="attended")

    def found(query: str) -> int:
        return len(program.get(f"/registrations/?{query}").json()["results"])

    assert [found(query) for query in ("place=held", "place=waiting", "mode=online", "category=delegation")] == [
        2,
        1,
        1,
        3,
    ]
    for query in ("status=attended", "place=attended"):
        problem(program.get(f"/registrations/?{query}"), 400, "invalid-parameters")


def test_nothing_new_is_304_and_a_change_is_not(members: list[Membership], program: Program) -> None:
    for path in ("/participants/", path_of(members[0]), "/registrations/", "/delegations/"):
        etag = program.etag(path)
        same = program.get(path, If_None_Match=etag)
        weak = program.get(path, If_None_Match=f'"other", W/{etag}')

        assert [(one.status_code, one.content, one.headers["ETag"]) for one in (same, weak)] == [(304, b"", etag)] * 2
        assert same.headers["Cache-Control"] == "no-store"
        assert program.get(path, If_None_Match='"other"').status_code == 200
    seen = program.etag("/participants/?place=waiting")
    delegations.withdraw(membership_id=members[0].pk, by=actors.SYSTEM, now=NOW)

    assert program.get("/participants/?place=waiting", If_None_Match=seen).json()["results"] == []


def test_attendance_and_what_others_do_change_no_etag(delegation: Delegation, program: Program) -> None:
    row = nominate(delegation, nominee(1))[0].membership
    paths = ("/participants/", path_of(row), "/registrations/", "/delegations/")
    before = [program.etag(path) for path in paths]

    admission = delegation.conference.admissions.get(mode="in_person")
    RegistrationFactory(admission=admission, participant__country=delegation.country)
    session = SideEventFactory(conference=delegation.conference)
    RegistrationFactory(participant=row.participant, admission=AdmissionFactory(session=session))
    Registration.objects.filter(participant=row.participant, admission=admission).update(status="attended")

    assert [program.etag(path) for path in paths] == before


@pytest.mark.parametrize("path", ["/participants/", "/registrations/", "/registrations/export/", "/delegations/"])
def test_a_list_of_thirty_costs_what_a_list_of_one_costs(delegation: Delegation, program: Program, path: str) -> None:
    program.post("/participants/", person(0))  # the use of the token is noted

    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            answer = program.get(path)
            assert answer.status_code == 200
            if answer.streaming:
                assert b"".join(answer.streaming_content)
        return len(found)

    one = cost()
    nominate(delegation, *(nominee(number) for number in range(1, 30)))

    assert cost() == one


def test_convenors_list_of_thirty_costs_what_a_list_of_one_costs() -> None:
    session = SideEventFactory()
    admission = AdmissionFactory(session=session)
    program = Program(token(session))
    costs = []
    for more in (1, 29):
        RegistrationFactory.create_batch(more, admission=admission)
        program.get("/registrations/")
        with CaptureQueriesContext(connection) as found:
            program.get("/registrations/")
        costs.append(len(found))

    assert costs[0] == costs[1]
