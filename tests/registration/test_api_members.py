"""Members of a delegation by the API: reading, writing, repeating, and what nobody learns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import ApiToken, AuditEntry
from outbox.models import Message
from registration.models import (
    Delegation,
    Membership,
    MemberState,
    Participant,
    Places,
    Registration,
    Scope,
)
from registration.services import delegations
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory
from tests.registration.people import register
from tests.registration.test_delegations import nominate, nominee
from tests.registration.tokens import Program, a_delegation, path_of, person, problem, token, wrong

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]


# --- reading ----------------------------------------------------------------------------------------------------------


def test_delegation_reads_itself_with_its_quota_and_what_is_taken(delegation: Delegation, program: Program) -> None:
    Delegation.objects.filter(pk=delegation.pk).update(quota=5)
    nominate(delegation, nominee(1), nominee(2, mode="online"))
    a_delegation(conference=delegation.conference)

    (row,) = program.get("/delegations/").json()["results"]

    assert row["id"] == str(delegation.public_id)
    assert (row["quota"], row["members"], row["members_in_person"], row["members_online"]) == (5, 2, 1, 1)
    assert program.get(f"/delegations/{row['id']}/").headers["ETag"].startswith('"')


def test_members_are_shown_without_addresses_and_without_those_who_came_on_their_own(
    delegation: Delegation, program: Program
) -> None:
    nominate(delegation, nominee(1, function="Adviser"))
    conference = delegation.conference
    own = ParticipantFactory(conference=conference, country=delegation.country, display_name="Alone")
    hidden = ParticipantFactory(
        conference=conference, country=delegation.country, has_alias=True, display_name="Swallow", delegation=None
    )
    admission = conference.admissions.get(mode="in_person")
    for somebody in (own, hidden):
        RegistrationFactory(participant=somebody, admission=admission)
    joined = "".join(program.get(path).text for path in ("/participants/", "/registrations/", "/delegations/"))

    (row,) = program.get("/participants/").json()["results"]

    assert (row["name"], row["function"], row["capacity"], row["state"], row["place"]) == (
        "Lena Member1",
        "Adviser",
        "adviser",
        "nominated",
        "held",
    )
    for secret in ("Alone", "Swallow", "@", "/join/", "/r/", "/d/"):
        assert secret not in joined
    (seat,) = program.get("/registrations/").json()["results"]
    assert (seat["participant"], seat["place"], seat["status"], seat["session"]) == (row["id"], "held", None, None)


def test_sessions_that_a_member_chose_are_not_the_delegations_business(
    delegation: Delegation, program: Program
) -> None:
    (made,) = nominate(delegation, nominee())
    session = SideEventFactory(conference=delegation.conference)
    RegistrationFactory(participant=made.membership.participant, admission=AdmissionFactory(session=session))

    assert len(program.get("/registrations/").json()["results"]) == 1


def test_attendance_is_not_the_delegations_business(delegation: Delegation, program: Program) -> None:
    (made,) = nominate(delegation, nominee())
    path = f"/participants/{made.membership.public_id}/"
    before = program.get(path).json()
    Registration.objects.filter(participant=made.membership.participant).update(status="attended")

    assert program.get(path).json() == before
    assert '"attended"' not in program.get("/registrations/").text


@pytest.mark.parametrize("path", ["/participants/", "/registrations/"])
def test_queries_do_not_grow_with_the_rows(path: str, delegation: Delegation, program: Program) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert program.get(f"{path}?page_size=200").status_code == 200
        return len(found)

    Places.objects.filter(admission__conference=delegation.conference).update(capacity=1)
    nominate(delegation, nominee(1), nominee(2))
    queries()  # the first one keeps when the token was used
    few = queries()
    nominate(delegation, *[nominee(number) for number in range(3, 31)])

    assert queries() == few
    assert few <= 12


def test_pages_are_bounded(program: Program) -> None:
    problem(program.get("/participants/?page_size=201"), 400, "invalid-parameters")


# --- nominating -------------------------------------------------------------------------------------------------------


def test_one_person_is_nominated_and_the_answer_names_nobody(delegation: Delegation, program: Program) -> None:
    answer = program.post("/participants/", person(function="Adviser", language="fr"))

    found = Membership.objects.select_related("participant").get(delegation=delegation)
    assert answer.status_code == 201
    assert answer.json() == {
        "row": 1,
        "participant": str(found.public_id),
        "address": answer.headers["Location"],
        "place": "held",
        "place_in_line": None,
    }
    assert (found.participant.display_name, found.participant.language, found.mode) == (
        "Lena Member1",
        "fr",
        "in_person",
    )
    assert answer.headers["Cache-Control"] == "no-store"
    assert program.get(f"/participants/{found.public_id}/").json()["name"] == "Lena Member1"
    entry = AuditEntry.objects.get(action="delegation.nominated")
    assert entry.actor_kind == "delegation"
    assert entry.details["token"] == str(ApiToken.objects.get().public_id)
    assert "Lena" not in json.dumps(entry.details)


def test_list_is_nominated_with_an_outcome_for_each_row(delegation: Delegation, program: Program) -> None:
    Places.objects.filter(admission__conference=delegation.conference, admission__mode="in_person").update(capacity=2)

    answer = program.post("/participants/bulk/", {"members": [person(number) for number in (1, 2, 3)]})

    assert [(one["row"], one["place"], one["place_in_line"]) for one in answer.json()["outcomes"]] == [
        (1, "held", None),
        (2, "held", None),
        (3, "waiting", 1),
    ]


CSV = "Given name,Family name,E-mail,Capacity\nLena,One,one@state.example,head\nAda,Two,two@state.example,\n"


def send_csv(program: Program, text: bytes, **headers: str) -> Any:
    """A list as a spreadsheet program writes it."""
    return program.post("/participants/bulk/?lang=fr", text, Content_Type="text/csv; charset=utf-8", **headers)


def test_list_may_be_csv_as_a_spreadsheet_program_writes_it(program: Program) -> None:
    first = send_csv(program, b"\xef\xbb\xbf" + CSV.encode(), Idempotency_Key="one")
    again = send_csv(program, b"\xef\xbb\xbf" + CSV.encode(), Idempotency_Key="one")

    assert [one["row"] for one in first.json()["outcomes"]] == [2, 3]
    assert again.content == first.content
    assert set(Membership.objects.values_list("capacity", "participant__language")) == {
        ("head", "fr"),
        ("adviser", "fr"),
    }


def test_rows_of_csv_that_cannot_be_used_are_named_and_nobody_is_nominated(program: Program) -> None:
    wrong_row = send_csv(program, CSV.replace("two@", "two at ").encode())
    twice = send_csv(program, CSV.replace("two@", "one@").encode())

    problem(wrong_row, 400, "invalid-parameters")
    problem(twice, 409, "nomination-refused")
    assert set(wrong(wrong_row)) == set(wrong(twice)) == {"#/rows/3"}
    problem(send_csv(program, b"\xff\xfe"), 400, "malformed-body")
    problem(send_csv(program, b""), 400, "invalid-parameters")
    assert Membership.objects.count() == 0


def test_list_with_a_refused_row_nominates_nobody_and_names_the_row(delegation: Delegation, program: Program) -> None:
    nominate(delegation, nominee(2))

    answer = program.post("/participants/bulk/", {"members": [person(1), person(2)]})

    found = problem(answer, 409, "nomination-refused")
    assert [fault["pointer"] for fault in found["errors"]] == ["#/members/1"]
    assert Membership.objects.count() == 1


def test_faults_are_told_by_field_and_row_all_at_once(program: Program) -> None:
    rows = [
        person(1, email="no address", capacity="king"),
        {"given_name": "Ada", "nickname": "A", "mode": 7, "function": "\ud800"},
        "nobody",
        person(4, language="xx"),
    ]

    answer = program.post("/participants/bulk/", {"members": rows})

    problem(answer, 400, "invalid-parameters")
    assert set(wrong(answer)) == {
        "#/members/0/email",
        "#/members/0/capacity",
        "#/members/1/nickname",
        "#/members/1/mode",
        "#/members/1/function",
        "#/members/1/family_name",
        "#/members/1/email",
        "#/members/2",
        "#/members/3/language",
    }
    assert "given_name, family_name, email" in wrong(answer)["#/members/1/nickname"]
    assert Membership.objects.count() == 0


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ([], {"#"}),
        ({}, {"#/family_name", "#/email"}),
        (person(extra="x"), {"#/extra"}),
        (person(id="6f1a7f0e"), {"#/id"}),
        (person(family_name=None), {"#/family_name"}),
        (person(family_name="x\x00"), {"#/family_name"}),
        (person(family_name="x" * 91), {"#/family_name"}),
    ],
)
def test_what_cannot_be_used_is_refused_by_field(program: Program, body: Any, pointers: set[str]) -> None:
    answer = program.post("/participants/", body)

    problem(answer, 400, "invalid-parameters")
    assert set(wrong(answer)) == pointers


@pytest.mark.parametrize(
    ("body", "pointers"),
    [({}, {"#/members"}), ({"members": []}, {"#/members"}), ({"members": {}, "x": 1}, {"#/members", "#/x"})],
)
def test_list_that_is_none_is_refused(program: Program, body: Any, pointers: set[str]) -> None:
    assert set(wrong(program.post("/participants/bulk/", body))) == pointers


def test_hundred_and_one_people_are_too_many(program: Program) -> None:
    problem(program.post("/participants/bulk/", {"members": [person(1)] * 101}), 400, "invalid-parameters")


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b"{", {}, 400, "malformed-body"),
        (b'{"family_name": NaN}', {}, 400, "malformed-body"),
        (b"\xff\xfe", {}, 400, "malformed-body"),
        (b"[" * 100_000, {}, 400, "malformed-body"),
        (b'{"given_name": "' + b"x" * 200_000 + b'"}', {}, 413, "content-too-large"),
        (b"family_name=x", {"Content_Type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
        (b"{}", {"Accept": "text/html"}, 406, "not-acceptable"),
        (b"{}", {"Idempotency_Key": "with blank"}, 400, "invalid-parameters"),
        (b"{}", {"Idempotency_Key": "x" * 201}, 400, "invalid-parameters"),
    ],
)
def test_what_cannot_be_read_is_a_problem_document(
    program: Program, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    sent = person() if body == b"{}" and "Accept" not in headers else body

    problem(program.post("/participants/", sent, **headers), status, kind)


def test_errors_speak_the_language_that_was_asked_for(program: Program) -> None:
    by_address = program.post("/participants/?lang=fr", {})
    by_header = program.post("/participants/", {}, Accept_Language="de")

    assert (by_address.headers["Content-Language"], by_header.headers["Content-Language"]) == ("fr", "de")
    assert by_address.json()["title"] != by_header.json()["title"] != "Some values cannot be used"


@pytest.mark.parametrize("count", [1, 5])
def test_nominating_costs_ten_statements_and_one_for_each_further_person(program: Program, count: int) -> None:
    """The token; the key of the request, the delegation locked, its members, the ways to attend; people; memberships,
    keys and audit rows; registrations, audit rows and mails; a claim for each; the answer. Besides BEGIN and COMMIT.
    """
    program.post("/participants/", person(0))  # the use of the token is noted

    with CaptureQueriesContext(connection) as found:
        answer = program.post(
            "/participants/bulk/", {"members": [person(number + 1) for number in range(count)]}, Idempotency_Key="once"
        )

    assert answer.status_code == 201
    statements = [one["sql"] for one in found if "SAVEPOINT" not in one["sql"]]
    assert len(statements) == 9 + count, statements
    outcomes = answer.json()["outcomes"]
    assert [outcome["place"] for outcome in outcomes] == ["held"] * count
    assert Message.objects.filter(topic="delegation.nominated").count() == 1 + count


def test_former_member_is_nominated_again_under_the_same_address(program: Program) -> None:
    first = program.post("/participants/", person()).json()["participant"]
    program.send("DELETE", f"/participants/{first}/", If_Match="*")

    again = program.post("/participants/bulk/", {"members": [person(2), person()]})

    assert again.status_code == 201, again.text
    assert first not in again.text
    assert Membership.objects.get(public_id=first).state == MemberState.WITHDRAWN


# --- correcting, replacing, withdrawing -------------------------------------------------------------------------------


def test_member_is_corrected_and_keeps_address_and_place(program: Program, member: Membership) -> None:
    change = {"given_name": "Lena", "family_name": "Right", "function": "Adviser", "capacity": "head"}

    answer = program.send("PATCH", path_of(member), change, If_Match=program.etag(path_of(member)))

    assert (answer.status_code, answer.content) == (204, b"")
    row = program.get(path_of(member)).json()
    assert (row["name"], row["function"], row["capacity"], row["place"]) == ("Lena Right", "Adviser", "head", "held")
    identity = Participant.objects.get(pk=member.participant_id).open_identity()
    assert (identity.family_name, identity.email) == ("Right", "member1@state.example")
    assert AuditEntry.objects.get(action="delegation.corrected").details["fields"] == ["capacity", "function", "name"]


def test_name_is_theirs_once_they_answered_but_the_function_is_not(program: Program, member: Membership) -> None:
    delegations.confirm(membership_id=member.pk, is_listed=False, now=NOW)
    etag = program.etag(path_of(member))

    named = program.send("PATCH", path_of(member), {"given_name": "", "family_name": "Else"}, If_Match=etag)
    other = program.send("PATCH", path_of(member), {"function": "Adviser"}, If_Match=etag)

    problem(named, 409, "member-has-answered")
    assert other.status_code == 204


def test_second_head_is_refused(delegation: Delegation, program: Program, member: Membership) -> None:
    nominate(delegation, nominee(2, capacity="head"))

    answer = program.send("PATCH", path_of(member), {"capacity": "head"}, If_Match="*")

    problem(answer, 409, "head-is-named")


@pytest.mark.parametrize(
    ("change", "pointers"),
    [
        ({}, {"#"}),
        ({"email": "new@state.example"}, {"#/email"}),
        ({"family_name": "Alone"}, {"#/family_name"}),
        ({"capacity": "king"}, {"#/capacity"}),
        ({"state": "confirmed", "place": "held"}, {"#/state", "#/place"}),
    ],
)
def test_correction_that_is_none_is_refused(
    program: Program, member: Membership, change: dict[str, str], pointers: set[str]
) -> None:
    answer = program.send("PATCH", path_of(member), change, If_Match="*")

    problem(answer, 400, "invalid-parameters")
    assert set(wrong(answer)) == pointers


@pytest.mark.parametrize(("method", "rest"), [("PATCH", ""), ("DELETE", ""), ("POST", "substitute/")])
def test_change_needs_the_version_that_was_seen(method: str, rest: str, program: Program, member: Membership) -> None:
    path = path_of(member)
    body = {"function": "Adviser"} if method == "PATCH" else person(2) if rest else None
    old = program.etag(path)
    assert program.send("PATCH", path, {"function": "Changed meanwhile"}, If_Match=old).status_code == 204

    problem(program.send(method, path + rest, body), 428, "precondition-required")
    problem(program.send(method, path + rest, body, If_Match=old), 412, "precondition-failed")
    problem(program.send(method, path + rest, body, If_Match='"x", W/"y"'), 412, "precondition-failed")
    assert program.send(method, path + rest, body, If_Match=f'"x", {program.etag(path)}').status_code in {201, 204}


def test_etag_that_a_compressing_proxy_has_weakened_still_names_the_row(program: Program, member: Membership) -> None:
    weak = f"W/{program.etag(path_of(member))}"

    assert program.send("PATCH", path_of(member), {"function": "Adviser"}, If_Match=weak).status_code == 204


def test_etag_is_that_of_the_whole_row_in_any_language(program: Program, member: Membership) -> None:
    assert program.etag(f"{path_of(member)}?lang=fr") == program.etag(path_of(member))


def test_somebody_else_takes_over_the_place(program: Program, member: Membership) -> None:
    answer = program.post(f"{path_of(member)}substitute/", person(2), If_Match=program.etag(path_of(member)))

    assert (answer.status_code, answer.json()["place"]) == (201, "held")
    problem(program.get(path_of(member)), 404, "not-found")
    assert [row["name"] for row in program.get("/participants/").json()["results"]] == ["Lena Member2"]


def test_withdrawn_member_is_gone_and_the_place_is_free(program: Program, member: Membership) -> None:
    answer = program.send("DELETE", path_of(member), If_Match=program.etag(path_of(member)))

    assert answer.status_code == 204
    assert program.get("/participants/").json()["results"] == []
    problem(program.send("DELETE", path_of(member), If_Match="*"), 404, "not-found")
    assert (
        Places.objects.get(admission__conference=member.delegation.conference, admission__mode="in_person").taken == 0
    )


def test_somebody_who_was_there_is_not_withdrawn(program: Program, member: Membership) -> None:
    Registration.objects.filter(participant=member.participant).update(status="attended")

    problem(program.send("DELETE", path_of(member), If_Match="*"), 409, "member-cannot-change")


# --- convenors --------------------------------------------------------------------------------------------------------


def test_convenors_program_reads_its_side_event_by_the_names_to_use() -> None:
    session = SideEventFactory()
    admission = AdmissionFactory(session=session)
    shown = RegistrationFactory(
        admission=admission,
        participant=ParticipantFactory(conference=session.conference, has_alias=True, display_name="Swallow"),
    )
    RegistrationFactory(admission=admission, status="cancelled", cancelled_at=NOW)
    RegistrationFactory(admission=AdmissionFactory(session=SideEventFactory(conference=session.conference)))
    program = Program(token(session))

    answer = program.get("/registrations/")

    (row,) = answer.json()["results"]
    assert (row["id"], row["name"], row["status"]) == (str(shown.public_id), "Swallow", shown.status)
    assert (row["participant"], row["place_in_line"]) == (None, None)
    for secret in ("@", "Grace", "Guest", "/join/", "/r/"):
        assert secret not in answer.text
    problem(program.get("/participants/"), 403, "scope-missing")


def test_member_who_registered_on_their_own_too_is_not_joined(delegation: Delegation, program: Program) -> None:
    admission = delegation.conference.admissions.get(mode="in_person")
    register(admission, token="own-way", email="member1@state.example", given_name="Own", family_name="Way")
    program.post("/participants/", person(1))

    assert "Own" not in program.get("/registrations/").text + program.get("/participants/").text
    assert (
        program.post("/participants/", person(2)).json().keys()
        == program.post("/participants/", person(3)).json().keys()
    )


def test_scope_of_the_operation_is_asked_for(delegation: Delegation) -> None:
    reading = Program(token(delegation, Scope.MEMBERS_READ))

    assert reading.get("/participants/").status_code == 200
    problem(reading.post("/participants/", person()), 403, "scope-missing")
    problem(reading.get("/registrations/"), 403, "scope-missing")
    assert Membership.objects.filter(state=MemberState.NOMINATED).count() == 0
