"""Who may send a message: leases, taken over, let go and never held by two."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as django_mail
from django.db import IntegrityError, OperationalError, connection, transaction

from outbox.delivery import Lease, Report, drain, leases
from outbox.models import Message, MessageState
from outbox.results import Mail
from tests.factories import NOW
from tests.outbox.conftest import MINUTE, SECOND, Handler, address, mail_for, queued, reread, state_of

pytestmark = pytest.mark.django_db


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
