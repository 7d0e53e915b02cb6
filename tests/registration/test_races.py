"""Many at once, on real connections: the last place, cancelling, promoting and changing capacities, double submits.

Every race has a control at the end of the file: with the guard out and the claim replaced by what one would write
without thinking, the same rush sells more places than there are. A race test that could not fail would prove nothing.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts import actors
from alliance import db
from outbox.models import Message
from registration import services
from registration.models import Admission, IdempotencyKey, Participant, Places, Registration, RegistrationStatus
from registration.models.registration import TAKING
from registration.services import erasure
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.people import loaded, register

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

T = TypeVar("T")


def at_once(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Do all the jobs at the same moment, each on a connection of its own; their results in order."""
    gate = threading.Barrier(len(jobs), timeout=20)

    def do(job: Callable[[], T]) -> T:
        try:
            connection.ensure_connection()
            gate.wait()
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(do, jobs))


def one_person(admission: Admission, number: int) -> Callable[[], services.Answer]:
    """A job: one person registers."""
    return lambda: register(admission, token=f"token-{number}", email=f"person{number}@mail.example")


def statuses(admission: Admission) -> list[str]:
    """All statuses of an admission, sorted."""
    return sorted(Registration.objects.filter(admission=admission).values_list("status", flat=True))


def assert_counts_are_true(admission: Admission) -> None:
    """What the places row says is what the registrations say, and nobody sits on a place that does not exist."""
    row = Places.objects.get(pk=admission.pk)
    live = Registration.objects.filter(admission=admission)
    assert row.taken == live.filter(status__in=TAKING).count()
    assert row.waiting == live.filter(status=RegistrationStatus.WAITLISTED).count()


# --- registering ------------------------------------------------------------------------------------------------------


def test_the_last_place_is_given_once() -> None:
    admission = AdmissionFactory(capacity=1)

    answers = at_once([one_person(admission, number) for number in range(8)])

    assert statuses(admission) == ["confirmed"] + ["waitlisted"] * 7
    told = sorted((outcome.status.value, outcome.position or 0) for answer in answers for outcome in answer.outcomes)
    assert told == [("confirmed", 0), *(("waitlisted", position) for position in range(1, 8))]
    assert_counts_are_true(admission)


def test_erasing_beside_cancelling_and_registering_fills_every_place_and_blocks_nobody() -> None:
    event = SideEventFactory()
    one, other = AdmissionFactory(session=event, capacity=4), AdmissionFactory(capacity=4, conference=event.conference)
    for number in range(8):
        register(*random.sample([one, other], 2), token=f"before-{number}", email=f"before{number}@mail.example")
    seated = list(Participant.objects.order_by("pk")[:4])
    cancelled = [registration.pk for registration in seated[3].registrations.all()]

    def erase(participant: Participant) -> Callable[[], object]:
        return lambda: erasure.erase(participant_id=participant.pk, by=actors.SYSTEM, now=NOW)

    def cancel(pk: int) -> Callable[[], object]:
        return lambda: services.cancel(registration_id=pk, by=actors.PARTICIPANT, now=NOW)

    at_once([*[erase(person) for person in seated[:3]], *[cancel(pk) for pk in cancelled], one_person(other, 1)])

    for admission in (one, other):
        assert_counts_are_true(admission)
        assert Places.objects.get(pk=admission.pk).taken == 4


def test_a_hundred_people_on_ten_places() -> None:
    admission = AdmissionFactory(capacity=10)

    for start in range(0, 100, 10):
        at_once([one_person(admission, number) for number in range(start, start + 10)])

    assert statuses(admission) == ["confirmed"] * 10 + ["waitlisted"] * 90
    positions = Registration.objects.in_waiting_order().values_list("position", flat=True)
    assert list(positions) == list(range(1, 91))
    assert Message.objects.filter(topic="registration.received").count() == 100


def test_one_form_sent_ten_times_registers_once_and_answers_the_same() -> None:
    admission = AdmissionFactory(capacity=5)

    answers = at_once([lambda: register(admission, token="one") for _n in range(10)])

    assert len(set(answers)) == 1
    assert answers[0].outcomes[0].status == RegistrationStatus.CONFIRMED
    assert Registration.objects.count() == Participant.objects.count() == IdempotencyKey.objects.count() == 1
    assert Message.objects.filter(topic="registration.received").count() == 1


def test_one_person_in_ten_browsers_is_registered_once() -> None:
    admission = AdmissionFactory(capacity=5)

    at_once([lambda n=n: register(admission, token=f"token-{n}") for n in range(10)])  # type: ignore[misc]

    assert statuses(admission) == ["confirmed"]
    assert Participant.objects.count() == 1
    assert Message.objects.filter(topic="registration.known_address").count() == 1
    assert_counts_are_true(admission)


def test_several_admissions_in_any_order_do_not_deadlock() -> None:
    conference = ConferenceFactory()
    admissions = [AdmissionFactory(session=SideEventFactory(conference=conference), capacity=4) for _n in range(4)]
    dice = random.Random(4)

    def job(number: int) -> Callable[[], services.Answer]:
        chosen = dice.sample(admissions, k=dice.randint(2, 4))
        return lambda: register(*chosen, token=f"token-{number}", email=f"person{number}@mail.example")

    answers = at_once([job(number) for number in range(16)])

    assert len(answers) == 16
    for admission in admissions:
        taken = Places.objects.get(pk=admission.pk).taken
        assert taken == 4
        assert_counts_are_true(admission)


# --- all together -----------------------------------------------------------------------------------------------------


def test_registering_cancelling_and_changing_capacities_at_once_keeps_every_rule() -> None:
    admission = AdmissionFactory(capacity=5)
    for number in range(10):
        register(admission, token=f"before-{number}", email=f"before{number}@mail.example")
    standing = list(Registration.objects.values_list("pk", flat=True))
    dice = random.Random(20)

    def cancel(pk: int) -> Callable[[], object]:
        return lambda: services.cancel(registration_id=pk, by=actors.PARTICIPANT, now=NOW)

    def resize(capacity: int) -> Callable[[], object]:
        return lambda: services.change_capacity(admission_id=admission.pk, capacity=capacity, by=actors.SYSTEM, now=NOW)

    jobs: list[Callable[[], object]] = [one_person(admission, number) for number in range(8)]
    jobs += [cancel(pk) for pk in dice.sample(standing, 5)]
    jobs += [resize(capacity) for capacity in (3, 7, 6)]
    jobs += [lambda: services.promote_into_free_places(now=NOW)]
    dice.shuffle(jobs)

    at_once(jobs)

    assert_counts_are_true(admission)
    row = Places.objects.get(pk=admission.pk)
    assert row.waiting == 0 or row.capacity is None or row.taken >= row.capacity
    assert Registration.objects.count() == 18
    assert statuses(admission).count("cancelled") == 5
    # Everybody who came earlier stands before everybody who came later, and got a seat before them.
    came_early = [pk in standing for pk in Registration.objects.in_waiting_order().values_list("pk", flat=True)]
    ever_promoted = Registration.objects.filter(promoted_at__isnull=False)
    promoted = ever_promoted.exclude(status=RegistrationStatus.CANCELLED)
    assert ever_promoted.exists(), "seven places, and others waited"
    assert came_early == sorted(came_early, reverse=True)
    assert not (any(came_early) and ever_promoted.exclude(pk__in=standing).exists())
    keys = list(Message.objects.values_list("key", flat=True))
    assert len(keys) == len(set(keys))
    for registration in promoted:
        told = Message.objects.filter(
            topic="registration.status", about_id=registration.public_id, about_version=registration.version
        )
        assert told.count() == 1


def test_two_cancellations_at_once_promote_two_different_people() -> None:
    admission = AdmissionFactory(capacity=2)
    held = [RegistrationFactory(admission=admission) for _n in range(2)]
    waiting = [RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED) for _n in range(3)]

    at_once(
        [
            lambda pk=one.pk: services.cancel(registration_id=pk, by=actors.PARTICIPANT, now=NOW)  # type: ignore[misc]
            for one in held
        ]
    )

    now_in = [registration.pk for registration in Registration.objects.filter(status="confirmed").order_by("pk")]
    assert now_in == [waiting[0].pk, waiting[1].pk]
    assert_counts_are_true(admission)


def test_cancelling_one_registration_from_ten_devices_cancels_it_once() -> None:
    admission = AdmissionFactory(capacity=1)
    held = RegistrationFactory(admission=admission)
    RegistrationFactory.create_batch(2, admission=admission, status=RegistrationStatus.WAITLISTED)

    answers = at_once(
        [lambda: services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=NOW) for _n in range(10)]
    )

    assert sum(answer is not None for answer in answers) == 1
    assert statuses(admission) == ["cancelled", "confirmed", "waitlisted"]


def test_two_organisers_approve_once() -> None:
    admission = AdmissionFactory(capacity=5, approval="manual")
    pending = RegistrationFactory(admission=admission, status=RegistrationStatus.PENDING)

    def approve() -> str:
        try:
            services.approve(registration_id=pending.pk, by=actors.SYSTEM, now=NOW)
        except services.AlreadyDecided:
            return "late"
        return "approved"

    answers = at_once([approve] * 6)

    assert sorted(answers) == ["approved"] + ["late"] * 5
    assert_counts_are_true(admission)


# --- the control: what happens without the guard ----------------------------------------------------------------------


@contextmanager
def guard_taken_out() -> Iterator[None]:
    """No trigger refuses anything while this lasts."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE registration_places DISABLE TRIGGER guard_places")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE registration_places ENABLE TRIGGER guard_places")


def claim_by_counting(admission: Admission, number: int, gate: threading.Barrier | None = None) -> bool:
    """What one writes without thinking: count, decide, insert. gate: all have counted before anybody inserts."""
    participant = ParticipantFactory(conference=admission.conference, email=f"naive{number}@mail.example")
    with transaction.atomic():
        taken = Registration.objects.filter(admission=admission, status__in=TAKING).count()
        if gate is not None:
            gate.wait()
        capacity = Places.objects.values_list("capacity", flat=True).get(pk=admission.pk)
        if capacity is not None and taken >= capacity:
            return False
        RegistrationFactory(admission=admission, participant=participant)
    return True


def test_without_the_guard_the_same_rush_oversells() -> None:
    admission = AdmissionFactory(capacity=1)
    gate = threading.Barrier(8, timeout=20)

    with guard_taken_out():
        at_once([lambda n=n: claim_by_counting(admission, n, gate) for n in range(8)])  # type: ignore[misc]

    assert Registration.objects.filter(admission=admission, status__in=TAKING).count() > 1


def test_with_the_guard_the_naive_code_cannot_oversell() -> None:
    admission = AdmissionFactory(capacity=1)
    gate = threading.Barrier(8, timeout=20)

    def job(number: int) -> str:
        try:
            return "in" if claim_by_counting(admission, number, gate) else "full"
        except IntegrityError as error:
            return db.constraint_name(error)

    answers = at_once([lambda n=n: job(n) for n in range(8)])  # type: ignore[misc]

    assert sorted(answers) == ["in"] + ["places_not_oversold"] * 7
    assert_counts_are_true(admission)


def test_without_the_lock_of_the_places_row_two_cancellations_promote_the_same_person() -> None:
    admission = AdmissionFactory(capacity=2)
    held = [RegistrationFactory(admission=admission) for _n in range(2)]
    RegistrationFactory.create_batch(2, admission=admission, status=RegistrationStatus.WAITLISTED)
    gate = threading.Barrier(2, timeout=20)

    def cancel_without_lock(pk: int) -> int:
        with transaction.atomic():
            first = Registration.objects.in_waiting_order().filter(admission=admission).values_list("pk", flat=True)[0]
            gate.wait()
            Registration.objects.filter(pk=pk).update(status=RegistrationStatus.CANCELLED, cancelled_at=NOW)
            Registration.objects.filter(pk=first).update(
                status=RegistrationStatus.CONFIRMED, position=None, version=F("version") + 1
            )
        return first

    promoted = at_once([lambda pk=one.pk: cancel_without_lock(pk) for one in held])  # type: ignore[misc]

    assert promoted[0] == promoted[1]
    assert Places.objects.get(pk=admission.pk).taken == 1


def test_the_claim_waits_for_the_lock_of_the_places_row() -> None:
    admission = AdmissionFactory(capacity=1)
    [as_the_form_has_it] = loaded(admission)
    locked, tried = threading.Event(), threading.Event()

    def holder() -> str:
        with transaction.atomic():
            Places.objects.select_for_update(no_key=True).get(pk=admission.pk)
            locked.set()
            assert not tried.wait(0.5)  # whoever claims stands still until we are done
            RegistrationFactory(admission=admission)
        return "held"

    def claimant() -> str:
        locked.wait(10)
        answer = register(as_the_form_has_it, token="one")
        tried.set()
        return answer.outcomes[0].status.value

    assert at_once([holder, claimant]) == ["held", "waitlisted"]
