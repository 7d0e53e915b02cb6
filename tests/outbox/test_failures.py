"""Messages that cannot leave, and ways out that do not answer."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from django.db import OperationalError

from outbox.delivery import Lease, Report, attempts, drain
from outbox.models import Message, MessageState, Outage
from outbox.results import Mail, Permanent, Temporary, Unreachable
from tests.factories import NOW
from tests.outbox.conftest import HOUR, MINUTE, SECOND, Handler, mail_for, queued, reread, row, state_of

pytestmark = pytest.mark.django_db


# --- failures ------------------------------------------------------------------------------------------------------


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
    assert dead.last_error.startswith("The program failed over this message. (ValueError in test_failures.py:")
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


# --- outages -------------------------------------------------------------------------------------------------------


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
