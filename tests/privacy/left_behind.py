"""What stays of the work: in Redis, in sessions, in the history of the admin, on disk, in the database's own log.

Nobody's name belongs in any of it, so somebody who may be named is put there for the search to find.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.sessions.models import Session as SignedIn
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction

from accounts.models import AuditEntry
from alliance.celery import app
from events.models import Job
from outbox import doorbell
from outbox.models import Message
from registration.models import Participant
from tests import factories
from tests.privacy.ways_out import Found

_QUEUE = "canaries"


def in_tables() -> Found:
    """Orders of work that was done or waits, the audit trail, the admin's history."""
    factories.MessageFactory(details={"planted": "Wqzjob"})
    factories.AuditEntryFactory(details={"planted": "Wqzaudit"})
    LogEntry.objects.create(user=factories.UserFactory(), object_repr="Wqzhistory", action_flag=ADDITION)
    yield "jobs", "messages", str([*Message.objects.values(), *Job.objects.values()]).encode()
    yield "audit", "entries", str(list(AuditEntry.objects.values())).encode()
    yield "history", "entries", str(list(LogEntry.objects.values())).encode()


def in_sessions() -> Found:
    """What is kept of people who are signed in; in the table it is packed."""
    planted = import_module(settings.SESSION_ENGINE).SessionStore()
    planted["note"] = "Wqzsession"
    planted.save()
    for one in SignedIn.objects.all():
        yield "sessions", "row", str(one.get_decoded()).encode()


def in_redis() -> Found:
    """Calls of the broker and the cache: all that Redis holds, names and values."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    doorbell.publish()
    cache.set("planted", "Wqzcache", 60)
    app.send_task("planted", args=["Wqzcall"], queue=_QUEUE, ignore_result=True)
    try:
        for number, name in enumerate(server.scan_iter(count=1000)):
            kind = "broker" if server.type(name) != b"string" else "cache"
            yield kind, f"key {number}", name + b"\n" + b"\n".join(_values(server, name))
    finally:
        server.delete(_QUEUE)


def _values(server: Any, name: bytes) -> Iterator[bytes]:
    match server.type(name):
        case b"string":
            yield server.get(name) or b""
        case b"list":
            yield from server.lrange(name, 0, -1)
        case b"set":
            yield from server.smembers(name)
        case b"hash":
            for pair in server.hgetall(name).items():
                yield b"=".join(pair)
        case b"zset":
            yield from server.zrange(name, 0, -1)
        case b"none":  # gone meanwhile
            return
        case other:
            pytest.fail(f"nobody reads {other!r} here")


def on_disk(directory: Path) -> Found:
    """Files that were not taken away again. directory: where all temporary files go."""
    (directory / "planted").write_text("Wqzfile", encoding="utf-8")
    for one in directory.rglob("*"):
        yield (
            "temporary files",
            str(one.relative_to(directory)),
            one.name.encode() + (one.read_bytes() if one.is_file() else b""),
        )


def in_the_databases_log(hidden: Participant) -> Found:
    """What PostgreSQL writes about statements that fail over somebody; once as it would by itself, for the control."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        log = Path(cursor.fetchone()[0]).parent / "postgres.log"
        begin = log.stat().st_size
        cursor.execute("SET log_min_error_statement = error; SET log_error_verbosity = default")
        _fail_over(hidden, "Wqzfailed")
        cursor.execute("RESET log_min_error_statement; RESET log_error_verbosity")
        _fail_over(hidden, "Qvxfailed")
    yield "database's log", log.name, log.read_bytes()[begin:]


def _fail_over(person: Participant, name: str) -> None:
    for email_index in (person.email_index, b"another"):  # twice the address, then twice the link
        copy = Participant.objects.get(pk=person.pk)
        copy.pk, copy.email_index, copy.display_name = None, email_index, name
        with pytest.raises(IntegrityError), transaction.atomic():
            copy.save(force_insert=True)
