"""Queueing, sending again, holding, and the figures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from outbox import services, topics
from outbox.delivery import Lease, drain
from outbox.models import Message, MessageState, Outage, WorkerHeartbeat
from outbox.postman import message_id
from tests.factories import NOW
from tests.outbox.conftest import TOPIC, Handler, mail_for, queued, row

pytestmark = pytest.mark.django_db

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def test_message_leaves_at_once_and_is_tried_for_a_week(handler: Handler) -> None:
    message = services.message(topic=TOPIC, about_kind="test", about_id=uuid4(), key="k", now=NOW)

    assert (message.due_at, message.next_attempt_at, message.created_at) == (NOW, NOW, NOW)
    assert message.deadline_at == NOW + 7 * DAY
    assert (message.group, message.state) == ("mail", MessageState.QUEUED)


def test_message_due_later_has_its_week_from_then(handler: Handler) -> None:
    message = services.message(topic=TOPIC, about_kind="test", about_id=uuid4(), key="k", now=NOW, due_at=NOW + DAY)

    assert (message.created_at, message.due_at, message.deadline_at) == (NOW, NOW + DAY, NOW + 8 * DAY)


def test_message_of_an_unknown_topic_is_a_mistake() -> None:
    with pytest.raises(topics.UnknownTopic):
        services.message(topic="test.mial", about_kind="test", about_id=uuid4(), key="k", now=NOW)


def test_queue_takes_the_same_key_once_in_one_statement(handler: Handler, django_assert_num_queries: Any) -> None:
    def message(key: str) -> Message:
        return services.message(topic=TOPIC, about_kind="test", about_id=uuid4(), key=key, now=NOW)

    services.queue([message("a")])
    first = Message.objects.get()

    with django_assert_num_queries(1):
        services.queue([message("a"), message("b"), message("b")])

    assert sorted(Message.objects.values_list("key", flat=True)) == ["a", "b"]
    assert Message.objects.get(key="a").about_id == first.about_id


def test_queue_of_nothing_does_nothing(django_assert_num_queries: Any, silent_doorbell: list[int]) -> None:
    with django_assert_num_queries(0):
        services.queue([])


def test_queue_rings_after_the_commit_once(
    handler: Handler, silent_doorbell: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        queued(3)
        assert silent_doorbell == []

    assert silent_doorbell == [1]


def test_queue_does_not_ring_for_what_is_due_later(
    handler: Handler, silent_doorbell: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    later = services.message(topic=TOPIC, about_kind="test", about_id=uuid4(), key="k", now=NOW, due_at=NOW + DAY)
    with django_capture_on_commit_callbacks(execute=True):
        services.queue([later])

    assert silent_doorbell == []


@pytest.mark.django_db(transaction=True)
def test_queue_in_a_transaction_that_fails_leaves_nothing(handler: Handler, silent_doorbell: list[int]) -> None:
    def fail() -> None:
        with transaction.atomic():
            queued()
            raise LookupError

    with pytest.raises(LookupError):
        fail()

    assert not Message.objects.exists()
    assert silent_doorbell == []


# --- what an organiser may do ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [MessageState.DEAD, MessageState.SUPERSEDED, MessageState.HELD])
def test_send_again_starts_the_message_afresh(handler: Handler, state: str) -> None:
    (message,) = queued()
    Message.objects.update(
        state=state,
        finished_at=None if state == MessageState.HELD else NOW,
        attempts=9,
        crashes=5,
        last_error="The mail server refuses this address. (550)",
    )

    again = services.send_again(message.pk, by_user=1, now=NOW + 10 * DAY)

    assert again.pk == message.pk
    read = Message.objects.get()
    assert (read.state, read.attempts, read.crashes, read.last_error) == (MessageState.QUEUED, 0, 0, "")
    assert (read.due_at, read.deadline_at, read.finished_at) == (NOW + 10 * DAY, NOW + 17 * DAY, None)
    assert drain("mail", now=NOW + 10 * DAY).sent == 1


def test_send_again_of_a_sent_message_is_a_new_one_with_its_own_message_id(handler: Handler) -> None:
    (message,) = queued(order_key="participant:1")
    drain("mail", now=NOW)

    again = services.send_again(message.pk, by_user=1, now=NOW + DAY)
    drain("mail", now=NOW + DAY)
    third = services.send_again(again.pk, by_user=1, now=NOW + DAY)

    assert [again.key, third.key] == [f"{message.key}:again:1", f"{message.key}:again:2"]
    assert message_id(again.key) != message_id(message.key)
    assert (again.about_id, again.order_key, again.topic) == (message.about_id, "participant:1", TOPIC)
    assert Message.objects.get(pk=message.pk).state == MessageState.SENT
    assert handler.calls == [message.pk, again.pk]


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.RETRYING, MessageState.HELD])
def test_send_again_of_a_sent_message_makes_no_second_copy_while_one_is_unsent(handler: Handler, state: str) -> None:
    (message,) = queued()
    drain("mail", now=NOW)
    again = services.send_again(message.pk, by_user=1, now=NOW + DAY)
    Message.objects.filter(pk=again.pk).update(state=state)

    with pytest.raises(services.CannotSendAgain):  # a double click
        services.send_again(message.pk, by_user=1, now=NOW + DAY)

    assert Message.objects.count() == 2


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.RETRYING, MessageState.LEASED])
def test_send_again_of_what_is_on_its_way_is_refused(handler: Handler, state: str) -> None:
    (message,) = queued()
    if state == MessageState.LEASED:
        Lease("mail", now=NOW)
    else:
        Message.objects.update(state=state)

    with pytest.raises(services.CannotSendAgain):
        services.send_again(message.pk, by_user=1, now=NOW)


def test_held_messages_stay_until_they_are_released(handler: Handler) -> None:
    first, second = queued(2)

    assert services.hold([first.pk], by_user=1) == 1
    assert drain("mail", now=NOW).sent == 1
    assert services.hold([first.pk, second.pk], by_user=1) == 0
    assert services.release([first.pk, second.pk], by_user=1, now=NOW) == 1
    assert drain("mail", now=NOW).sent == 1


def test_release_sends_nothing_before_it_is_due(handler: Handler) -> None:
    message = row(topic=TOPIC, due_at=NOW + DAY, next_attempt_at=NOW + DAY)
    services.hold([message.pk], by_user=1)
    services.release([message.pk], by_user=1, now=NOW)

    assert drain("mail", now=NOW).claimed == 0
    assert drain("mail", now=NOW + DAY).sent == 1


# --- how things stand -----------------------------------------------------------------------------------------------


def test_oldest_unsent_counts_from_when_it_was_due_over_all_attempts(handler: Handler) -> None:
    assert services.oldest_unsent(NOW) is None
    row(due_at=NOW + MINUTE)
    row(due_at=NOW - 9 * MINUTE, state=MessageState.HELD)
    row(due_at=NOW - 9 * MINUTE, state=MessageState.DEAD, finished_at=NOW)
    assert services.oldest_unsent(NOW) is None
    row(due_at=NOW - 5 * MINUTE, next_attempt_at=NOW + MINUTE, state=MessageState.RETRYING)

    assert services.oldest_unsent(NOW) == 5 * MINUTE


def test_figures_tell_all(django_assert_num_queries: Any) -> None:
    row()
    row()
    row(state=MessageState.DEAD, finished_at=NOW)
    outage = Outage.objects.create(group="mail", since=NOW, next_probe_at=NOW)
    WorkerHeartbeat.objects.create(name="a", seen_at=NOW - DAY)
    WorkerHeartbeat.objects.create(name="b", seen_at=NOW - MINUTE)

    with django_assert_num_queries(4):
        figures = services.figures(NOW + MINUTE)

    assert figures == services.Figures(
        counts={"queued": 2, "leased": 0, "retrying": 0, "sent": 0, "held": 0, "dead": 1, "superseded": 0},
        oldest_unsent=MINUTE,
        outages=(outage,),
        worker_seen_at=NOW - MINUTE,
    )


def test_handlers_mail_has_no_personal_data_in_the_row(handler: Handler) -> None:
    """What identifies a person comes from the handler at sending and is not kept."""
    (message,) = queued()
    drain("mail", now=NOW)

    row = Message.objects.values().get()
    assert mail_for(message).to not in str(row)
