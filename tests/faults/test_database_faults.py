"""PostgreSQL's sessions terminated in the middle of transactions, and the whole server killed and started again."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from outbox import postman, services
from outbox.models import Budget, Message, MessageState
from tests.faults import topic
from tests.faults.conftest import ids_of, queue_at_once, ring_until, start_processes
from tests.faults.table import Found
from tests.house import House
from tests.services import servers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]


class Saboteur:
    """Terminates other sessions of the database, again and again: all of them, or each with a chance of `share`."""

    def __init__(self, every: float, *, share: float = 1.0) -> None:
        self.every = every
        self.share = share
        self.hits = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Saboteur:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        try:
            while not self._over.wait(self.every):
                with connection.cursor() as cursor:
                    cursor.execute(
                        "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < %s",
                        [self.share],
                    )
                    self.hits += cursor.fetchone()[0]
        finally:
            connection.close()


def queue_with_causes(count: int) -> int:
    """Write causes and their messages, a transaction each; how many transactions were cut off. Nobody asks again."""
    cut = 0
    now = datetime.now(UTC) - timedelta(minutes=1)
    for _ in range(count):
        about = uuid4()
        try:
            with transaction.atomic():
                Budget.objects.create(destination=str(about), minute=now)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(0.02)")  # the rest of a request
                services.queue(
                    [services.message(topic=topic.TOPIC, about_kind="test", about_id=about, key=str(about), now=now)]
                )
        except (OperationalError, InterfaceError):
            cut += 1
            connection.close()
    return cut


def again(read: Callable[[], object]) -> object:
    """What a statement answers; asked again on a new connection where the old one has been cut."""
    with suppress(DatabaseError, InterfaceError):
        return read()
    connection.close()
    return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.fault(
    "PostgreSQL sessions terminated in mid-transaction",
    how="pg_terminate_backend on all sessions every 0.3 s while 150 causes with messages are written and 300 leave",
    expected="no cause without message, none without cause, 0 lost; at most one copy for each session of a worker",
)
def test_sessions_terminated_while_messages_are_written_and_leave(outbox_house: House, found: Found) -> None:
    """Guard: the message stands in the transaction of its cause (in one of its own, causes were left without)."""
    running = outbox_house
    running.environment["TEST_MAIL_SECONDS"] = "0.01"
    start_processes(running)
    first = [message.key for message in queue_at_once(150)]
    with Saboteur(0.3) as saboteur:
        cut = queue_with_causes(150)
    ring_until(running, lambda: again(lambda: not Message.objects.unsent().exists()), 90)

    ids = ids_of(running)
    causes = set(Budget.objects.values_list("destination", flat=True))
    there = set(Message.objects.values_list("key", flat=True)) - set(first)
    copies = len(ids) - len(set(ids))
    found(
        f"{saboteur.hits} sessions cut, {cut} of them in the 150 transactions; {len(causes - there)} causes without "
        f"message, {len(there - causes)} without cause, {150 + len(causes) - len(set(ids))} lost of "
        f"{150 + len(causes)}, {copies} copies (same Message-ID)"
    )
    assert cut > 0
    assert causes == there
    assert len(causes) >= 150 - cut
    assert set(ids) == {postman.message_id(key) for key in [*first, *causes]}
    assert copies <= saboteur.hits - cut
    assert not Message.objects.exclude(state=MessageState.SENT).exists()


@pytest.mark.fault(
    "PostgreSQL killed and restarted",
    how="SIGKILL to its main process in a drain of 200 messages, started again after 2 s, twice",
    expected="worker lives and goes on; 0 lost, at most one copy for each process and restart",
)
def test_postgresql_killed_in_a_drain(own_house: House, found: Found) -> None:
    """Guard: the claim of leases that ran out (without it what was leased in the crash never left)."""
    running = own_house
    running.environment["TEST_MAIL_SECONDS"] = "0.03"
    start_processes(running)
    messages = queue_at_once(200)
    worker = running.processes["worker"]
    slowest = 0.0
    for mails in (30, 100):
        ring_until(running, lambda mails=mails: len(running.mails()) >= mails, 60)  # type: ignore[misc]
        os.kill(running.postgres.pid, signal.SIGKILL)
        servers.stop_process(running.postgres.process, signal.SIGINT, 5)
        connection.close()
        time.sleep(2)
        running.postgres.start()
        back, before = time.monotonic(), len(running.mails())
        ring_until(running, lambda before=before: len(running.mails()) > before, 60)  # type: ignore[misc]
        slowest = max(slowest, time.monotonic() - back)
    ring_until(running, lambda: again(lambda: not Message.objects.unsent().exists()), 60)

    ids = ids_of(running)
    copies = len(ids) - len(set(ids))
    found(
        f"{200 - len(set(ids))} lost, {copies} copies (same Message-ID); mail again {slowest:.1f} s after the restart"
    )
    assert worker.poll() is None
    assert set(ids) == {postman.message_id(message.key) for message in messages}
    assert copies <= 2 * 2
    assert not Message.objects.exclude(state=MessageState.SENT).exists()
