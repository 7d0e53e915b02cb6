"""Delegations by the services and around them: nominating, quotas, passing on, giving back, answering."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors import Actor
from accounts.models import ActorKind, AuditEntry
from alliance.db import constraint_name
from outbox import services as outbox_services
from outbox.models import Message
from outbox.results import Mail
from registration import services
from registration.delegations import mails as delegation_mails
from registration.models import (
    Admission,
    Delegation,
    DelegationCapacity,
    Membership,
    MemberState,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
    Verification,
)
from registration.models.delegation_member import ACTIVE_STATES
from registration.services import credentials, delegations, erasure
from registration.services.delegations import Nominated, Nominee
from tests.factories import NOW, AdmissionFactory, DelegationFactory, RegistrationFactory, UserFactory
from tests.registration.people import register

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delegation() -> Delegation:
    """A State's delegation at a conference with places in the room and on-line."""
    made: Delegation = DelegationFactory()
    for mode in ("in_person", "online"):
        AdmissionFactory(session=None, conference=made.conference, mode=mode)
    return made


def nominee(number: int = 1, **more: Any) -> Nominee:
    """Somebody to nominate."""
    values: dict[str, Any] = {
        "given_name": "Lena",
        "family_name": f"Member{number}",
        "email": f"member{number}@state.example",
        "capacity": "adviser",
        "mode": "in_person",
        "language": "en",
        "row": number,
    }
    return Nominee(**(values | more))


def by() -> Actor:
    """A focal point."""
    return Actor(ActorKind.DELEGATION, UserFactory())


def nominate(delegation: Delegation, *nominees: Nominee) -> list[Nominated]:
    """Nominate by the service."""
    return delegations.nominate(delegation_id=delegation.pk, nominees=nominees, by=by(), now=NOW)


def room(delegation: Delegation, capacity: int | None = None) -> Admission:
    """The admission in person, with so many places."""
    admission = Admission.objects.get(conference=delegation.conference, mode="in_person")
    if capacity is not None:
        Places.objects.filter(pk=admission.pk).update(capacity=capacity)
    return admission


def taken(delegation: Delegation) -> int:
    """How many places in the room are gone."""
    return Places.objects.get(pk=room(delegation).pk).taken


# --- nominating -------------------------------------------------------------------------------------------------------


def test_nominated_people_get_places_and_a_mail_to_answer(delegation: Delegation) -> None:
    room(delegation, 2)

    results = nominate(delegation, *[nominee(number) for number in (1, 2, 3)])

    assert [(one.row, one.status, one.position) for one in results] == [
        (1, RegistrationStatus.CONFIRMED, None),
        (2, RegistrationStatus.CONFIRMED, None),
        (3, RegistrationStatus.WAITLISTED, 1),
    ]
    assert taken(delegation) == 2
    assert set(Membership.objects.values_list("state", flat=True)) == {MemberState.NOMINATED}
    assert Message.objects.filter(topic="delegation.nominated").count() == 3
    person = Participant.objects.get(display_name="Lena Member1")
    assert (person.delegation, person.delegation_capacity, person.country) == (
        delegation,
        "adviser",
        delegation.country,
    )
    entry = AuditEntry.objects.filter(action="delegation.nominated").first()
    assert entry is not None
    assert entry.actor_kind == ActorKind.DELEGATION
    assert "Lena" not in str(entry.details)


def test_one_bad_row_and_nobody_is_nominated(delegation: Delegation) -> None:
    rows = [
        nominee(1),
        nominee(2, email="MEMBER1@state.example"),
        nominee(3, capacity="head"),
        nominee(4, capacity="head"),
    ]

    with pytest.raises(delegations.NominationRefused) as refused:
        nominate(delegation, *rows)

    assert [(problem.row, problem.text) for problem in refused.value.problems] == [
        (2, "This address stands in row 1 already."),
        (4, "The delegation has a head already. Withdraw or replace that person first."),
    ]
    assert not Participant.objects.exists()
    assert not Message.objects.exists()
    assert taken(delegation) == 0


def test_full_hall_without_a_waiting_list_refuses_the_whole_list(delegation: Delegation) -> None:
    admission = room(delegation, 1)
    Admission.objects.filter(pk=admission.pk).update(waiting="none")

    with pytest.raises(delegations.NominationRefused) as refused:
        nominate(delegation, nominee(1), nominee(2))

    assert [problem.row for problem in refused.value.problems] == [2]
    assert taken(delegation) == 0


def test_the_audience_rule_holds_for_delegations_too(delegation: Delegation) -> None:
    Admission.objects.filter(pk=room(delegation).pk).update(approval="manual")

    (result,) = nominate(delegation, nominee())

    assert result.status == RegistrationStatus.PENDING
    assert taken(delegation) == 0


def test_somebody_who_left_can_be_nominated_again(delegation: Delegation) -> None:
    (first,) = nominate(delegation, nominee())
    with pytest.raises(delegations.NominationRefused):
        nominate(delegation, nominee())
    delegations.withdraw(membership_id=first.membership.pk, by=by(), now=NOW)

    (again,) = nominate(delegation, nominee())

    assert again.membership.pk != first.membership.pk
    assert taken(delegation) == 1


def test_public_form_never_makes_a_member(delegation: Delegation) -> None:
    assert delegation.country is not None
    register(room(delegation), token="t", category="delegation", country=delegation.country)

    assert Participant.objects.get().delegation is None
    assert not Membership.objects.exists()


# --- quotas -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("quotas", "modes", "bad"),
    [
        ({"quota": 1}, ["in_person", "online"], [2]),
        ({"quota_in_person": 1}, ["in_person", "online", "in_person"], [3]),
        ({"quota_online": 0}, ["in_person", "online"], [2]),
    ],
)
def test_quotas_in_all_and_by_mode(
    delegation: Delegation, quotas: dict[str, int], modes: list[str], bad: list[int]
) -> None:
    Delegation.objects.filter(pk=delegation.pk).update(**quotas)
    rows = [nominee(number, mode=mode) for number, mode in enumerate(modes, start=1)]

    with pytest.raises(delegations.NominationRefused) as refused:
        nominate(delegation, *rows)
    nominate(delegation, *[row for row in rows if row.row not in bad])

    assert [problem.row for problem in refused.value.problems] == bad


def test_around_the_services_the_database_keeps_the_quota(delegation: Delegation) -> None:
    one, other = nominate(delegation, nominee(1), nominee(2, mode="online"))
    Delegation.objects.filter(pk=delegation.pk).update(quota=1)  # lowering is allowed
    delegations.withdraw(membership_id=other.membership.pk, by=by(), now=NOW)

    with pytest.raises(IntegrityError) as refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE registration_membership SET state = 'confirmed', ended_at = NULL")

    assert constraint_name(refused.value) == "delegation_quota_is_kept"
    Delegation.objects.filter(pk=delegation.pk).update(quota=5, quota_in_person=1)
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Membership.objects.filter(pk=other.membership.pk).update(state="nominated", ended_at=None, mode="in_person")
    assert constraint_name(refused.value) == "delegation_quota_is_kept"
    assert Membership.objects.active().get() == one.membership


def test_trigger_counts_what_the_code_calls_active() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM unnest(%s::text[]) state WHERE registration_membership_counts(state)",
            [MemberState.values],
        )
        counted = {row[0] for row in cursor.fetchall()}

    assert counted == set(ACTIVE_STATES)


def test_a_delegation_has_one_head_whatever_writes(delegation: Delegation) -> None:
    nominate(delegation, nominee(1, capacity="head"))
    (other,) = nominate(delegation, nominee(2))

    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Membership.objects.filter(pk=other.membership.pk).update(capacity=DelegationCapacity.HEAD)

    assert constraint_name(refused.value) == "delegation_has_one_head"


# --- replacing, withdrawing -------------------------------------------------------------------------------------------


def test_replacing_keeps_the_seat_though_others_wait(delegation: Delegation) -> None:
    room(delegation, 1)
    (member,) = nominate(delegation, nominee(1, capacity="head"))
    waiting = RegistrationFactory(admission=room(delegation), status=RegistrationStatus.WAITLISTED, position=1)
    seat = Registration.objects.get(participant=member.membership.participant)
    old_answer, old_page = member.membership.answer_token, member.membership.participant.personal_token
    delegations.confirm(membership_id=member.membership.pk, is_listed=True, now=NOW)

    new = delegations.replace(membership_id=member.membership.pk, nominee=nominee(2, capacity="head"), by=by(), now=NOW)

    seat.refresh_from_db()
    waiting.refresh_from_db()
    assert (seat.status, seat.participant) == (RegistrationStatus.CONFIRMED, new.participant)
    assert waiting.status == RegistrationStatus.WAITLISTED
    assert (taken(delegation), new.state, new.capacity) == (1, MemberState.NOMINATED, "head")
    assert delegations.find_answer_page(old_answer) is None
    before = Membership.objects.select_related("participant").get(pk=member.membership.pk)
    assert (before.state, before.listed_at, before.participant.delegation) == (MemberState.REPLACED, None, None)
    assert before.participant.personal_token != old_page
    [ended] = Message.objects.filter(topic="delegation.ended")
    assert AuditEntry.objects.filter(action="registration.passed_on").count() == 1
    # The entry in the calendar of the one before is taken back, in their own name.
    mail = delegation_mails.tell_ended(ended, now=NOW)
    assert isinstance(mail, Mail)
    [entry] = [part.content.decode().replace("\r\n ", "") for part in mail.attachments]
    assert "METHOD:CANCEL" in entry
    assert str(seat.public_id) in entry
    assert entry.count("ATTENDEE") == 1
    assert before.participant.open_identity().email in entry


def test_join_link_of_the_old_member_dies_with_the_seat(delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    seat = Registration.objects.get()
    old = bytes(seat.join_hash)

    delegations.replace(membership_id=member.membership.pk, nominee=nominee(2), by=by(), now=NOW)

    seat.refresh_from_db()
    assert (bytes(seat.join_hash) != old, seat.version) == (True, 2)


def test_who_was_there_is_not_replaced(delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    Registration.objects.update(status=RegistrationStatus.ATTENDED)

    with pytest.raises(delegations.CannotChange):
        delegations.replace(membership_id=member.membership.pk, nominee=nominee(2), by=by(), now=NOW)
    with pytest.raises(delegations.CannotChange):
        delegations.withdraw(membership_id=member.membership.pk, by=by(), now=NOW)

    assert Membership.objects.get().state == MemberState.NOMINATED


def test_a_seat_given_back_cannot_be_passed_on(delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    Registration.objects.update(status=RegistrationStatus.CANCELLED, cancelled_at=NOW)

    with pytest.raises(delegations.CannotChange):
        delegations.replace(membership_id=member.membership.pk, nominee=nominee(2), by=by(), now=NOW)

    assert Membership.objects.get().state == MemberState.NOMINATED


@pytest.mark.parametrize("how", ["withdraw", "decline"])
def test_a_place_given_back_goes_to_the_first_in_line(delegation: Delegation, how: str) -> None:
    room(delegation, 1)
    member, second = nominate(delegation, nominee(1), nominee(2))

    if how == "withdraw":
        delegations.withdraw(membership_id=member.membership.pk, by=by(), now=NOW)
    else:
        delegations.decline(membership_id=member.membership.pk, now=NOW)

    statuses = dict(Registration.objects.values_list("participant__display_name", "status"))
    assert statuses == {"Lena Member1": "cancelled", "Lena Member2": "confirmed"}
    assert taken(delegation) == 1
    ended = Membership.objects.get(pk=member.membership.pk)
    assert ended.state == (MemberState.WITHDRAWN if how == "withdraw" else MemberState.DECLINED)
    with pytest.raises(delegations.NotAMember):
        delegations.withdraw(membership_id=member.membership.pk, by=by(), now=NOW)
    assert second.status == RegistrationStatus.WAITLISTED


def test_erasing_a_member_ends_the_membership_and_frees_the_quota(delegation: Delegation) -> None:
    Delegation.objects.filter(pk=delegation.pk).update(quota=1)
    (member,) = nominate(delegation, nominee(1, capacity="head"))
    delegations.confirm(membership_id=member.membership.pk, is_listed=True, now=NOW)

    erasure.erase(participant_id=member.membership.participant_id, by=by(), now=NOW)
    nominate(delegation, nominee(2, capacity="head"))

    erased = Membership.objects.get(pk=member.membership.pk)
    assert (erased.state, erased.ended_at, erased.listed_at) == (MemberState.WITHDRAWN, NOW, None)
    assert delegations.find_answer_page(member.membership.answer_token) is None


# --- answering, verifying ---------------------------------------------------------------------------------------------


def test_member_answers_and_may_change_the_consent(delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    found = delegations.find_answer_page(member.membership.answer_token)
    assert found is not None

    delegations.confirm(membership_id=found.pk, is_listed=True, now=NOW)
    listed = Membership.objects.get()
    delegations.confirm(membership_id=found.pk, is_listed=False, now=NOW)
    unlisted = Membership.objects.get()

    assert (listed.state, listed.listed_at, listed.listed_wording) == ("confirmed", NOW, delegations.LISTING_WORDING)
    assert (unlisted.state, unlisted.listed_at, unlisted.listed_wording) == ("confirmed", None, "")


def test_consent_is_not_given_by_silence(delegation: Delegation) -> None:
    nominate(delegation, nominee())

    assert Membership.objects.get().listed_at is None
    assert not Membership.objects.listed().exists()


def test_refusal_needs_a_reason(delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())
    say: dict[str, Any] = {"membership_id": member.membership.pk, "by": by(), "now": NOW}

    with pytest.raises(credentials.NeedsAReason):
        credentials.verify(verification=Verification.REFUSED, reason=" ", **say)
    credentials.verify(verification=Verification.REFUSED, reason="No letter.", **say)

    assert Membership.objects.get().verification_reason == "No letter."


def test_reminder_goes_once_an_hour(delegation: Delegation) -> None:
    (member,) = nominate(delegation, nominee())

    for _attempt in range(2):
        delegations.remind(membership_id=member.membership.pk, now=NOW)

    assert Message.objects.filter(topic="delegation.nominated").count() == 2


def test_mails_name_the_delegation_and_lead_to_the_answer(delegation: Delegation, mailoutbox: list[Any]) -> None:
    (member,) = nominate(delegation, nominee(language="de"))
    outbox_services.drain_all(now=NOW)
    delegations.withdraw(membership_id=member.membership.pk, by=by(), now=NOW)
    outbox_services.drain_all(now=NOW)

    first, last = mailoutbox
    assert first.to == ["member1@state.example"]
    assert f"/d/{member.membership.answer_token}/" in first.body
    assert delegation.country is not None
    assert str(delegation.country.name) in first.body
    assert "/d/" not in last.body


def test_members_ask_for_their_link_like_everybody(delegation: Delegation) -> None:
    one, other, gone = nominate(delegation, *[nominee(number) for number in (1, 2, 3)])
    delegations.confirm(membership_id=one.membership.pk, is_listed=False, now=NOW)
    delegations.withdraw(membership_id=gone.membership.pk, by=by(), now=NOW)
    Message.objects.all().delete()

    for number in (1, 2, 3, 4):
        services.resend_personal_link(conference=delegation.conference, email=f"Member{number}@state.example", now=NOW)

    sent = set(Message.objects.values_list("topic", "about_id"))
    assert sent == {
        ("registration.personal_link", one.membership.participant.public_id),
        ("delegation.nominated", other.membership.public_id),
    }
