"""Cancelling, and who moves up; raising and lowering a capacity."""

from __future__ import annotations

import pytest

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from outbox.models import Message
from registration import services
from registration.models import Registration
from tests.factories import (
    NOW,
    AdmissionFactory,
    RegistrationFactory,
    StaffFactory,
)
from tests.registration.people import register
from tests.registration.test_services import CANCELLED, CONFIRMED, WAITLISTED, counted, stands, told

pytestmark = pytest.mark.django_db


def test_cancel_promotes_the_first_in_line_and_queues_exactly_their_messages() -> None:
    admission = AdmissionFactory(capacity=1)
    held = RegistrationFactory(admission=admission)
    first, second = (RegistrationFactory(admission=admission, status=WAITLISTED) for _n in range(2))

    cancelled = services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=NOW)

    assert cancelled is not None
    assert cancelled.status == CANCELLED
    assert stands(admission) == [(CANCELLED, None), (CONFIRMED, None), (WAITLISTED, second.position)]
    assert counted(admission) == (1, 1)
    queued = [(topic, about) for topic, about in Message.objects.order_by("pk").values_list("topic", "about_id")]
    assert queued == [
        ("registration.status", held.public_id),
        ("registration.status", first.public_id),
        ("registration.join_link", first.public_id),
    ]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "registration.cancelled",
        "registration.promoted",
    ]


def test_cancel_twice_is_fine_and_does_nothing_the_second_time() -> None:
    admission = AdmissionFactory(capacity=1)
    registration = RegistrationFactory(admission=admission)
    services.cancel(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)
    messages = Message.objects.count()

    again = services.cancel(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)

    assert again is None
    assert counted(admission) == (0, 0)
    assert Message.objects.count() == messages


def test_cancel_a_place_in_line_moves_the_others_up_and_promotes_nobody() -> None:
    admission = AdmissionFactory(capacity=1)
    RegistrationFactory(admission=admission)
    first, _second = (RegistrationFactory(admission=admission, status=WAITLISTED) for _n in range(2))

    services.cancel(registration_id=first.pk, by=actors.PARTICIPANT, now=NOW)

    assert counted(admission) == (1, 1)
    assert Message.objects.filter(about_id=first.public_id, topic="registration.status").count() == 1


def test_cancel_after_the_start_promotes_nobody() -> None:
    admission = AdmissionFactory(capacity=1)
    held = RegistrationFactory(admission=admission)
    RegistrationFactory(admission=admission, status=WAITLISTED)

    services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=admission.session.starts_at)

    assert counted(admission) == (0, 1)


def test_raising_a_capacity_promotes_in_order() -> None:
    admission = AdmissionFactory(capacity=0)
    for _n in range(3):
        RegistrationFactory(admission=admission, status=WAITLISTED)

    promoted = services.change_capacity(
        admission_id=admission.pk, capacity=2, by=Actor.organiser(StaffFactory()), now=NOW
    )

    assert promoted == 2
    assert [status for status, _position in stands(admission)] == [CONFIRMED, CONFIRMED, WAITLISTED]
    changed = AuditEntry.objects.get(action="admission.capacity_changed")
    assert changed.details == {"from": 0, "to": 2}


def test_lifting_a_capacity_promotes_everybody() -> None:
    admission = AdmissionFactory(capacity=0)
    RegistrationFactory.create_batch(3, admission=admission, status=WAITLISTED)

    promoted = services.change_capacity(admission_id=admission.pk, capacity=None, by=actors.SYSTEM, now=NOW)

    assert promoted == 3


def test_lowering_a_capacity_throws_nobody_out_and_stops_new_places() -> None:
    admission = AdmissionFactory(capacity=3)
    RegistrationFactory.create_batch(3, admission=admission)

    services.change_capacity(admission_id=admission.pk, capacity=1, by=actors.SYSTEM, now=NOW)
    answer = register(admission, token="one")
    services.cancel(registration_id=Registration.objects.earliest("pk").pk, by=actors.PARTICIPANT, now=NOW)

    assert told(answer) == [(WAITLISTED, 1)]
    assert counted(admission) == (2, 1)


def test_the_sweep_fills_places_that_another_path_left_free() -> None:
    admission = AdmissionFactory(capacity=1)
    first, _second = (RegistrationFactory(admission=admission, status=WAITLISTED) for _n in range(2))

    promoted = services.promote_into_free_places(now=NOW)

    assert promoted == 1
    first.refresh_from_db()
    assert first.status == CONFIRMED
    assert services.promote_into_free_places(now=NOW) == 0
