"""How messages leave: claims, leases, order, failures, outages."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail as django_mail
from django.db import IntegrityError, OperationalError, connection, transaction

from outbox import topics
from outbox.delivery import Lease, Report, attempts, drain, drain_all, leases
from outbox.models import Message, MessageState, Outage
from outbox.results import Done, Mail, Permanent, Superseded, Temporary, Unreachable
from tests.factories import NOW
from tests.outbox.conftest import TOPIC, Handler, address, mail_for, queued, row

pytestmark = pytest.mark.django_db

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def state_of(message: Message) -> str:
    """Its state in the database."""
    return str(Message.objects.values_list("state", flat=True).get(pk=message.pk))


def reread(message: Message) -> Message:
    """The message as it is in the database."""
    return Message.objects.get(pk=message.pk)


# --- sending --------------------------------------------------------------------------------------------------------


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


# --- order ----------------------------------------------------------------------------------------------------------


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


# --- leases ---------------------------------------------------------------------------------------------------------


def test_lease_that_ran_out_is_taken_over(handler: Handler) -> None:
    (message,) = queued()
    Lease("mail", now=NOW)  # and its worker is killed

    assert drain("mail", now=NOW + 59 * SECOND).claimed == 0
    assert drain("mail", now=NOW + 60 * SECOND).sent == 1
    assert (reread(message).state, reread(message).crashes) == (MessageState.SENT, 1)


def test_messages_of_a_lost_worker_come_one_by_one(handler: Handler) -> None:
    queued(3)
    Lease("mail", now=NOW)

    assert [len(Lease("mail", now=NOW + MINUTE).messages) for _ in range(4)] == [1, 1, 1, 0]


def test_late_worker_cannot_write_over_its_successor(handler: Handler) -> None:
    """The fence: without `lease_token` in finish() the late worker's "dead" would stand."""
    (message,) = queued()
    late = Lease("mail", now=NOW)
    successor = Lease("mail", now=NOW + MINUTE)

    assert not late.finish(message, MessageState.DEAD, finished_at=NOW)
    assert late.release([message]) == 0
    assert late.renew() == set()
    assert successor.finish(message, MessageState.SENT, finished_at=NOW + MINUTE)
    assert not late.finish(message, MessageState.DEAD, finished_at=NOW)
    assert state_of(message) == MessageState.SENT


def test_worker_that_was_frozen_does_not_begin_what_was_taken_from_it(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = queued(2)

    def freeze(message: Message, now: datetime) -> Mail:
        if handler.calls == [first.pk]:  # the process is stopped here for two minutes; another worker takes the second
            assert {message.pk for message in Lease("mail", now=NOW + 2 * MINUTE).messages} == {first.pk}
            assert {message.pk for message in Lease("mail", now=NOW + 2 * MINUTE).messages} == {second.pk}
            monkeypatch.setattr(time, "monotonic", lambda: time.perf_counter() + 10_000_000)
        return mail_for(message)

    handler.does = freeze

    report = drain("mail", now=NOW)

    assert handler.calls == [first.pk]
    assert report == Report(claimed=2, lost=2)


def test_lease_is_renewed_while_the_worker_lives(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.3))
    renewed = threading.Event()
    monkeypatch.setattr(Lease, "renew", lambda self: renewed.set())
    queued(now=datetime(2020, 1, 1, tzinfo=UTC))

    with Lease("mail") as lease:
        lease.begin(lease.messages[0])
        assert renewed.wait(5)
    assert lease._keeper is not None
    assert not lease._keeper.is_alive()


def test_lease_is_let_go_when_one_try_takes_for_ever(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE", timedelta(seconds=0.15))
    monkeypatch.setattr(leases, "LONGEST_TRY", timedelta(0))
    monkeypatch.setattr(Lease, "renew", lambda self: pytest.fail("renewed"))
    queued(now=datetime(2020, 1, 1, tzinfo=UTC))

    with Lease("mail") as lease:
        lease._try_began = 0.0
        assert lease._keeper is not None
        lease._keeper.join(5)
        assert not lease._keeper.is_alive()


def test_drain_interrupted_gives_back_what_it_has_not_begun(handler: Handler) -> None:
    def interrupt(message: Message, now: datetime) -> Mail:
        raise KeyboardInterrupt

    handler.does = interrupt
    messages = queued(3)

    with pytest.raises(KeyboardInterrupt):
        drain("mail", now=NOW)

    assert [state_of(message) for message in messages] == [MessageState.QUEUED] * 3


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_guarded", [True, False], ids=["skip-locked", "control"])
def test_two_drains_send_each_message_once(handler: Handler, monkeypatch: pytest.MonkeyPatch, is_guarded: bool) -> None:
    """The control takes the row locks out of the claim and must show doubles, or the race would prove nothing.

    In both, each claim stops for a moment between choosing its rows and leasing them.
    """
    claim = leases._CLAIM_DUE.replace(
        "UPDATE outbox_message m",
        ", pause AS MATERIALIZED (SELECT pg_sleep(0.02) FROM (SELECT count(*) FROM due) AS chosen)\n"
        "UPDATE outbox_message m",
    ).replace("FROM due\n WHERE", "FROM due, pause\n WHERE")
    if not is_guarded:
        claim = claim.replace("FOR UPDATE OF m SKIP LOCKED", "")
    monkeypatch.setattr(leases, "_CLAIM_DUE", claim)
    messages = queued(200)
    gate = threading.Barrier(2, timeout=10)

    def work(_: int) -> Report | None:
        try:
            gate.wait()
            return drain("mail", now=NOW)
        except IntegrityError:  # a row that is sent already cannot be leased again: the table's own guard
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(work, range(2)))

    sent = [mail.to[0] for mail in django_mail.outbox]
    if is_guarded:
        assert sorted(sent) == sorted(address(message.about_id) for message in messages)
        assert [report.lost for report in reports if report] == [0, 0]
    else:
        assert len(sent) > len(set(sent)) or None in reports


@pytest.mark.django_db(transaction=True)
def test_drain_inside_a_transaction_is_a_mistake(handler: Handler) -> None:
    """Its leases would be seen by nobody until the end of that transaction."""
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        drain("mail", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_drain_survives_the_loss_of_its_database_connection(handler: Handler) -> None:
    def cut(message: Message, now: datetime) -> Mail:
        if len(handler.calls) == 2:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return mail_for(message)

    handler.does = cut
    queued(3)

    with pytest.raises(OperationalError):
        drain("mail", now=NOW)
    report = drain("mail", now=NOW)  # what was left had been given back, on a new connection

    assert report == Report(claimed=2, sent=2)
    assert len(django_mail.outbox) == 3


@pytest.mark.django_db(transaction=True)
def test_claim_takes_no_more_than_its_limit(handler: Handler) -> None:
    queued(50)

    assert [len(Lease("mail", now=NOW).messages) for _ in range(4)] == [20, 20, 10, 0]


# --- failures -------------------------------------------------------------------------------------------------------


def test_temporary_failure_is_tried_again_with_growing_jitter(
    handler: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise Temporary("Try later.")

    def longest(low: float, high: float) -> float:
        waits.append(high)
        return high

    waits: list[float] = []
    monkeypatch.setattr(random, "uniform", longest)
    handler.does = fail
    (message,) = queued()

    now = NOW
    for _ in range(9):
        assert drain("mail", now=now).retried == 1
        now = reread(message).next_attempt_at

    assert waits == [30, 60, 120, 240, 480, 960, 1800, 1800, 1800]
    retried = reread(message)
    assert (retried.state, retried.attempts, retried.last_error) == (MessageState.RETRYING, 9, "Try later.")


def test_temporary_failure_may_name_the_time_of_the_next_try(handler: Handler) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise Temporary(retry_at=NOW + 3 * HOUR)

    handler.does = fail
    (message,) = queued()

    drain("mail", now=NOW)

    assert reread(message).next_attempt_at == NOW + 3 * HOUR


def test_message_is_given_up_at_its_deadline_with_the_last_reason(handler: Handler) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise Temporary("The mail server asks to try later. (451)", retry_at=NOW + 30 * timedelta(days=1))

    handler.does = fail
    (message,) = queued()

    drain("mail", now=NOW)
    assert reread(message).next_attempt_at == message.deadline_at == NOW + timedelta(days=7)
    report = drain("mail", now=message.deadline_at)

    assert report == Report(claimed=1, dead=1)
    assert len(handler.calls) == 1
    assert reread(message).last_error == "It could not be sent in time. The mail server asks to try later. (451)"


def test_permanent_failure_is_dead_with_its_reason_and_without_the_address(handler: Handler) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise Permanent("No mailbox ada@people.example there.")

    handler.does = fail
    (message,) = queued()

    assert drain("mail", now=NOW).dead == 1
    assert reread(message).last_error == "No mailbox (address) there."


def test_poison_is_given_up_after_five_crashes_and_delays_nobody(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    poison, *others = queued(41)

    def crash(message: Message, now: datetime) -> Mail:
        if message.pk == poison.pk:
            raise ValueError("ada@people.example has no name")
        return mail_for(message)

    handler.does = crash

    reports = [drain("mail", now=max(NOW, reread(poison).next_attempt_at)) for _ in range(6)]

    assert reports[0] == Report(claimed=41, sent=40, retried=1)
    assert [report.dead for report in reports] == [0, 0, 0, 0, 1, 0]
    assert {state_of(message) for message in others} == {MessageState.SENT}
    dead = reread(poison)
    assert (dead.state, dead.crashes, dead.attempts) == (MessageState.DEAD, 5, 5)
    assert dead.last_error.startswith("The program failed over this message. (ValueError in test_delivery.py:")
    assert "ada" not in dead.last_error
    assert "ada" not in caplog.text


def test_message_that_kills_its_workers_is_given_up(handler: Handler) -> None:
    (message,) = queued()
    for minute in range(6):
        Lease("mail", now=NOW + minute * MINUTE)  # killed by the system for its memory, say

    report = drain("mail", now=NOW + 6 * MINUTE)

    assert report == Report(claimed=1, dead=1)
    assert handler.calls == []
    assert reread(message).last_error == attempts.KILLED


def test_topic_without_handler_waits_for_a_version_that_knows_it(handler: Handler) -> None:
    message = row(topic="test.unknown")

    assert drain("mail", now=NOW) == Report(claimed=1, retried=1)
    assert reread(message).crashes == 0


def test_busy_database_is_not_the_fault_of_the_message(handler: Handler) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise OperationalError("canceling statement due to lock timeout")

    handler.does = fail
    (message,) = queued()

    assert drain("mail", now=NOW).retried == 1
    assert reread(message).crashes == 0


def test_answer_of_a_wrong_kind_is_a_crash(handler: Handler) -> None:
    handler.does = lambda message, now: None  # type: ignore[assignment,return-value]
    queued()

    assert drain("mail", now=NOW).retried == 1
    assert Message.objects.get().crashes == 1


# --- outages --------------------------------------------------------------------------------------------------------


def test_way_out_that_does_not_answer_costs_one_probe_every_half_minute(handler: Handler) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise Unreachable("The mail server does not answer.")

    handler.does = fail
    messages = queued(60)

    for second in range(0, 600, 5):
        drain("mail", now=NOW + second * SECOND)

    assert len(handler.calls) == 20  # ten minutes
    assert {(state_of(message), reread(message).attempts) for message in messages} == {(MessageState.QUEUED, 0)}
    outage = Outage.objects.get()
    assert (outage.group, outage.since, outage.probes) == ("mail", NOW, 19)
    handler.does = lambda message, now: mail_for(message)
    assert drain("mail", now=NOW + 10 * MINUTE).sent == 60
    assert not Outage.objects.exists()


def test_outage_of_one_way_out_does_not_stop_another(handler: Handler) -> None:
    Outage.objects.create(group="zoom", since=NOW, next_probe_at=NOW + HOUR)
    queued()

    assert drain("mail", now=NOW).sent == 1
    assert Outage.objects.count() == 1


def test_during_an_outage_what_comes_too_late_is_given_up(handler: Handler) -> None:
    late, other = queued(2)
    Message.objects.filter(pk=late.pk).update(deadline_at=NOW)
    Outage.objects.create(group="mail", since=NOW, next_probe_at=NOW + HOUR)

    drain("mail", now=NOW)

    assert [state_of(late), state_of(other)] == [MessageState.DEAD, MessageState.QUEUED]


def test_refused_message_shows_that_the_way_out_works(handler: Handler) -> None:
    def fail(message: Message, now: datetime) -> Mail:
        raise Permanent("The mail server refuses this address. (550)")

    handler.does = fail
    Outage.objects.create(group="mail", since=NOW, next_probe_at=NOW)
    queued()

    drain("mail", now=NOW)

    assert not Outage.objects.exists()


# --- constraints ----------------------------------------------------------------------------------------------------


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
