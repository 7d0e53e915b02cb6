"""How messages leave: what is due, in which order, and what the table refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as django_mail
from django.db import IntegrityError

from outbox import topics
from outbox.delivery import Lease, Report, drain, drain_all
from outbox.models import Message, MessageState
from outbox.results import Done, Mail, Superseded
from tests.factories import NOW
from tests.outbox.conftest import MINUTE, SECOND, TOPIC, Handler, address, mail_for, queued, reread, row, state_of

pytestmark = pytest.mark.django_db


# --- sending -------------------------------------------------------------------------------------------------------


def test_drain_sends_what_is_due(handler: Handler) -> None:
    first, second = queued(2)

    report = drain("mail", now=NOW)

    assert report == Report(claimed=2, sent=2)
    assert [mail.to for mail in django_mail.outbox] == [[address(first.about_id)], [address(second.about_id)]]
    sent = reread(first)
    assert (sent.state, sent.attempts, sent.finished_at, sent.lease_token) == (MessageState.SENT, 1, NOW, None)


def test_drain_leaves_what_is_not_due(handler: Handler) -> None:
    (message,) = queued(1, now=NOW + SECOND)

    assert drain("mail", now=NOW) == Report()
    assert state_of(message) == MessageState.QUEUED
    assert drain("mail", now=NOW + SECOND).sent == 1


def test_drain_without_an_instant_goes_by_the_clock_of_the_database(handler: Handler) -> None:
    seen: list[datetime] = []

    def note(message: Message, now: datetime) -> Mail:
        seen.append(now)
        return mail_for(message)

    handler.does = note
    past, future = queued(1, now=datetime(2020, 1, 1, tzinfo=UTC)), queued(1, now=datetime(2200, 1, 1, tzinfo=UTC))
    Message.objects.update(deadline_at=datetime(2201, 1, 1, tzinfo=UTC))

    drain("mail")

    assert [state_of(past[0]), state_of(future[0])] == [MessageState.SENT, MessageState.QUEUED]
    assert abs(seen[0] - datetime.now(UTC)) < MINUTE


def test_drain_superseded_sends_nothing(handler: Handler) -> None:
    handler.does = lambda message, now: Superseded("cancelled since")
    (message,) = queued()

    assert drain("mail", now=NOW) == Report(claimed=1, superseded=1)
    assert django_mail.outbox == []
    assert (state_of(message), reread(message).last_error) == (MessageState.SUPERSEDED, "cancelled since")


def test_drain_done_by_the_handler_is_sent(handler: Handler) -> None:
    handler.does = lambda message, now: Done()
    (message,) = queued()

    assert drain("mail", now=NOW).sent == 1
    assert (state_of(message), django_mail.outbox) == (MessageState.SENT, [])


def test_drain_leaves_other_ways_out_alone_and_drain_all_does_not(handler: Handler) -> None:
    topics.register("test.call", handler, group="zoom")
    try:
        (call,) = queued(topic="test.call")
        handler.does = lambda message, now: Done()

        assert drain("mail", now=NOW).claimed == 0
        assert drain_all(now=NOW).sent == 1
    finally:
        topics.forget("test.call")
    assert state_of(call) == MessageState.SENT


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [1, 3])
def test_drain_takes_two_statements_more_for_each_message(
    handler: Handler, count: int, django_assert_num_queries: Any
) -> None:
    """For each of two batches, of which the second is empty: outages, and a claim of BEGIN, two looks and COMMIT.

    For each message: whether a rehearsal keeps it back, asked as late as can be, and how it ended.
    """
    queued(count)

    with django_assert_num_queries((1 + 4) + 2 * count + (1 + 4)):
        drain("mail", now=NOW)


# --- order ---------------------------------------------------------------------------------------------------------


def test_messages_of_one_order_key_leave_one_after_the_other(handler: Handler) -> None:
    first, second, other = *queued(2, order_key="participant:1"), *queued(1, order_key="participant:2")

    with Lease("mail", now=NOW) as lease:
        assert [message.pk for message in lease.messages] == [first.pk, other.pk]
        assert Lease("mail", now=NOW).messages == []
        lease.finish(lease.messages[0], MessageState.SENT, finished_at=NOW)

    assert [message.pk for message in Lease("mail", now=NOW).messages] == [second.pk]


def test_message_waits_while_an_earlier_one_is_tried_again(handler: Handler) -> None:
    first, second = queued(2, order_key="participant:1")
    Message.objects.filter(pk=first.pk).update(
        state=MessageState.RETRYING, next_attempt_at=NOW + 20 * MINUTE, attempts=1
    )

    assert drain("mail", now=NOW).claimed == 0
    assert drain("mail", now=NOW + 20 * MINUTE).sent == 2
    assert handler.calls == [first.pk, second.pk]


def test_message_does_not_wait_for_an_earlier_one_that_is_due_next_month(handler: Handler) -> None:
    (reminder,) = queued(1, order_key="participant:1", now=NOW + timedelta(days=30))
    (cancellation,) = queued(1, order_key="participant:1")

    drain("mail", now=NOW)

    assert [state_of(reminder), state_of(cancellation)] == [MessageState.QUEUED, MessageState.SENT]


@pytest.mark.parametrize("state", [MessageState.HELD, MessageState.DEAD, MessageState.SENT, MessageState.SUPERSEDED])
def test_message_does_not_wait_for_an_earlier_one_that_is_finished_or_held(handler: Handler, state: str) -> None:
    first, second = queued(2, order_key="participant:1")
    Message.objects.filter(pk=first.pk).update(state=state, finished_at=None if state == MessageState.HELD else NOW)

    drain("mail", now=NOW)

    assert [state_of(first), state_of(second)] == [state, MessageState.SENT]


# --- constraints ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "lost"}, "message_state_is_known"),
        ({"state": MessageState.LEASED}, "message_lease_has_token_and_end"),
        ({"leased_until": NOW}, "message_lease_has_token_and_end"),
        ({"state": MessageState.SENT}, "message_finished_at_a_time"),
        ({"finished_at": NOW}, "message_finished_at_a_time"),
        ({"key": "the other's"}, "outbox_message_key"),
    ],
)
def test_table_refuses(values: dict[str, object], name: str) -> None:
    row(key="the other's")
    message = row()

    with pytest.raises(IntegrityError, match=name):
        Message.objects.filter(pk=message.pk).update(**values)


def test_topic_has_one_handler(handler: Handler) -> None:
    topics.register(TOPIC, handler)

    with pytest.raises(ValueError, match=TOPIC):
        topics.register(TOPIC, Handler())
