"""Signs of life of the workers, and what they do when Redis gives them none.

A worker gets its tasks through Redis: from beat every five seconds, and from the doorbell. While Redis is away that
stops, and mail must not: a thread in each worker looks at the heartbeats in PostgreSQL, and drains itself when nobody
has for a while.
"""

from __future__ import annotations

import logging
import mmap
import os
import threading
import time
from datetime import timedelta
from typing import Any

from celery import bootsteps
from celery.signals import worker_shutting_down
from django.db import InterfaceError, OperationalError, connection
from django.db.models.functions import Now

from outbox import services
from outbox.models import WorkerHeartbeat

logger = logging.getLogger(__name__)

SEEN_EVERY = 5.0  # seconds between two signs of life of one process
LOOK_EVERY = 5.0
ALONE_AFTER = timedelta(seconds=15)
FORGOTTEN_AFTER = timedelta(days=1)


class SharedFlag:
    """A flag that a worker's main process sets and its pool sees, be that threads or processes forked later."""

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Set it. Safe in a signal handler."""
        self._byte[0] = 1

    def is_set(self) -> bool:
        """Is it set?"""
        return self._byte[0] == 1


stopping = SharedFlag()
_last_seen: dict[str, float] = {}


def seen(name: str) -> bool:
    """Write a worker's sign of life, at most every five seconds. False, so that it fits a condition."""
    before = _last_seen.get(name)
    if before is not None and time.monotonic() - before < SEEN_EVERY:
        return False
    WorkerHeartbeat.objects.update_or_create(name=name[:120], defaults={"seen_at": Now()})
    WorkerHeartbeat.objects.filter(seen_at__lt=Now() - FORGOTTEN_AFTER).delete()
    _last_seen[name] = time.monotonic()
    return False


@worker_shutting_down.connect
def stop_soon(**kwargs: object) -> None:
    """Let drains end after the message they are at, so that a restart does not have to kill them."""
    stopping.set()


def nobody_drains() -> bool:
    """Has no worker shown a sign of life for a while, by the database's clock?"""
    return not WorkerHeartbeat.objects.filter(seen_at__gt=Now() - ALONE_AFTER).exists()


class LookBySelf(bootsteps.StartStopStep):
    """The thread in a worker's main process that drains when no tasks come. Registered in alliance.celery."""

    # After the pool: a worker with processes must have forked before this thread opens a connection of its own.
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, worker: Any) -> None:
        """Begin to look."""
        name = f"{worker.hostname}/{os.getpid()}/alone"
        self._thread = threading.Thread(target=self._run, args=[name], name="outbox-look", daemon=True)
        self._thread.start()

    def stop(self, worker: Any) -> None:
        """Stop looking; a drain under way ends after the message it is at."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self, name: str) -> None:
        while not self._stop.wait(LOOK_EVERY):
            try:
                if nobody_drains():
                    logger.warning("No task has come for a while: draining without Redis")
                    seen(name)
                    services.drain_all(seconds=10, stop=self._stop.is_set)
            except (OperationalError, InterfaceError) as error:
                logger.warning("The outbox cannot be looked at (%s)", type(error).__name__)
            except Exception as error:  # this thread is the last resort and must not end
                logger.error("Draining without Redis failed (%s)", type(error).__name__)
            finally:
                connection.close()
