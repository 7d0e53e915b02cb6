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

import copy
import logging
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models, transaction
from django.utils import translation

from alliance.db import random_id
from outbox import bounces, budgets, gates, topics
from outbox.models import OPEN_STATES, Message, MessageState, Outage
from outbox.postman import AddressRefused, Broken, BrokenAgain, Postman
from outbox.results import Done, Mail, Permanent, Postponed, Superseded, Temporary, Unreachable

logger = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
LONGEST_TRY = timedelta(minutes=5)  # then the lease is let go, so that a handler that hangs does not keep its message
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=30)
PROBE_EVERY = timedelta(seconds=30)
CRASHES_UNTIL_DEAD = 5

TOO_LATE = "It could not be sent in time."
CRASHED = "The program failed over this message."
KILLED = "The program was stopped or killed several times over this message."
NO_HANDLER = "This version of the program does not know what to do with it."


@dataclass
class Report:
    """What became of the messages of one drain."""

    sent: int = 0
    superseded: int = 0
    retried: int = 0
    dead: int = 0
    released: int = 0  # given back untried, because nothing can leave this way at the moment, or `stop` said so
    held: int = 0  # kept back by an app
    lost: int = 0  # taken over by another worker meanwhile
    claimed: int = 0

    def add(self, other: Report) -> None:
        """Add another drain's figures."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Clock:
    """The database's clock, read once and carried on by this machine's; or an instant that stands still, for tests."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self.fixed = fixed
        self._read_at = 0.0
        self._base = fixed or _database_time()
        self._read_at = time.monotonic()

    def now(self) -> datetime:
        """The present instant."""
        return self.fixed or self._base + timedelta(seconds=time.monotonic() - self._read_at)


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        return cursor.fetchone()[0]  # type: ignore[no-any-return]


# --- claiming -------------------------------------------------------------------------------------------------------

# A materialised CTE, because PostgreSQL may run a plain subquery again and then exceeds its LIMIT. The order key's
# condition sees what is committed: two messages of one key are never leased at once, for the later one is left alone
# while the earlier one is unsent.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT m.id
      FROM outbox_message m
     WHERE m."group" = %(group)s
       AND {which}
       AND (m.order_key = '' OR NOT EXISTS (
               SELECT 1
                 FROM outbox_message earlier
                WHERE earlier.order_key = m.order_key
                  AND earlier.id < m.id
                  AND earlier.state IN ('queued', 'leased', 'retrying')
                  AND earlier.due_at <= {now}))
     ORDER BY {order}, m.id
     LIMIT %(limit)s
       FOR UPDATE OF m SKIP LOCKED
)
UPDATE outbox_message m
   SET state = 'leased',
       lease_token = %(token)s,
       leased_until = {now} + %(lease)s,
       crashes = m.crashes + CASE WHEN m.state = 'leased' THEN 1 ELSE 0 END
  FROM due
 WHERE m.id = due.id
RETURNING m.*
"""
_NOW = "COALESCE(%(now)s::timestamptz, statement_timestamp())"
_CLAIM_DUE = _CLAIM.format(
    which=f"m.state IN ('queued', 'retrying') AND m.next_attempt_at <= {_NOW}", order="m.next_attempt_at", now=_NOW
)
_CLAIM_LEFT = _CLAIM.format(which=f"m.state = 'leased' AND m.leased_until <= {_NOW}", order="m.leased_until", now=_NOW)


class Lease:
    """Messages that are ours to send, for as long as this process lives and renews."""

    def __init__(self, group: str, *, now: datetime | None = None, limit: int = BATCH) -> None:
        self.token: UUID = random_id()
        self._fixed_now = now
        self._try_began = self._ends = 0.0
        self._stop = threading.Event()
        self._keeper: threading.Thread | None = None
        self.messages = self._claim(group, limit)

    def _claim(self, group: str, limit: int) -> list[Message]:
        """Lease what is due. A message whose last worker was lost comes alone: it may have been the reason."""
        self._ends = time.monotonic() + LEASE.total_seconds()
        values = {"group": group, "now": self._fixed_now, "token": self.token, "lease": LEASE, "limit": 1}
        with transaction.atomic(durable=True):
            messages = list(Message.objects.raw(_CLAIM_LEFT, values))
            if not messages:
                messages = list(Message.objects.raw(_CLAIM_DUE, values | {"limit": limit}))
        return sorted(messages, key=lambda message: (message.next_attempt_at, message.pk))

    def __enter__(self) -> Self:
        if self.messages and self._fixed_now is None:
            self._keeper = threading.Thread(target=self._keep, name="outbox-lease", daemon=True)
            self._keeper.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._keeper is not None:
            self._keeper.join()

    def begin(self, message: Message) -> bool:
        """Is the message still ours? Asked before each try: this process may have been frozen for an hour."""
        self._try_began = time.monotonic()
        return time.monotonic() < self._ends or message.pk in self.renew()

    def renew(self) -> set[int]:
        """Lease what is still ours for another while; its primary keys."""
        began = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE outbox_message SET leased_until = statement_timestamp() + make_interval(secs => %s)"
                " WHERE lease_token = %s AND state = 'leased' RETURNING id",
                [LEASE.total_seconds(), self.token],
            )
            ours = {row[0] for row in cursor.fetchall()}
        if ours:
            self._ends = began + LEASE.total_seconds()
        return ours

    def _keep(self) -> None:
        """Renew in a thread: a mail server may take its minute, and that is no reason to send from two workers."""
        while not self._stop.wait(LEASE.total_seconds() / 3):
            if time.monotonic() - self._try_began > LONGEST_TRY.total_seconds():
                break
            try:
                self.renew()
            except (OperationalError, InterfaceError) as error:
                logger.warning("A lease could not be renewed (%s)", type(error).__name__)
                connection.close()
        connection.close()  # this thread's own

    def finish(self, message: Message, state: MessageState, **values: object) -> bool:
        """Write what became of a message. False when it is no longer ours, and nothing is written."""
        written = Message.objects.filter(pk=message.pk, state=MessageState.LEASED, lease_token=self.token).update(
            state=state, lease_token=None, leased_until=None, **values
        )
        if not written:
            logger.warning("Message %s was taken over by another worker", message.pk)
        return bool(written)

    def release(self, messages: list[Message]) -> int:
        """Give messages back untried; how many were still ours."""
        return Message.objects.filter(
            pk__in=[message.pk for message in messages], state=MessageState.LEASED, lease_token=self.token
        ).update(
            state=models.Case(
                models.When(attempts=0, then=models.Value(MessageState.QUEUED)),
                default=models.Value(MessageState.RETRYING),
            ),
            lease_token=None,
            leased_until=None,
        )


# --- a way out that does not answer ---------------------------------------------------------------------------------


class Gate:
    """Is a way out open? Shared by all workers through a row, so that an outage costs one probe every half minute."""

    def __init__(self, group: str, clock: Clock) -> None:
        self.group = group
        self.clock = clock
        self.is_probe = False

    def limit(self, batch: int) -> int:
        """How many messages may be claimed now: a batch, 1 to try a way out that was closed, or 0."""
        outage = Outage.objects.filter(group=self.group).first()
        self.is_probe = outage is not None
        if outage is None:
            return batch
        now = self.clock.now()
        won = Outage.objects.filter(group=self.group, next_probe_at__lte=now).update(
            next_probe_at=now + PROBE_EVERY, probes=models.F("probes") + 1
        )
        return 1 if won else 0

    def open(self) -> None:
        """Something answered: let everybody through again."""
        if self.is_probe:
            self.is_probe = False
            Outage.objects.filter(group=self.group).delete()
            logger.warning("The way out “%s” works again", self.group)

    def close(self, reason: str) -> None:
        """Nothing answers: nobody tries for half a minute."""
        now = self.clock.now()
        next_probe_at = now + PROBE_EVERY
        known, is_new = Outage.objects.get_or_create(
            group=self.group, defaults={"since": now, "next_probe_at": next_probe_at, "last_error": reason}
        )
        if not is_new:
            Outage.objects.filter(pk=known.pk).update(next_probe_at=next_probe_at, last_error=reason)
        else:
            logger.error("The way out “%s” is closed: %s", self.group, reason)


# --- sending --------------------------------------------------------------------------------------------------------


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
        _give_up_overdue(group, clock.now())
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
                    if _try(message, lease, postman, clock, report):
                        gate.open()
                except BrokenAgain as error:
                    _retry(message, lease, clock, report, error)
                    left.pop(0)
                    gate.close(error.reason)
                    report.released += lease.release(left)
                    return report
                except Unreachable as error:
                    gate.close(_without_addresses(error.reason))
                    report.released += lease.release(left)
                    return report
                left.pop(0)
        except BaseException:
            # Ctrl-C, or the database is gone: what was not begun need not wait for the end of the lease.
            with _quietly("release"):
                if not connection.is_usable():  # interrupted in the middle of a statement
                    connection.close()
                lease.release(left)
            raise
    return report


def _try(message: Message, lease: Lease, postman: Postman, clock: Clock, report: Report) -> bool:
    """One attempt at one message; whether the way out answered. Raises Unreachable and BrokenAgain for the batch."""
    if message.deadline_at <= clock.now():
        _give_up(message, lease, clock, report, TOO_LATE, counts=0)
        return False
    if message.crashes >= CRASHES_UNTIL_DEAD:
        _give_up(message, lease, clock, report, KILLED, counts=0)
        return False
    try:
        topic = topics.get(message.topic)
        kept = gates.ask(message, now=clock.now())
        if kept is not None and topic.group != topics.MAIL:
            return _keep(message, kept, lease, report)
        with translation.override(settings.LANGUAGE_CODE):
            result = topic.handler(message, now=clock.now())
        if kept is not None and isinstance(result, Mail):
            if (elsewhere := kept.copy(result)) is not None:
                _hand_over(elsewhere, _copied(message, kept), postman, clock)
            return _keep(message, kept, lease, report)
        match result:
            case Mail():
                _hand_over(result, message, postman, clock)
                answered = True
            case Done():
                answered = True
            case Superseded():
                finished = lease.finish(
                    message,
                    MessageState.SUPERSEDED,
                    finished_at=clock.now(),
                    last_error=_without_addresses(result.reason),
                )
                report.superseded += finished
                report.lost += not finished
                return False
            case _:
                raise TypeError(f"A handler answered with {type(result).__name__}")
    except (Unreachable, BrokenAgain):
        raise
    except Permanent as error:
        _give_up(message, lease, clock, report, error.reason)
        return True
    except Broken as error:
        _retry(message, lease, clock, report, error)
        return False
    except Postponed as error:
        state = MessageState.RETRYING if message.attempts else MessageState.QUEUED
        next_attempt_at = min(error.retry_at or clock.now(), message.deadline_at)
        report.retried += lease.finish(message, state, next_attempt_at=next_attempt_at)
        return False
    except Temporary as error:
        _retry(message, lease, clock, report, error)
        return True
    except topics.UnknownTopic:
        logger.error("Message %s has the topic %s, which has no handler", message.pk, message.topic)
        _retry(message, lease, clock, report, Temporary(NO_HANDLER))
        return False
    except (OperationalError, InterfaceError) as error:
        if not connection.is_usable():
            raise
        _retry(message, lease, clock, report, Temporary(f"The database was busy. ({type(error).__name__})"))
        return False
    except Exception as error:  # whatever a handler does, the messages behind it must leave
        _crash(message, lease, clock, report, error)
        return False
    finished = lease.finish(
        message, MessageState.SENT, attempts=models.F("attempts") + 1, finished_at=clock.now(), last_error=""
    )
    report.sent += finished
    report.lost += not finished
    return answered


def _hand_over(mail: Mail, message: Message, postman: Postman, clock: Clock) -> None:
    """Give a mail to the mail server. An address that it refuses is told to whoever listens to bounces."""
    domain = mail.to.rpartition("@")[2].lower()
    if not budgets.take(domain, 1, now=clock.now()):
        raise Postponed(retry_at=budgets.next_minute(clock.now()) + timedelta(seconds=random.uniform(0, 5)))
    try:
        postman.send(mail, message)
    except AddressRefused as error:
        with _quietly("tell of a refused address of"):
            bounces.refused(message, mail.to, code=error.code, status=error.status, now=clock.now())
        raise


def _keep(message: Message, kept: gates.Kept, lease: Lease, report: Report) -> bool:
    """Hold a message until whoever keeps it back lets it go; whether the way out answered does not come into it."""
    details = message.details | {gates.MARK: kept.mark}
    report.held += lease.finish(message, MessageState.HELD, details=details, last_error=kept.reason[:250])
    return False


def _copied(message: Message, kept: gates.Kept) -> Message:
    """The message with another Message-ID, for what goes elsewhere."""
    other = copy.copy(message)
    other.key = f"{message.key}:{kept.mark}"
    return other


def _retry(message: Message, lease: Lease, clock: Clock, report: Report, error: Temporary, **values: object) -> None:
    """Try again later, with full jitter: many that failed together do not come back together."""
    now = clock.now()
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(message.attempts, 10))
    next_attempt_at = now + timedelta(seconds=random.uniform(1, wait.total_seconds()))
    if error.retry_at is not None:
        next_attempt_at = max(error.retry_at, now + timedelta(seconds=1))
    logger.info("Message %s (%s) is tried again later: %s", message.pk, message.topic, _without_addresses(error.reason))
    finished = lease.finish(
        message,
        MessageState.RETRYING,
        attempts=models.F("attempts") + 1,
        # At the deadline it is claimed once more, and given up.
        next_attempt_at=min(next_attempt_at, message.deadline_at),
        last_error=_without_addresses(error.reason),
        **values,
    )
    report.retried += finished
    report.lost += not finished


def _give_up(
    message: Message, lease: Lease, clock: Clock, report: Report, reason: str, *, counts: int = 1, **values: object
) -> None:
    """Keep it as dead, where organisers see it with the reason and can send it again."""
    reason = _without_addresses(reason)
    if reason == TOO_LATE and message.last_error:
        reason = f"{TOO_LATE} {message.last_error}"[:250]
    logger.error("Message %s (%s) is given up: %s", message.pk, message.topic, reason)
    finished = lease.finish(
        message,
        MessageState.DEAD,
        attempts=models.F("attempts") + counts,
        finished_at=clock.now(),
        last_error=reason,
        **values,
    )
    report.dead += finished
    report.lost += not finished


def _crash(message: Message, lease: Lease, clock: Clock, report: Report, error: Exception) -> None:
    """A handler failed in a way it did not plan. The log gets the place and not the text: that may quote a person."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}:{last.lineno}"
    logger.error("Message %s (%s): its handler failed: %s", message.pk, message.topic, place)
    reason = f"{CRASHED} ({place})"
    crashes = message.crashes + 1
    if crashes >= CRASHES_UNTIL_DEAD:
        _give_up(message, lease, clock, report, reason, crashes=crashes)
    else:
        _retry(message, lease, clock, report, Temporary(reason), crashes=crashes)


def _give_up_overdue(group: str, now: datetime) -> None:
    """During an outage nothing is claimed; what has no time left is given up all the same: organisers must see it."""
    overdue = Message.objects.filter(group=group, state__in=OPEN_STATES, deadline_at__lte=now)
    count = overdue.exclude(state=MessageState.LEASED).update(
        state=MessageState.DEAD, finished_at=now, last_error=TOO_LATE
    )
    if count:
        logger.error("%s messages could not be sent in time", count)


def _without_addresses(reason: str) -> str:
    """A reason short enough for its column and without what looks like an address, whatever a handler wrote."""
    return " ".join("(address)" if "@" in word else word for word in reason.split())[:250]


@contextmanager
def _quietly(what: str) -> Iterator[None]:
    """Do what can be done on the way out of an error, and let that error stand."""
    try:
        yield
    except Exception as error:
        logger.warning("Could not %s messages (%s); their lease runs out by itself", what, type(error).__name__)
    finally:
        if not connection.is_usable():
            connection.close()
