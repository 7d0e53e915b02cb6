"""What the outbox's fault tests share: a house whose programs know the topic test.mail, and messages for it.

The house works on the test's own database, so its tests need `@pytest.mark.django_db(transaction=True)`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import connection
from pytest_django import Settings

from outbox import services, topics
from outbox.models import Message
from tests.faults import topic
from tests.house import House, house
from tests.services import database_url, wait_until


@pytest.fixture
def outbox_house(transactional_db: None, own_topic: None, settings: Settings) -> Iterator[House]:
    """A house without programs yet; this process rings its doorbell there. Killed workers' leases run out after 2 s."""
    more = {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "OUTBOX_LEASE_SECONDS": "2",
        "SECRET_KEY": settings.SECRET_KEY,  # the Message-IDs are made with it, and with the site's name
        "SITE_URL": settings.SITE_URL,
    }
    with house(database_url=database_url(), more=more) as made:
        settings.CELERY_BROKER_URL = broker_url(made.redis.url)
        yield made
    connection.close()


@pytest.fixture
def own_topic() -> Iterator[None]:
    """The topic test.mail in this process, as in the programs."""
    topics.register(topic.TOPIC, topic.handle)
    yield
    topics.forget(topic.TOPIC)


def broker_url(redis_url: str) -> str:
    """A REDIS_URL as Celery writes it."""
    return redis_url.replace("unix://", "redis+socket://", 1).replace("?db=", "?virtual_host=", 1)


def start_processes(running: House, name: str = "worker") -> None:
    """A Celery worker with two processes, as in production, and wait until it takes tasks."""
    before = _times_ready(running, name)
    running.start(
        name, "celery", "-A", "alliance.celery:app", "worker", "--pool=prefork", "--concurrency=2",
        "--without-gossip", "--without-mingle", "-n", f"{name}@house", "--loglevel=INFO",
    )  # fmt: skip
    wait_for_worker(running, name, before=before)


def _times_ready(running: House, name: str) -> int:
    """How often a worker of that name has been ready."""
    log = running.directory / f"{name}.log"
    return log.read_text(encoding="utf-8", errors="replace").count(" ready.") if log.exists() else 0


def wait_for_worker(running: House, name: str = "worker", *, before: int = 0) -> None:
    """Until a Celery worker takes tasks; before: how often one of that name had been ready before it was started."""

    def is_ready() -> bool:
        assert running.processes[name].poll() is None, running.log(name)
        return _times_ready(running, name) > before

    wait_until(is_ready, 60, lambda: f"{name} is not ready: {running.log(name)}")


def queue(count: int, *, now: datetime | None = None) -> tuple[list[Message], float]:
    """Queue messages, each in a transaction of its own as registrations do; and the 95th percentile of its seconds."""
    # A minute ago by this machine's clock is due by the database's, should they differ.
    now = now or datetime.now(UTC) - timedelta(minutes=1)
    queued, seconds = [], []
    for _ in range(count):
        about = uuid4()
        began = time.perf_counter()
        message = services.message(topic=topic.TOPIC, about_kind="test", about_id=about, key=str(about), now=now)
        services.queue([message])
        seconds.append(time.perf_counter() - began)
        queued.append(message)
    return queued, sorted(seconds)[len(seconds) * 95 // 100 - 1]


def queue_at_once(count: int) -> list[Message]:
    """Queue messages in one statement."""
    now = datetime.now(UTC) - timedelta(minutes=1)
    queued = []
    for _ in range(count):
        about = uuid4()
        queued.append(services.message(topic=topic.TOPIC, about_kind="test", about_id=about, key=str(about), now=now))
    services.queue(queued)
    return queued


def parsed(path: Path) -> EmailMessage:
    """A kept mail."""
    mail = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def wait_for_mails(running: House, count: int, seconds: float) -> float:
    """Until that many mails are there in all; how long it took. Raises AssertionError."""
    began = time.monotonic()
    wait_until(
        lambda: len(running.mails()) >= count,
        seconds,
        lambda: f"{len(running.mails())} of {count} mails came; the worker says: {running.log('worker')}; ",
    )
    return time.monotonic() - began
