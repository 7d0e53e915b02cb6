"""Workers: signs of life, the task, the command, and draining without Redis."""

from __future__ import annotations

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from outbox import services, tasks, workers
from outbox.models import Message, MessageState, WorkerHeartbeat
from outbox.results import Mail
from tests.outbox.conftest import Handler, mail_for, queued
from tests.services import wait_until

PAST = datetime.now(UTC) - timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts as a new process would."""
    monkeypatch.setattr(workers, "_last_seen", {})
    monkeypatch.setattr(workers, "stopping", workers.SharedFlag())


@pytest.mark.django_db
def test_seen_writes_one_row_a_worker_at_most_every_five_seconds(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    workers.seen("a@host/1")
    workers.seen("b@host/2")
    first = WorkerHeartbeat.objects.get(name="a@host/1").seen_at
    with django_assert_num_queries(0):
        workers.seen("a@host/1")
    clock[0] += 5

    workers.seen("a@host/1")

    assert WorkerHeartbeat.objects.count() == 2
    assert WorkerHeartbeat.objects.get(name="a@host/1").seen_at >= first


@pytest.mark.django_db
def test_seen_forgets_workers_of_yesterday() -> None:
    WorkerHeartbeat.objects.create(name="old", seen_at=datetime.now(UTC) - timedelta(days=1, minutes=1))
    WorkerHeartbeat.objects.create(name="young", seen_at=datetime.now(UTC) - timedelta(hours=23))

    workers.seen("new")

    assert sorted(WorkerHeartbeat.objects.values_list("name", flat=True)) == ["new", "young"]


@pytest.mark.django_db
def test_task_drains_and_shows_a_sign_of_life(handler: Handler) -> None:
    (message,) = queued(now=PAST)

    tasks.drain()

    assert Message.objects.get(pk=message.pk).state == MessageState.SENT
    assert WorkerHeartbeat.objects.get().name.startswith("worker/")


@pytest.mark.django_db
def test_task_ends_early_when_the_worker_is_to_stop(handler: Handler) -> None:
    queued(now=PAST)
    workers.stop_soon()

    tasks.drain()

    assert Message.objects.get().state == MessageState.QUEUED


@pytest.mark.django_db
def test_task_stopped_in_a_batch_gives_the_rest_back(handler: Handler) -> None:
    def stop(message: Message, now: datetime) -> Mail:
        workers.stop_soon()
        return mail_for(message)

    handler.does = stop
    queued(3, now=PAST)

    tasks.drain()

    assert sorted(Message.objects.values_list("state", flat=True)) == ["queued", "queued", "sent"]


def test_stopping_is_seen_by_processes_forked_before() -> None:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        while not workers.stopping.is_set():
            time.sleep(0.01)
        os.write(writer, b"seen")
        os._exit(0)
    try:
        workers.stop_soon()
        assert os.read(reader, 4) == b"seen"
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)
        os.close(writer)


@pytest.mark.django_db
def test_command_drains(handler: Handler, capsys: pytest.CaptureFixture[str]) -> None:
    queued(2, now=PAST)

    call_command("drain_outbox")

    assert capsys.readouterr().out == (
        "2 sent, 0 no longer needed, 0 to be tried again, 0 given up, 0 kept because the other side does not answer.\n"
    )


@pytest.mark.django_db
def test_nobody_drains_goes_by_the_signs_of_life() -> None:
    assert workers.nobody_drains()
    WorkerHeartbeat.objects.create(name="a", seen_at=datetime.now(UTC) - timedelta(seconds=20))
    assert workers.nobody_drains()
    workers.seen("b")
    assert not workers.nobody_drains()


@pytest.mark.django_db(transaction=True)
def test_worker_without_tasks_drains_by_itself(handler: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "LOOK_EVERY", 0.05)
    failures = [RuntimeError()]

    def drain_all(**values: Any) -> Any:
        if failures:  # whatever happens once, the thread goes on
            raise failures.pop()
        return real(**values)

    real = services.drain_all
    monkeypatch.setattr(services, "drain_all", drain_all)
    monkeypatch.setattr(workers, "ALONE_AFTER", timedelta(0))
    queued(2, now=PAST)
    worker = SimpleNamespace(hostname="celery@host")
    step = workers.LookBySelf(worker)

    step.start(worker)
    try:
        wait_until(lambda: Message.objects.filter(state=MessageState.SENT).count() == 2, 10, lambda: "not sent")
    finally:
        step.stop(worker)
        connection.close()

    assert step._thread is not None
    assert not step._thread.is_alive()
