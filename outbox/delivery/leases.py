"""Claims on messages: rows leased for a time on the database's clock, under a random token."""

from __future__ import annotations

import logging
import threading
import time
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models, transaction

from alliance.db import random_id
from outbox.models import Message, MessageState

logger = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(seconds=settings.OUTBOX_LEASE_SECONDS)
LONGEST_TRY = timedelta(minutes=5)  # then the lease is let go, so that a handler that hangs does not keep its message


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
