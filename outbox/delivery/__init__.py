"""How messages leave: leased rows, one try each, and what becomes of them.

PostgreSQL is the queue (docs/design.md section 4.2). Any number of workers may drain at once, and any may be killed or
frozen at any moment:

- A claim is one statement that skips rows others hold. It leases them until a time on the database's clock under
  a random token; a thread renews the lease while the worker lives. Whose lease has run out is claimed again.
- Only the holder of the token may write what became of a message. A worker that was frozen over the end of its lease
  finds its write refused.
- The earliest unsent message of an order key goes first; a later one waits while it is tried. Messages that are not due
  yet, held or given up do not hold up later ones: a cancellation must not wait for next month's reminder.
- A mail that was handed over but not written down (a kill in between) is sent again with the same Message-ID.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from django.db import connection

from outbox import budgets, topics
from outbox.delivery import attempts
from outbox.delivery.attempts import CRASHES_UNTIL_DEAD
from outbox.delivery.leases import BATCH, Clock, Lease
from outbox.delivery.outages import Gate
from outbox.delivery.reports import Report
from outbox.postman import BrokenAgain, Postman
from outbox.results import Unreachable

__all__ = ["CRASHES_UNTIL_DEAD", "Lease", "Report", "drain", "drain_all"]


def drain(
    group: str,
    *,
    now: datetime | None = None,
    batch: int = BATCH,
    at_most: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Send what is due for one way out, until nothing is left, the way out does not answer, or `stop` says so.

    now: an instant to take for the present, for tests that move time; by default the database's clock counts, so that
    workers whose clocks differ agree on leases and due times.
    at_most: how many messages to claim in all (default: no limit). stop: asked before each message.
    Must not be called inside a transaction: claims must be seen by other workers at once.
    """
    report = Report()
    with Postman() as postman:
        while not stop():
            room = batch if at_most is None else min(batch, at_most - report.claimed)
            if room <= 0:
                break
            done = _drain_batch(group, postman, now, room, stop)
            report.add(done)
            if not done.claimed or done.released:
                break
    return report


def drain_all(
    *, now: datetime | None = None, seconds: float = 50.0, stop: Callable[[], bool] = lambda: False
) -> Report:
    """Send what is due for every way out, in turns of one batch, until nothing is left or `seconds` have passed."""
    until = time.monotonic() + seconds
    report = Report()
    busy = list(topics.groups())
    while busy and not stop() and time.monotonic() < until:
        for group in list(busy):
            # Ten batches at a time keep a connection worth its opening and let no way out starve another for long.
            done = drain(group, now=now, at_most=10 * BATCH, stop=lambda: stop() or time.monotonic() >= until)
            report.add(done)
            if done.released or not done.claimed:
                busy.remove(group)
    return report


def _drain_batch(group: str, postman: Postman, now: datetime | None, limit: int, stop: Callable[[], bool]) -> Report:
    report = Report()
    clock = Clock(now)
    gate = Gate(group, clock)
    limit = gate.limit(limit)
    if limit == 0:
        attempts.give_up_overdue(group, clock.now())
        return report
    granted = budgets.take(group, limit, now=clock.now())
    if granted == 0:
        return report
    with Lease(group, now=now, limit=granted) as lease:
        report.claimed = len(lease.messages)
        budgets.give_back(group, granted - report.claimed)
        left = list(lease.messages)
        try:
            while left:
                message = left[0]
                if stop():
                    report.released += lease.release(left)
                    break
                if not lease.begin(message):
                    report.lost += 1
                    left.pop(0)
                    continue
                try:
                    if attempts.try_one(message, lease, postman, clock, report):
                        gate.open()
                except BrokenAgain as error:
                    attempts.retry(message, lease, clock, report, error)
                    left.pop(0)
                    gate.close(error.reason)
                    report.released += lease.release(left)
                    return report
                except Unreachable as error:
                    gate.close(attempts.without_addresses(error.reason))
                    report.released += lease.release(left)
                    return report
                left.pop(0)
        except BaseException:
            # Ctrl-C, or the database is gone: what was not begun need not wait for the end of the lease.
            with attempts.quietly("release"):
                if not connection.is_usable():  # interrupted in the middle of a statement
                    connection.close()
                lease.release(left)
            raise
    return report
