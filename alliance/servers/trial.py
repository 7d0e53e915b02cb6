"""Servers and settings for tests and measurements, thrown away in the end."""

from __future__ import annotations

import base64
import contextlib
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

from .places import temporary_directory
from .postgres import DATABASE, USER, Postgres
from .redis import Redis


def free_port() -> int:
    """A TCP port on the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def trial_environment() -> dict[str, str]:
    """Settings under which Alliance can be loaded for checks and tests: new secrets, and servers that are not there.

    What starts servers replaces DATABASE_URL, REDIS_URL and EMAIL_URL with theirs.
    """
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "SITE_URL": "http://testserver",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
        "DATABASE_URL": f"postgres://{USER}@127.0.0.1:1/{DATABASE}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "SECOND_FACTOR_REQUIRED": "0",  # most tests sign in by a short cut; those of signing in switch it on
        "DJANGO_SETTINGS_MODULE": "alliance.settings",
    }


@contextlib.contextmanager
def throw_away(prefix: str = "alliance-test-") -> Iterator[tuple[Postgres, Redis]]:
    """PostgreSQL and Redis in a temporary directory, started; stopped and deleted at the end."""
    with temporary_directory(prefix) as directory:
        postgres, redis = test_servers(directory)
        try:
            postgres.start()
            redis.start()
            yield postgres, redis
        finally:
            redis.stop()
            postgres.stop(5)


def test_servers(directory: Path) -> tuple[Postgres, Redis]:
    """Servers for tests in `directory`, not started: fast, and nothing survives a crash of the machine."""
    settings = {"max_connections": "300", "shared_buffers": "256MB", "max_wal_size": "2GB", "autovacuum_naptime": "10s"}
    return (
        Postgres(
            directory / "postgres", sockets=directory / "pg", log=directory / "postgres.log", settings=settings,
            durable=False,
        ),
        Redis(directory / "redis", sockets=directory / "rd", log=directory / "redis.log", durable=False),
    )  # fmt: skip


test_servers.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of its name
