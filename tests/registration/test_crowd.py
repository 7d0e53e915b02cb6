"""A thousand people on two hundred places over sixteen connections; then the same with everything else going on.

Order is judged from outside: who had an answer before somebody else even began stands before them.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from django.db import connection

from accounts import actors
from registration import services
from registration.models import Places, Registration, RegistrationStatus
from registration.models.registration import TAKING
from tests.factories import NOW, AdmissionFactory
from tests.registration.people import register

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one person met, and when by the clock of this process."""

    person: int
    began: float
    ended: float
    position: int | None


def work_off(jobs: Sequence[Callable[[], None]]) -> None:
    """Do all jobs in the order given, as many at a time as there are connections."""
    waiting = list(reversed(jobs))
    lock = threading.Lock()
    failed: list[BaseException] = []

    def clerk() -> None:
        try:
            while True:
                with lock:
                    if not waiting:
                        return
                    job = waiting.pop()
                job()
        except BaseException as error:  # told by the test, below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=clerk) for _number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed[0]


def name_of(person: int) -> str:
    """The display name."""
    return f"Guest {person}"


def arrival(admission: object, person: int, attempts: list[Attempt]) -> Callable[[], None]:
    """A job: one person registers."""

    def job() -> None:
        began = time.monotonic()
        answer = register(
            admission,  # type: ignore[arg-type]
            token=f"crowd-{person}",
            email=f"crowd{person}@mail.example",
            given_name="Guest",
            family_name=str(person),
        )
        attempts.append(Attempt(person, began, time.monotonic(), answer.outcomes[0].position))

    return job


def assert_nobody_passed(attempts: Sequence[Attempt], better: dict[int, float]) -> None:
    """Whoever was done before another began has a better (lower) place. better: by person; 0 for a seat."""
    worst_done = 0.0
    done = sorted(attempts, key=lambda attempt: attempt.ended)
    for attempt in sorted(attempts, key=lambda one: one.began):
        while done and done[0].ended < attempt.began:
            worst_done = max(worst_done, better.get(done.pop(0).person, 0.0))
        if attempt.person in better and worst_done:
            assert better[attempt.person] > worst_done, attempt


def test_a_thousand_on_two_hundred_places() -> None:
    admission = AdmissionFactory(capacity=200)
    attempts: list[Attempt] = []

    work_off([arrival(admission, person, attempts) for person in range(1000)])

    rows = Registration.objects.filter(admission=admission)
    assert rows.filter(status=RegistrationStatus.CONFIRMED).count() == 200
    line = list(rows.in_waiting_order().values_list("participant__display_name", flat=True))
    assert len(line) == 800
    told = {name_of(attempt.person): attempt.position for attempt in attempts if attempt.position}
    assert [told[name] for name in line] == list(range(1, 801))
    assert_nobody_passed(attempts, {attempt.person: float(attempt.position or 0) for attempt in attempts})


def test_arriving_while_others_cancel_and_capacities_change() -> None:
    admission = AdmissionFactory(capacity=40)
    attempts: list[Attempt] = []
    dice = random.Random(7)
    gone: set[int] = set()

    def leave() -> None:
        seated = Registration.objects.live().filter(admission=admission).order_by("?")[:1]
        for registration in seated:
            services.cancel(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)

    def resize() -> None:
        services.change_capacity(admission_id=admission.pk, capacity=dice.randint(20, 60), by=actors.SYSTEM, now=NOW)

    def sweep() -> None:
        services.promote_into_free_places(now=NOW)

    jobs = [arrival(admission, person, attempts) for person in range(250)]
    for extra, count in ((leave, 60), (resize, 25), (sweep, 10)):
        for _number in range(count):
            jobs.insert(dice.randrange(40, len(jobs)), extra)

    work_off(jobs)

    rows = Registration.objects.filter(admission=admission)
    places = Places.objects.get(pk=admission.pk)
    assert rows.count() == 250
    assert places.taken == rows.filter(status__in=TAKING).count()
    assert places.waiting == rows.filter(status=RegistrationStatus.WAITLISTED).count()
    assert places.capacity is not None
    assert places.taken >= min(places.capacity, places.taken + places.waiting)
    gone |= {
        int(name.split()[1])
        for name in rows.exclude(pk__in=rows.live()).values_list("participant__display_name", flat=True)
    }
    line = rows.in_waiting_order().values_list("participant__display_name", flat=True)
    ranks = {int(name.split()[1]): float(rank) for rank, name in enumerate(line, start=1)}
    better = {attempt.person: ranks.get(attempt.person, 0.0) for attempt in attempts if attempt.person not in gone}
    assert_nobody_passed(attempts, better)
