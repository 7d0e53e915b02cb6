"""Taking back what an organiser cancelled or rejected: the same place, the same position, and nobody else's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind, AuditEntry
from alliance.admin import undo
from outbox.models import Message, MessageState
from registration import services
from registration.admin import registrations
from registration.letters import handlers
from registration.models import Admission, Ending, Places, Registration, RegistrationStatus, SeatPair
from registration.services import delegations, erasure, pairs, taking_back
from tests import factories
from tests.factories import NOW, AdmissionFactory, RegistrationFactory, SideEventFactory
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_races import assert_counts_are_true, at_once

pytestmark = pytest.mark.django_db
S = RegistrationStatus
ORGANISER = Actor(ActorKind.ORGANISER)
SOON = NOW + timedelta(minutes=5)
LIST = "admin:registration_registration_changelist"


def cancel(one: Registration, *, by: Actor = ORGANISER, now: datetime = NOW) -> None:
    services.cancel(registration_id=one.pk, by=by, now=now, reason="Registered twice.")


def back(one: Registration, *, now: datetime = SOON, **more: Any) -> Registration:
    return services.take_back(registration_id=one.pk, by=ORGANISER, now=now, **more)


def stood(*registrations: Registration) -> list[str]:
    found = dict(Registration.objects.values_list("pk", "status"))
    return [found[one.pk] for one in registrations]


def line(admission: Admission) -> list[int]:
    return list(Registration.objects.in_waiting_order().filter(admission=admission).values_list("pk", flat=True))


@pytest.mark.parametrize("status", ["pending", "confirmed", "waitlisted", "offered"])
def test_a_cancelled_registration_stands_as_before(status: str) -> None:
    admission = AdmissionFactory.create(capacity=0 if status == "waitlisted" else 1)
    more = {"offer_expires_at": NOW + timedelta(hours=2)} if status == "offered" else {}
    one = RegistrationFactory.create(admission=admission, status=status, **more)
    kept = ("status", "position", "reserve", "reason", "offer_expires_at", "decided_by_kind", "cancelled_at")
    before = Registration.objects.values(*kept).get(pk=one.pk)
    cancel(one)

    back(one)

    assert Registration.objects.values(*kept).get(pk=one.pk) == before
    assert not Ending.objects.exists()
    entry = AuditEntry.objects.get(action="registration.taken_back")
    assert (entry.about_id, entry.details) == (one.public_id, {"status_after": status})
    assert_counts_are_true(admission)
    with pytest.raises(services.TooLate):
        back(one)


def test_a_rejected_one_is_back_at_the_old_position_though_others_were_moved_there() -> None:
    admission = AdmissionFactory.create(capacity=0)
    first, second, third, fourth = (
        RegistrationFactory.create(admission=admission, status=S.WAITLISTED) for _ in "1234"
    )
    services.move_to_top(registration_id=third.pk, by=ORGANISER, now=NOW, reason="Speaks")
    services.reject(registration_id=third.pk, by=ORGANISER, now=NOW, reason="No.")
    services.move_to_top(registration_id=second.pk, by=ORGANISER, now=NOW, reason="Speaks")  # takes the position
    services.move_to_top(registration_id=fourth.pk, by=ORGANISER, now=NOW, reason="Speaks")

    back(third)

    assert line(admission) == [fourth.pk, second.pk, third.pk, first.pk]
    assert_counts_are_true(admission)


def test_when_the_place_has_gone_the_person_is_first_in_line_or_nothing_happens() -> None:
    admission = AdmissionFactory.create(capacity=1)
    one, up, behind = (
        RegistrationFactory.create(admission=admission, status=s) for s in (S.CONFIRMED, S.WAITLISTED, S.WAITLISTED)
    )
    cancel(one)
    assert stood(one, up) == ["cancelled", "confirmed"]
    with pytest.raises(services.PlaceGone):
        back(one, in_line=False)

    back(one)

    assert (stood(one, up), line(admission)) == (["waitlisted", "confirmed"], [one.pk, behind.pk])
    cancel(up)
    assert stood(one, up) == ["confirmed", "cancelled"]
    Admission.objects.filter(pk=admission.pk).update(waiting="none")
    with pytest.raises(services.PlaceGone):
        back(up)
    assert_counts_are_true(admission)


def test_what_people_gave_up_what_is_old_and_what_changed_since_stays_ended() -> None:
    by_hand, late, erased, renewed, other_act = (RegistrationFactory.create() for _ in range(5))
    cancel(by_hand, by=actors.PARTICIPANT)
    for one in (late, erased, renewed, other_act):
        cancel(one)
    erasure.erase(participant_id=erased.participant_id, by=actors.PARTICIPANT, now=NOW)
    RegistrationFactory.create(admission=renewed.admission, participant=renewed.participant)

    with pytest.raises(services.TooLate):
        back(by_hand)
    with pytest.raises(services.TooLate):
        back(late, now=NOW + taking_back.LASTS)
    with pytest.raises(services.TooLate):
        back(erased)
    with pytest.raises(services.StandsAgain):
        back(renewed)
    with pytest.raises(services.TooLate):
        back(other_act, version=1)
    assert stood(by_hand, late, erased, renewed, other_act) == ["cancelled"] * 5
    assert taking_back.forget(now=NOW + taking_back.LASTS) == 3
    assert undo.LASTS == taking_back.LASTS


def test_the_database_lets_nothing_else_stand_again() -> None:
    one, own = RegistrationFactory.create(status=S.PENDING), RegistrationFactory.create()
    cancel(one)
    cancel(own, by=actors.PARTICIPANT)
    version = Registration.objects.get(pk=one.pk).version
    for row, status, to in ((own, "confirmed", 9), (one, "confirmed", version + 1), (one, "pending", version)):
        with pytest.raises(IntegrityError, match="cannot become"), transaction.atomic():
            Registration.objects.filter(pk=row.pk).update(status=status, cancelled_at=None, version=to)
    assert Registration.objects.filter(pk=one.pk).update(status="pending", cancelled_at=None, version=version + 1)


def test_a_letter_that_has_not_left_is_recalled_and_one_that_has_is_followed() -> None:
    silent, told = RegistrationFactory.create(), RegistrationFactory.create()
    for one in (silent, told):
        cancel(one)
    Message.objects.filter(about_id=told.public_id).update(state=MessageState.SENT, finished_at=NOW)

    for one in (silent, told):
        back(one)

    states = Message.objects.filter(topic="registration.status", about_id=silent.public_id).values_list(
        "state", flat=True
    )
    assert list(states) == [MessageState.SUPERSEDED]
    letter = Message.objects.get(topic="registration.status", about_id=told.public_id, about_version=3)
    mail: Any = handlers.tell_change(letter, now=SOON)
    assert "what holds now" in mail.text
    assert "Confirmed" in mail.text
    assert b"METHOD:REQUEST" in b"".join(part.content for part in mail.attachments)


@pytest.mark.parametrize("ends", ["waitlisted", "offered"])
def test_who_has_no_seat_any_more_keeps_no_entry_in_the_calendar(ends: str) -> None:
    starts = NOW + timedelta(days=20)
    there = {"starts_at": starts, "ends_at": starts + timedelta(hours=1)}
    admission = AdmissionFactory.create(capacity=1, session=SideEventFactory.create(**there))
    one = RegistrationFactory.create(admission=admission)
    if ends == "waitlisted":
        RegistrationFactory.create(admission=admission, status=S.WAITLISTED)
    cancel(one)  # a letter that is recalled, with its calendar part
    if ends == "offered":
        other = SideEventFactory.create(conference=admission.conference, **there)
        RegistrationFactory.create(
            admission=AdmissionFactory.create(session=other), participant=one.participant, created_at=SOON
        )

    back(one)

    assert stood(one) == [ends]
    letter = Message.objects.get(topic="registration.status", about_id=one.public_id, about_version=3)
    mail: Any = handlers.tell_change(letter, now=SOON)
    assert b"METHOD:CANCEL" in b"".join(part.content for part in mail.attachments)


def test_two_who_came_together_come_back_together_or_wait_together() -> None:
    admission = AdmissionFactory.create(capacity=2)
    main = RegistrationFactory.create(admission=admission)
    wanted = pairs.Companion("Wren")
    along = pairs.bring(registration_id=main.pk, companion=wanted, by=actors.PARTICIPANT, now=NOW).companion
    cancel(main)
    assert stood(main, along) == ["cancelled", "cancelled"]
    back(main)
    assert (stood(main, along), SeatPair.objects.standing().count()) == (["confirmed", "confirmed"], 1)

    cancel(along)
    assert stood(main, along) == ["confirmed", "cancelled"]
    back(along)
    assert (stood(main, along), SeatPair.objects.standing().count()) == (["confirmed", "confirmed"], 1)

    next_one = RegistrationFactory.create(admission=admission, status=S.WAITLISTED)
    cancel(along)
    assert stood(next_one) == ["confirmed"]
    with pytest.raises(services.PlaceGone):
        back(along)  # never apart from the one with a seat
    cancel(main, now=SOON)
    back(main)
    assert stood(main, along, next_one) == ["confirmed", "cancelled", "confirmed"]
    assert_counts_are_true(admission)


def test_who_came_with_a_member_comes_with_no_other_one() -> None:
    delegation = factories.DelegationFactory.create()
    AdmissionFactory.create(session=None, conference=delegation.conference, mode="in_person", capacity=3)
    [made] = nominate(delegation, nominee(1))
    seat = made.membership.participant.registrations.get()
    wanted = pairs.Companion("Wren")
    along = pairs.bring(registration_id=seat.pk, companion=wanted, by=actors.PARTICIPANT, now=NOW).companion
    cancel(along)
    delegations.replace(membership_id=made.membership.pk, nominee=nominee(2), by=actors.SYSTEM, now=NOW)

    with pytest.raises(services.StandApart):
        back(along)

    assert stood(seat, along) == ["confirmed", "cancelled"]


def test_who_got_another_seat_at_the_same_time_is_asked_which_one_they_keep() -> None:
    conference = factories.ConferenceFactory.create()
    starts = NOW + timedelta(days=20)
    here, there = (
        AdmissionFactory.create(
            capacity=1, conference=conference,
            session=SideEventFactory.create(
                conference=conference, starts_at=starts, ends_at=starts + timedelta(hours=1)
            ),
        )
        for _each in range(2)
    )  # fmt: skip
    one = RegistrationFactory.create(admission=here)
    cancel(one)
    RegistrationFactory.create(admission=there, participant=one.participant, created_at=SOON)

    assert back(one).status == S.OFFERED


def test_bulk_is_taken_back_by_the_button_in_order_and_by_nobody_else(client: Client) -> None:
    starts = timezone.now() + timedelta(days=30)
    admission = AdmissionFactory.create(
        capacity=2, session=SideEventFactory.create(starts_at=starts, ends_at=starts + timedelta(hours=1))
    )
    rows = [
        RegistrationFactory.create(admission=admission, created_at=NOW + timedelta(hours=number)) for number in range(2)
    ] + [RegistrationFactory.create(admission=admission, status=S.WAITLISTED) for _each in range(2)]
    client.force_login(factories.StaffFactory())
    sent = {
        "action": "cancel_selected",
        "_selected_action": [one.pk for one in rows[:2]],
        "index": "0",
        "confirmed": "y",
    }
    page = client.post(reverse(LIST), sent, follow=True).text
    assert stood(*rows) == ["cancelled", "cancelled", "confirmed", "confirmed"]
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None

    said = client.post(reverse("admin:undo"), {"token": found[1], "next": reverse(LIST)}, follow=True).text

    assert "Undone: 2 registrations stand again (On the waiting list: 2)." in said
    assert "first in line now" in said
    assert line(admission) == [rows[0].pk, rows[1].pk]

    services.cancel(registration_id=rows[2].pk, by=ORGANISER, now=timezone.now())
    one = client.get(reverse("admin:registration_registration_change", args=[rows[2].pk])).text
    assert 'value="take_back_selected"' in one
    sent = {"action": "take_back_selected", "_selected_action": [rows[2].pk], "index": "0"}
    assert "Undone: 1 registration stands again" in client.post(reverse(LIST), sent, follow=True).text
    assert_counts_are_true(admission)
    client.force_login(factories.RoleFactory(kind="organiser").user)  # of another conference
    client.post(reverse(LIST), sent, follow=True)
    assert Places.objects.get(pk=admission.pk).taken == 2


def test_undoing_says_when_not_all_were_looked_at(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registrations, "MOST_AT_ONCE", 1)
    rows = [RegistrationFactory.create(status=S.PENDING) for _each in range(2)]
    for one in rows:
        cancel(one, now=timezone.now())
    client.force_login(factories.StaffFactory())
    sent = {"action": "take_back_selected", "_selected_action": [one.pk for one in rows], "index": "0"}

    said = client.post(reverse(LIST), sent, follow=True).text

    assert "Undone: 1 registration stands again" in said
    assert "Only the first 1 were looked at." in said
    assert sorted(stood(*rows)) == ["cancelled", "pending"]


@pytest.mark.parametrize("capacity", [2, 1])
def test_two_who_come_together_are_counted_as_two_when_both_are_chosen(client: Client, capacity: int) -> None:
    now = timezone.now()
    starts = now + timedelta(days=30)
    session = SideEventFactory.create(starts_at=starts, ends_at=starts + timedelta(hours=1))
    admission = AdmissionFactory.create(capacity=2, session=session)
    main = RegistrationFactory.create(admission=admission)
    wanted = pairs.Companion("Wren")
    along = pairs.bring(registration_id=main.pk, companion=wanted, by=actors.PARTICIPANT, now=now).companion
    cancel(main, now=now)
    Places.objects.filter(pk=admission.pk).update(capacity=capacity)
    client.force_login(factories.StaffFactory())
    sent = {"action": "take_back_selected", "_selected_action": [main.pk, along.pk], "index": "0"}

    said = client.post(reverse(LIST), sent, follow=True).text

    assert "Undone: 2 registrations stand again" in said
    assert "left as" not in said
    assert stood(main, along) == ["confirmed" if capacity == 2 else "waitlisted"] * 2


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_undo_at_once_and_promotion_never_oversell() -> None:
    admission = AdmissionFactory.create(capacity=2)
    one, two = (RegistrationFactory.create(admission=admission) for _each in range(2))
    waiting = RegistrationFactory.create(admission=admission, status=S.PENDING)
    now = timezone.now()
    for row in (one, two):
        cancel(row, now=now)
    Places.objects.filter(pk=admission.pk).update(capacity=1)

    def undo_one(row: Registration) -> str:
        try:
            return str(back(row, now=now).status)
        except services.TooLate:
            return "too late"

    def approve() -> str:
        return str(services.approve(registration_id=waiting.pk, by=ORGANISER, now=now).status)

    done = at_once([lambda: undo_one(one), lambda: undo_one(one), lambda: undo_one(two), approve])

    assert sorted(done).count("too late") == 1
    assert sorted(stood(one, two, waiting)) == ["confirmed", "waitlisted", "waitlisted"]
    assert AuditEntry.objects.filter(action="registration.taken_back").count() == 2
    assert_counts_are_true(admission)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_undo_against_promotion_gives_the_freed_place_once() -> None:
    now, halls = timezone.now(), []
    for _each in range(3):
        admission = AdmissionFactory.create(capacity=2)
        rows = [
            RegistrationFactory.create(admission=admission, status=status)
            for status in (S.CONFIRMED, S.CONFIRMED, S.WAITLISTED, S.WAITLISTED)
        ]
        cancel(rows[0], now=now)  # the third moves up
        halls.append((admission, rows))

    jobs = [lambda rows=rows: back(rows[0], now=now) for _admission, rows in halls]
    at_once([*jobs, *(lambda rows=rows: cancel(rows[1], now=now) for _admission, rows in halls)])

    for admission, (one, other, up, behind) in halls:
        assert stood(other, up) == ["cancelled", "confirmed"]
        assert sorted(stood(one, behind)) == ["confirmed", "waitlisted"]
        assert_counts_are_true(admission)
