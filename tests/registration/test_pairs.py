"""Coming with somebody: two seats together or not at all, whatever the path."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from accounts import actors
from outbox.models import Message
from registration import removals, services
from registration.models import (
    AddressChange,
    Admission,
    ApprovalMode,
    Membership,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
    SeatPair,
)
from registration.seating import seats
from registration.services import addresses, delegations, erasure, merging, offers, own_data, pairs, waiting_list
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    DelegationFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.test_delegations import nominate, nominee
from tests.registration.test_races import assert_counts_are_true, at_once

pytestmark = pytest.mark.django_db

S = RegistrationStatus
ORGANISER = actors.SYSTEM


def stands(admission: Admission, status: RegistrationStatus, **more: Any) -> Registration:
    """Somebody at the admission."""
    person = ParticipantFactory.create(conference=admission.conference)
    made: Registration = RegistrationFactory.create(admission=admission, participant=person, status=status, **more)
    return made


def bring(registration: Registration) -> Registration:
    """They name somebody; that one's registration."""
    wanted = pairs.Companion("Wren")
    return pairs.bring(registration_id=registration.pk, companion=wanted, by=actors.PARTICIPANT, now=NOW).companion


def cancel(registration: Registration) -> None:
    services.cancel(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)


def statuses(*registrations: Registration) -> list[str]:
    found = dict(Registration.objects.values_list("pk", "status"))
    return [found[one.pk] for one in registrations]


def test_the_second_seat_is_given_or_nothing_happens() -> None:
    admission = AdmissionFactory.create(capacity=2)
    one = stands(admission, S.CONFIRMED)
    second = bring(one)
    assert statuses(one, second) == ["confirmed", "confirmed"]
    with pytest.raises(pairs.CannotBring):
        bring(one)
    full = AdmissionFactory.create(capacity=1)
    alone = stands(full, S.CONFIRMED)
    people = Participant.objects.count()
    with pytest.raises(pairs.NoSecondSeat):
        bring(alone)
    assert Participant.objects.count() == people
    assert_counts_are_true(full)


def test_who_comes_with_a_member_counts_for_no_quota_and_ends_with_the_member() -> None:
    delegation = DelegationFactory.create(quota=1, quota_in_person=1)
    admission = AdmissionFactory.create(session=None, conference=delegation.conference, mode="in_person", capacity=3)
    [made] = nominate(delegation, nominee(1))
    seat = made.membership.participant.registrations.get()

    along = bring(seat)

    assert statuses(seat, along) == ["confirmed", "confirmed"]
    assert Membership.objects.filter(delegation=delegation).count() == 1
    assert (along.participant.delegation, along.participant.country) == (None, None)
    with pytest.raises(delegations.NominationRefused):
        nominate(delegation, nominee(2))
    delegations.withdraw(membership_id=made.membership.pk, by=actors.SYSTEM, now=NOW)
    assert statuses(seat, along) == ["cancelled", "cancelled"]
    assert_counts_are_true(admission)


def test_pairs_of_before_learn_who_named_the_companion() -> None:
    delegation = DelegationFactory.create()
    AdmissionFactory.create(session=None, conference=delegation.conference, mode="in_person")
    [made] = nominate(delegation, nominee(1))
    first = made.membership.participant
    bring(first.registrations.get())
    second = delegations.replace(
        membership_id=made.membership.pk, nominee=nominee(2), by=actors.SYSTEM, now=NOW + timedelta(days=1)
    ).participant
    own = stands(AdmissionFactory.create(), S.CONFIRMED)
    bring(own)
    SeatPair.objects.update(named_by=second)

    with connection.cursor() as cursor:
        cursor.execute(importlib.import_module("registration.migrations.0031_who_named_a_companion").FILL)

    found = SeatPair.objects.order_by("pk").values_list("named_by", flat=True)
    assert list(found) == [first.pk, own.participant_id]


def test_nobody_takes_the_second_seat_before_who_waits_for_it() -> None:
    admission = AdmissionFactory.create(capacity=2)
    one = stands(admission, S.CONFIRMED)
    stands(admission, S.WAITLISTED)
    with pytest.raises(pairs.NoSecondSeat):
        bring(one)


def test_two_in_line_move_up_together_and_one_seat_is_kept_for_them() -> None:
    admission = AdmissionFactory.create(capacity=2)
    holders = [stands(admission, S.CONFIRMED) for _each in range(2)]
    first, behind = stands(admission, S.WAITLISTED), stands(admission, S.WAITLISTED)
    second = bring(first)
    cancel(holders[0])
    assert statuses(first, second, behind) == ["waitlisted"] * 3
    assert Places.objects.get(pk=admission.pk).taken == 1
    late = seats.for_newcomer(admission, Places.objects.get(pk=admission.pk), "ngo")
    assert late == (False, None)
    cancel(holders[1])
    assert statuses(first, second, behind) == ["confirmed", "confirmed", "waitlisted"]
    cancel(first)
    assert statuses(first, second, behind) == ["cancelled", "cancelled", "confirmed"]
    assert_counts_are_true(admission)


@pytest.mark.parametrize("moved", [0, 1])
def test_two_in_line_are_moved_to_the_top_together_whichever_is_chosen(moved: int) -> None:
    admission = AdmissionFactory.create(capacity=2)
    holders = [stands(admission, S.CONFIRMED) for _each in range(2)]
    before = stands(admission, S.WAITLISTED)
    main = stands(admission, S.WAITLISTED)
    both = [main, bring(main)]

    services.move_to_top(registration_id=both[moved].pk, by=ORGANISER, now=NOW, reason="Speaks")

    assert Message.objects.filter(topic="registration.moved_to_top").count() == 2
    with pytest.raises(services.FirstAlready):
        services.move_to_top(registration_id=both[moved].pk, by=ORGANISER, now=NOW, reason="Speaks")
    for holder in holders:
        cancel(holder)
    assert statuses(*both, before) == ["confirmed", "confirmed", "waitlisted"]


def test_two_are_offered_accepted_declined_and_expire_together() -> None:
    admission = AdmissionFactory.create(capacity=2, waiting="offer")
    holders = [stands(admission, S.CONFIRMED) for _each in range(2)]
    groups = []
    for _each in range(3):
        one = stands(admission, S.WAITLISTED)
        groups.append((one, bring(one)))
    for holder in holders:
        cancel(holder)
    assert statuses(*groups[0]) == ["offered", "offered"]
    services.decline(registration_id=groups[0][0].pk, by=actors.PARTICIPANT, now=NOW)
    assert statuses(*groups[0], *groups[1]) == ["cancelled", "cancelled", "offered", "offered"]
    assert services.expire_offers(now=NOW + timedelta(days=9)) == 2
    assert statuses(*groups[1]) == ["cancelled", "cancelled"]
    Registration.objects.filter(pk__in=[one.pk for one in groups[2]]).update(offer_expires_at=NOW + timedelta(days=1))
    services.accept(registration_id=groups[2][1].pk, by=actors.PARTICIPANT, now=NOW)
    assert statuses(*groups[2]) == ["confirmed", "confirmed"]


def test_who_comes_along_does_not_take_a_place_that_costs_the_other_one_a_place() -> None:
    conference = ConferenceFactory.create()
    starts = NOW + timedelta(days=20)
    busy, offered = (
        AdmissionFactory.create(
            capacity=2, waiting="offer", conference=conference,
            session=SideEventFactory.create(
                conference=conference, starts_at=starts, ends_at=starts + timedelta(hours=1)
            ),
        )
        for _each in range(2)
    )  # fmt: skip
    one = stands(offered, S.WAITLISTED)
    seat = RegistrationFactory.create(admission=busy, participant=one.participant, status=S.CONFIRMED)
    second = bring(one)
    Registration.objects.filter(pk__in=[one.pk, second.pk]).update(
        status=S.OFFERED, position=None, offer_expires_at=starts
    )
    with pytest.raises(offers.OtherAnswers):
        services.accept(registration_id=second.pk, by=actors.PARTICIPANT, now=NOW)
    assert statuses(one, second, seat) == ["offered", "offered", "confirmed"]
    services.accept(registration_id=one.pk, by=actors.PARTICIPANT, now=NOW, giving_up=[seat.public_id])
    assert statuses(one, second, seat) == ["confirmed", "confirmed", "cancelled"]


def test_one_seat_is_never_kept_for_two() -> None:
    admission = AdmissionFactory.create(capacity=2)
    holders = [stands(admission, S.CONFIRMED) for _each in range(2)]
    first = stands(admission, S.WAITLISTED)
    bring(first)
    Places.objects.filter(pk=admission.pk).update(capacity=1)
    for holder in holders:
        cancel(holder)
    assert seats.for_newcomer(admission, Places.objects.get(pk=admission.pk), "ngo") == (True, None)
    behind = stands(admission, S.WAITLISTED)
    services.promote_into_free_places(now=NOW)
    assert statuses(first, behind) == ["waitlisted", "confirmed"]
    with pytest.raises(pairs.NoSecondSeat):
        bring(stands(admission, S.WAITLISTED))


def test_nobody_sends_mail_to_the_world_by_naming_one_after_the_other() -> None:
    one = stands(AdmissionFactory.create(capacity=2), S.CONFIRMED)
    for _each in range(10):
        cancel(bring(one))
    with pytest.raises(pairs.TooManyNamed):
        bring(one)


def test_mails_of_who_comes_along_leave_a_mailbox_with_the_person() -> None:
    one = stands(AdmissionFactory.create(capacity=2), S.CONFIRMED)
    second = bring(one).participant
    old_link = second.personal_token
    addresses.ask(participant_id=one.participant_id, address="safe@mail.example", now=NOW)
    token = addresses.token_of(AddressChange.objects.get())
    addresses.confirm(token=token, now=NOW)
    now_at = Participant.objects.get(pk=second.pk)
    assert now_at.open_identity().email == "safe@mail.example"
    assert services.find_personal(old_link) is None

    mail = Message.objects.filter(order_key=f"participant:{second.public_id}").latest("pk")
    assert removals.keep(mail, NOW) is None
    Participant.objects.filter(pk=one.participant_id).update(taken_down_at=NOW)
    kept = removals.keep(mail, NOW)
    assert kept is not None
    assert str(one.participant.public_id) in kept.mark


def test_who_comes_along_stays_when_two_rows_of_one_person_are_merged() -> None:
    admission = AdmissionFactory.create(capacity=3)
    kept, ended = stands(admission, S.CONFIRMED), stands(admission, S.CONFIRMED)
    second = bring(ended)
    stays, goes = kept.participant_id, ended.participant_id
    seen = merging.plan(stays_id=stays, goes_id=goes).seen
    merging.merge(stays_id=stays, goes_id=goes, seen=seen, from_other=(), by=ORGANISER, now=NOW)
    assert statuses(kept, ended, second) == ["confirmed", "cancelled", "confirmed"]
    cancel(kept)
    assert statuses(second) == ["cancelled"]


@pytest.mark.parametrize(
    ("waiting", "others", "expected"),
    [("direct", 0, "confirmed"), ("direct", 1, "waitlisted"), ("none", 1, "rejected")],
)
def test_two_are_approved_together(waiting: str, others: int, expected: str) -> None:
    admission = AdmissionFactory.create(capacity=2, approval=ApprovalMode.MANUAL, waiting=waiting)
    for _each in range(others):
        stands(admission, S.CONFIRMED)
    one = stands(admission, S.PENDING)
    second = bring(one)
    services.approve(registration_id=second.pk, by=ORGANISER, now=NOW)
    connection.check_constraints()  # what is looked at when the transaction ends
    assert statuses(one, second) == [expected, expected]
    assert_counts_are_true(admission)


def test_rejecting_ends_both_and_who_comes_along_may_withdraw_alone() -> None:
    admission = AdmissionFactory.create(capacity=9, approval=ApprovalMode.MANUAL)
    one, other = stands(admission, S.PENDING), stands(admission, S.CONFIRMED)
    second, third = bring(one), bring(other)
    services.reject(registration_id=one.pk, by=ORGANISER, now=NOW, reason="No.")
    cancel(third)
    assert statuses(one, second, other, third) == ["rejected", "cancelled", "confirmed", "cancelled"]
    assert bring(other).status == S.CONFIRMED
    assert SeatPair.objects.standing().count() == 1


def test_the_database_keeps_two_together() -> None:
    admission = AdmissionFactory.create(capacity=2)
    one = stands(admission, S.CONFIRMED)
    bring(one)
    with pytest.raises(IntegrityError, match="together or not at all"), transaction.atomic():
        _cancel_raw(one)
    with pytest.raises(IntegrityError, match="together or not at all"), transaction.atomic():
        _tie_raw(one, stands(AdmissionFactory.create(conference=admission.conference), S.CONFIRMED))


def _cancel_raw(registration: Registration) -> None:
    Registration.objects.filter(pk=registration.pk).update(status=S.CANCELLED, cancelled_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def _tie_raw(one: Registration, other: Registration) -> None:
    SeatPair.objects.update(ended_at=NOW)
    SeatPair.objects.create(registration=one, companion=other, named_by=one.participant, made_at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_erasing_somebody_erases_whom_they_named() -> None:
    admission = AdmissionFactory.create(capacity=2)
    one = stands(admission, S.CONFIRMED)
    second = bring(one)
    done = erasure.erase(participant_id=one.participant_id, by=actors.PARTICIPANT, now=NOW)
    assert done.cancelled == 2
    person = Participant.objects.get(pk=second.participant_id)
    assert (person.display_name, person.sealed_identity) == (erasure.ERASED_NAME, b"")
    assert Places.objects.get(pk=admission.pk).taken == 0


def test_naming_somebody_on_the_personal_page(client: Client) -> None:
    admission = AdmissionFactory.create(capacity=2)
    one = stands(admission, S.CONFIRMED)
    url = reverse("registration:companion", args=[one.participant.personal_token, one.public_id])
    assert client.get(url).status_code == 200
    for refused in ("", "Win money: evil.de", "Wren\u202ex", "A" * 121):  # it goes to whatever address is typed
        assert client.post(url, {"name": refused}).status_code == 422
    assert client.post(url, {"name": "Wren"}).status_code == 303
    second = SeatPair.objects.get().companion
    assert second.participant.open_identity().email == one.participant.open_identity().email
    assert b"Wren" in client.get(url).content
    assert b"Wren comes with you." in client.get(f"/r/{one.participant.personal_token}/").content
    person = Participant.objects.select_related("conference", "country", "identity_key").get(pk=one.participant_id)
    [named] = [section for section in own_data.collect(person, now=NOW) if section.key == "companions"]
    assert [fact.value for fact in named.records[0] if fact.key == "name"] == ["Wren"]
    assert client.post(url, {"alone": "1"}).status_code == 303
    assert statuses(one, second) == ["confirmed", "cancelled"]
    stranger = stands(admission, S.CONFIRMED)
    other = reverse("registration:companion", args=[stranger.participant.personal_token, one.public_id])
    assert client.get(other).status_code == 404


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_many_bring_somebody_for_the_last_seats() -> None:
    admission = AdmissionFactory.create(capacity=9)
    people = [stands(admission, S.CONFIRMED) for _each in range(6)]

    def job(one: Registration) -> Callable[[], bool]:
        def do() -> bool:
            try:
                bring(one)
            except pairs.NoSecondSeat:
                return False
            return True

        return do

    assert sum(at_once([job(one) for one in people])) == 3
    assert SeatPair.objects.standing().count() == 3
    assert_counts_are_true(admission)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_in_line_never_get_one_seat_while_others_come_and_go() -> None:
    admission = AdmissionFactory.create(capacity=4)
    holders = [stands(admission, S.CONFIRMED) for _each in range(4)]
    two = []
    for _each in range(3):
        one = stands(admission, S.WAITLISTED)
        two.append((one, bring(one)))
    jobs: list[Callable[[], object]] = [lambda one=one: cancel(one) for one in holders]  # type: ignore[misc]
    jobs += [lambda: waiting_list.promote_into_free_places(now=NOW), lambda: cancel(two[0][0])]
    at_once(jobs)
    for one, second in two:
        assert len(set(statuses(one, second))) == 1
    assert statuses(*two[1], *two[2]) == ["confirmed"] * 4
    assert_counts_are_true(admission)
