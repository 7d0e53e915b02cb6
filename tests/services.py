"""Early pytest plugin: real PostgreSQL and Redis for the tests, and a real SMTP server to send to.

It is named first in pytest's options, because pytest-django reads the settings before any conftest.py: the servers must
run, and their addresses be in the environment, when this module is imported. Only the controlling process starts them;
xdist's workers inherit the environment. Set DATABASE_URL or REDIS_URL to test against a server of your own.

    ALLIANCE_TEST_POSTGRES_PID, ALLIANCE_TEST_REDIS_PID   process ids of our servers, for tests that freeze them
"""

import asyncio
import atexit
import contextlib
import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings

ROOT = Path(__file__).resolve().parent.parent


def _load_servers() -> ModuleType:
    """alliance/servers by its path: importing the package would import the settings through Celery."""
    spec = importlib.util.spec_from_file_location("alliance_servers", ROOT / "alliance" / "servers" / "__init__.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("alliance/servers is missing")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


servers = _load_servers()
_running = contextlib.ExitStack()
atexit.register(_running.close)  # for programs that import this without being pytest


def _start() -> None:
    """Start what the environment does not name, and put settings for tests into the environment."""
    wanted_postgres = "DATABASE_URL" not in os.environ
    wanted_redis = "REDIS_URL" not in os.environ
    for name, value in servers.trial_environment().items():
        os.environ.setdefault(name, value)
    os.environ["STATICFILES_BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    if not (wanted_postgres or wanted_redis):
        return
    directory = _running.enter_context(servers.temporary_directory("alliance-test-"))
    postgres, redis = servers.test_servers(directory)
    if wanted_postgres:
        _running.callback(postgres.stop, 5)
        postgres.start()
        os.environ["DATABASE_URL"] = postgres.url
        os.environ["ALLIANCE_TEST_POSTGRES_PID"] = str(postgres.pid)
    if wanted_redis:
        _running.callback(redis.stop, 5)
        redis.start()
        os.environ["REDIS_URL"] = redis.url
        os.environ["ALLIANCE_TEST_REDIS_PID"] = str(redis.pid)


if "PYTEST_XDIST_WORKER" not in os.environ:
    try:
        _start()
    except servers.ServerError as error:
        _running.close()
        raise pytest.UsageError(str(error)) from error


def pytest_unconfigure() -> None:
    """Stop the servers and delete their data."""
    _running.close()


# --- the test database ----------------------------------------------------------------------------------------------


def database_url() -> str:
    """The DATABASE_URL of the database that the present test uses, for programs that the test starts."""
    from urllib.parse import quote

    from django.db import connection

    parts = connection.settings_dict
    host = str(parts["HOST"] or _option_host())
    user = quote(str(parts["USER"] or ""), safe="")
    if parts["PASSWORD"]:
        user += ":" + quote(str(parts["PASSWORD"]), safe="")
    if host.startswith("/"):
        return f"postgres://{user}@/{parts['NAME']}?host={host}"
    return f"postgres://{user}@{host}:{parts['PORT'] or 5432}/{parts['NAME']}"


def _migrations() -> str:
    """A name for the present set of migrations."""
    found = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def migrated_template() -> str | None:
    """The name of a database that has all migrations, to copy test databases from; made by whoever comes first.

    Migrating costs seconds, and every xdist worker would repeat it; a copy costs 0.1 s. None with a server of the
    user's own, where nothing of ours should stay behind.
    """
    from django.core.management import call_command
    from django.db import connection

    if "ALLIANCE_TEST_POSTGRES_PID" not in os.environ:
        return None
    name = f"template_{_migrations()}"
    own_name = connection.settings_dict["NAME"]
    lock = servers.Lock(Path(str(connection.settings_dict["HOST"] or _option_host())).parent / f"{name}.lock")
    if not lock.take(120):
        raise RuntimeError("another worker has been migrating for two minutes")
    try:
        with connection._nodb_cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if cursor.fetchone():
                return name
            cursor.execute(f"CREATE DATABASE {name}_draft")
        connection.close()
        connection.settings_dict["NAME"] = f"{name}_draft"
        call_command("migrate", verbosity=0, interactive=False)
        connection.close()
        connection.settings_dict["NAME"] = own_name
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {name}_draft RENAME TO {name}")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = own_name
        lock.release()
    return name


def _option_host() -> str:
    from django.db import connection

    return str(connection.settings_dict["OPTIONS"].get("host", ""))


# --- a mail server --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Received:
    """One message as it came over the wire."""

    sender: str
    recipients: list[str]
    raw: bytes
    at: float = field(default_factory=time.time)

    @property
    def message(self) -> EmailMessage:
        """The parsed message."""
        parsed = message_from_bytes(self.raw, policy=policy.default)
        if not isinstance(parsed, EmailMessage):
            raise TypeError("not an EmailMessage")
        return parsed

    @property
    def message_id(self) -> str:
        """Its Message-ID: copies of one message share it."""
        return str(self.message["Message-ID"])


class SmtpSink:
    """A real SMTP server on the loopback address that keeps what it is given, and misbehaves on demand.

    mode:
        "accept"       keep the message and say 250
        "tempfail"     451, try again later
        "reject"       550, never
        "drop"         close the connection at DATA, keeping nothing
        "lose-answer"  keep the message and close the connection without an answer: the sender cannot know
        "hang"         wait `delay` seconds before the answer
    refused: addresses that are answered with 550 at RCPT.
    """

    def __init__(self) -> None:
        self.mode = "accept"
        self.delay = 60.0
        self.refused: set[str] = set()
        self.messages: list[Received] = []
        self.port = servers.free_port()
        self._controller: Any = None

    @property
    def url(self) -> str:
        """The EMAIL_URL of this server."""
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; after stop() on the same port again."""
        from aiosmtpd.controller import Controller

        self._controller = Controller(self, hostname="127.0.0.1", port=self.port, ready_timeout=10)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening: senders get a refused connection."""
        if self._controller is not None:
            self._controller.stop(no_assert=True)
            self._controller = None

    def clear(self) -> None:
        """Forget what came."""
        self.messages.clear()

    def to(self, address: str) -> list[Received]:
        """The messages for one address, in the order they came."""
        return [message for message in self.messages if address in message.recipients]

    def wait_for(self, count: int, seconds: float = 20.0) -> list[Received]:
        """Wait until `count` messages are here. Raises AssertionError saying how many came."""
        wait_until(
            lambda: len(self.messages) >= count, seconds, lambda: f"{len(self.messages)} of {count} messages came"
        )
        return list(self.messages)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """aiosmtpd's hook for one recipient."""
        if address in self.refused:
            return "550 5.1.1 No such user"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """aiosmtpd's hook for one message."""
        if self.mode == "tempfail":
            return "451 4.3.0 Try again later"
        if self.mode == "reject":
            return "550 5.7.1 Not wanted"
        if self.mode == "drop":
            server.transport.close()
            return "421 4.3.0 Closing"
        if self.mode == "hang":
            await asyncio.sleep(self.delay)
        content = envelope.content if isinstance(envelope.content, bytes) else envelope.content.encode()
        self.messages.append(Received(envelope.mail_from, list(envelope.rcpt_tos), content))
        if self.mode == "lose-answer":
            server.transport.close()
        return "250 2.0.0 Kept"


@pytest.fixture
def smtp_sink(settings: "Settings") -> Iterator[SmtpSink]:
    """A real mail server of the test's own; Django sends to it during the test."""
    sink = SmtpSink()
    sink.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = sink.port
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield sink
    sink.stop()


def wait_until(condition: Callable[[], object], seconds: float, what: Callable[[], str]) -> None:
    """Wait until the condition holds. Raises AssertionError with what() after `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"{what()} in {seconds} s")
        time.sleep(0.02)
