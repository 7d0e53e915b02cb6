"""The doorbell: after a commit it wakes a worker through Redis, and is allowed to fail.

A web request must never wait for Redis (docs/design.md section 4.2). So ring() only sets an event; a thread of this
process publishes, with limits of tenths of a second, several rings as one, and keeps quiet for ten seconds after
a failure. A lost ring costs seconds: workers look at the outbox by themselves.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

from django.conf import settings
from kombu import Connection

from alliance.celery import app

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 0.1
ANSWER_SECONDS = 0.3
PAUSE_SECONDS = 0.2  # between two publications: a rush rings once, not once a registration
QUIET_SECONDS = 10.0  # after a failure
KEPT_SECONDS = 10  # a wake-up call nobody has answered by then is dropped

TASK = "outbox.tasks.drain"


_wire: Connection | None = None  # of the doorbell's thread, the only one that publishes


def publish() -> None:
    """Ask for a drain, once and with tight limits. Raises what kombu and redis raise when Redis does not answer.

    The connection is kept, because making one costs six times the call. One that died with its Redis is found out by
    the call and made anew.
    """
    global _wire
    kept, _wire = _wire, None
    if kept is not None:
        try:
            _send(kept)
        except Exception:  # whatever it is: a new connection tells whether Redis is there
            logger.debug("The doorbell's connection is gone")
            kept.release()
        else:
            _wire = kept
            return
    fresh = _connect()
    try:
        _send(fresh)
    except BaseException:
        fresh.release()
        raise
    _wire = fresh


def _send(wire: Connection) -> None:
    app.send_task(TASK, connection=wire, retry=False, expires=KEPT_SECONDS, ignore_result=True)


def _connect() -> Connection:
    options = {
        **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry_on_timeout": False,
        "max_retries": 0,
    }
    return Connection(settings.CELERY_BROKER_URL, connect_timeout=CONNECT_SECONDS, transport_options=options)


class Doorbell:
    """One for each process; its thread starts with the first ring, so after a server's fork."""

    def __init__(self, publish: Callable[[], None] = publish) -> None:
        self._publish = publish
        self._rung = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._quiet_until = 0.0

    def ring(self) -> None:
        """Ask for a drain soon. Takes microseconds and never fails."""
        self._rung.set()
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._start()

    def after_fork(self) -> None:
        """Forget the parent's thread, which did not come along, and its lock, which may have been taken."""
        global _wire
        _wire = None
        self.__init__(self._publish)  # type: ignore[misc]  # the same state as a new one's

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="outbox-doorbell", daemon=True)
                try:
                    self._thread.start()
                except RuntimeError:  # no more threads, or the process is ending: workers look by themselves
                    logger.warning("The doorbell's thread cannot be started")

    def _run(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            if time.monotonic() < self._quiet_until:
                continue
            try:
                self._publish()
            except Exception as error:  # whatever it is, the next ring must work
                self._quiet_until = time.monotonic() + QUIET_SECONDS
                logger.warning(
                    "The doorbell did not ring (%s); quiet for %.0f s. Messages leave a little later.",
                    type(error).__name__,
                    QUIET_SECONDS,
                )
            time.sleep(PAUSE_SECONDS)


_doorbell = Doorbell()
os.register_at_fork(after_in_child=_doorbell.after_fork)


def ring() -> None:
    """Wake a worker soon; see Doorbell.ring."""
    _doorbell.ring()
