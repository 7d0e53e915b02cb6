"""What the clock repairs: join links that nobody queued, and old answers to forms."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alliance.celery import app
from outbox.models import Message
from registration import services, tasks
from registration.letters import messages
from registration.models import IdempotencyKey, RegistrationStatus
from registration.services import upkeep
from tests.factories import NOW, AdmissionFactory, MeetingFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db

STARTS_AT = datetime.fromisoformat("2030-07-15T09:00:00+00:00")  # of every session the factories make
OPENS_AT = STARTS_AT - timedelta(minutes=15)


def test_missing_join_links_are_queued_a_day_before_the_door_opens() -> None:
    registration = RegistrationFactory()

    too_early = services.queue_missing_join_links(now=OPENS_AT - timedelta(hours=24, seconds=1))
    in_time = services.queue_missing_join_links(now=OPENS_AT - timedelta(hours=24))

    assert (too_early, in_time) == (0, 1)
    message = Message.objects.get()
    assert (message.topic, message.about_id, message.about_version) == (messages.JOIN_LINK, registration.public_id, 1)
    assert message.due_at == OPENS_AT - timedelta(hours=24)
    assert message.deadline_at == STARTS_AT + timedelta(hours=1)


def test_join_links_are_queued_once() -> None:
    RegistrationFactory.create_batch(2)

    assert services.queue_missing_join_links(now=OPENS_AT) == 2
    assert services.queue_missing_join_links(now=OPENS_AT) == 0
    assert Message.objects.count() == 2


def test_a_link_of_an_earlier_version_does_not_count() -> None:
    registration = RegistrationFactory()
    services.queue_missing_join_links(now=OPENS_AT)
    registration.version = 2
    registration.save()

    assert services.queue_missing_join_links(now=OPENS_AT) == 1
    assert sorted(Message.objects.values_list("about_version", flat=True)) == [1, 2]


@pytest.mark.parametrize("status", [s for s in RegistrationStatus.values if s != "confirmed"])
def test_only_confirmed_people_get_a_link(status: str) -> None:
    RegistrationFactory(status=status)

    assert services.queue_missing_join_links(now=OPENS_AT) == 0


def test_people_who_come_in_person_get_no_link() -> None:
    RegistrationFactory(admission__mode="in_person")

    assert services.queue_missing_join_links(now=OPENS_AT) == 0


def test_nobody_gets_a_link_after_the_end_or_without_a_time() -> None:
    RegistrationFactory()
    RegistrationFactory(admission__session=SideEventFactory(starts_at=None, ends_at=None))

    assert services.queue_missing_join_links(now=STARTS_AT + timedelta(hours=1)) == 0


def test_the_hours_of_the_meeting_count() -> None:
    admission = AdmissionFactory()
    MeetingFactory(session=admission.session, opens_at=STARTS_AT - timedelta(days=5))
    RegistrationFactory(admission=admission)
    whole = AdmissionFactory(session=None)
    MeetingFactory(
        session=None, conference=whole.conference, opens_at=STARTS_AT - timedelta(days=5), closes_at=STARTS_AT
    )
    RegistrationFactory(admission=whole)

    assert services.queue_missing_join_links(now=STARTS_AT - timedelta(days=6)) == 2


@pytest.mark.parametrize("count", [1, 3])
def test_the_sweep_costs_the_same_for_one_and_three(count: int) -> None:
    admission = AdmissionFactory()
    MeetingFactory(session=admission.session)
    RegistrationFactory.create_batch(count, admission=admission)

    with CaptureQueriesContext(connection) as queries:
        services.queue_missing_join_links(now=OPENS_AT)

    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
    assert len(statements) == 4  # admissions, a batch, their messages, no further batch


def test_the_sweep_goes_on_after_a_full_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "_BATCH", 2)
    RegistrationFactory.create_batch(5, admission=AdmissionFactory())

    assert services.queue_missing_join_links(now=OPENS_AT) == 5
    assert Message.objects.count() == 5


def test_answers_to_forms_are_forgotten_after_a_week() -> None:
    for days, key in ((7, b"old"), (6, b"new")):
        IdempotencyKey.objects.create(
            scope="register", key_hash=key, body_hash=b"", created_at=NOW - timedelta(days=days, seconds=1)
        )

    assert services.forget_old_idempotency_keys(now=NOW) == 1
    assert [bytes(row.key_hash) for row in IdempotencyKey.objects.all()] == [b"new"]


@pytest.mark.parametrize(
    "task", [tasks.promote_into_free_places, tasks.queue_missing_join_links, tasks.forget_old_idempotency_keys]
)
def test_tasks_may_run_twice_and_stand_in_the_schedule(task: object) -> None:
    RegistrationFactory()

    assert callable(task)
    task()
    task()

    name: str = getattr(task, "name", "")
    assert name in app.tasks
    assert name in {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
