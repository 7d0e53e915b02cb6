"""What the fault tests share: the table of what they find, and houses whose programs know the topic test.mail.

A house works on the test's own database, so its tests need `@pytest.mark.django_db(transaction=True)`; but for
`own_house`, which brings a PostgreSQL of its own that may be stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import environ
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker, Settings

from outbox import doorbell, services, topics
from outbox.models import Message
from tests.faults import table, topic
from tests.house import House, house
from tests.services import database_url, wait_until

ROWS = pytest.StashKey[list[table.Row]]()
FOUND = pytest.StashKey[table.Found]()


@pytest.fixture
def found(request: pytest.FixtureRequest) -> table.Found:
    """Where a test says what it has measured, for the table."""
    made = table.Found([marker.args[0] for marker in _faults(request.node)])
    request.node.stash[FOUND] = made
    return made


def _faults(item: pytest.Item) -> list[pytest.Mark]:
    """The markers of a test, in the order of reading."""
    return list(reversed(list(item.iter_markers("fault"))))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take the rows of each test into the table; who passes without having measured fails."""
    report = yield
    markers = _faults(item)
    if not markers or (report.when != "call" and report.passed) or report.when == "teardown":
        return report
    texts = item.stash[FOUND].texts if FOUND in item.stash else {}
    if report.passed and (silent := [marker.args[0] for marker in markers if marker.args[0] not in texts]):
        report.outcome, report.longrepr = "failed", f"Nothing was measured for {silent}"
    trouble = ""
    if report.failed:
        trouble = str(call.excinfo.value if call.excinfo else report.longrepr).strip().partition("\n")[0][:150]
    item.config.stash.setdefault(ROWS, []).extend(table.rows(markers, texts, report.outcome, trouble))
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table, and keep it unless only some of the tests were asked for: a part would pass for the whole."""
    if rows := config.stash.get(ROWS, []):
        terminalreporter.section("faults")
        for line in [*table.lines(rows), table.summary(rows)]:
            terminalreporter.line(line)
        if [Path(one).resolve() for one in config.args] == [Path(__file__).parent] and not config.option.keyword:
            table.keep(rows, is_short="not long" in config.option.markexpr)
            terminalreporter.line(f"Kept in {table.FILE}")


@pytest.fixture
def outbox_house(transactional_db: None, own_topic: None, settings: Settings) -> Iterator[House]:
    """A house without programs yet; this process rings its doorbell there. Killed workers' leases run out after 2 s."""
    with house(database_url=database_url(), more=_environment(settings)) as made:
        settings.CELERY_BROKER_URL = broker_url(made.redis.url)
        yield made
    connection.close()


@pytest.fixture
def own_house(django_db_blocker: DjangoDbBlocker, own_topic: None, settings: Settings) -> Iterator[House]:
    """The same with a PostgreSQL of its own, for tests that stop it. This process works on it, too, meanwhile."""
    before = dict(connection.settings_dict)
    with django_db_blocker.unblock(), house(more=_environment(settings)) as made:
        settings.CELERY_BROKER_URL = broker_url(made.redis.url)
        parts = environ.Env.db_url_config(made.environment["DATABASE_URL"])
        connection.close()
        for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
            connection.settings_dict[name] = parts.get(name, "")
        connection.settings_dict["OPTIONS"] = {**before["OPTIONS"], **parts.get("OPTIONS", {})}
        try:
            yield made
        finally:
            connection.close()
            connection.settings_dict.update(before)


def _environment(settings: Settings) -> dict[str, str]:
    """What the programs of these houses get besides."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "OUTBOX_LEASE_SECONDS": "2",
        "SECRET_KEY": settings.SECRET_KEY,  # the Message-IDs are made with it, and with the site's name
        "SITE_URL": settings.SITE_URL,
    }


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


def ids_of(running: House) -> list[str]:
    """The Message-ID of each mail that came."""
    return [str(parsed(path)["Message-ID"]) for path in running.mails()]


def ring_until(running: House, condition: Callable[[], object], seconds: float) -> None:
    """Ask for drains, as beat does it, until the condition holds. Raises AssertionError."""

    def check() -> object:
        doorbell.publish()
        time.sleep(0.1)
        return condition()

    wait_until(check, seconds, lambda: f"{len(running.mails())} mails came; the worker says: {running.log('worker')}; ")
