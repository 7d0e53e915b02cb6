"""Queueing messages, and what an organiser may do with them. How they leave is in outbox.delivery."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext_lazy as _

from alliance import inserts
from alliance.exceptions import DomainError
from outbox import doorbell, gates, topics
from outbox.delivery import Report, drain, drain_all
from outbox.models import OPEN_STATES, Message, MessageState, Outage, WorkerHeartbeat

__all__ = [
    "CannotSendAgain",
    "Figures",
    "Report",
    "drain",
    "drain_all",
    "figures",
    "forget_old",
    "hold",
    "message",
    "oldest_unsent",
    "queue",
    "release",
    "release_kept",
    "revive",
    "send_again",
    "supersede",
]

logger = logging.getLogger(__name__)

_KEPT = timedelta(days=settings.OUTBOX_KEEP_DAYS)
_FORGOTTEN_AT_ONCE = 1000
TRIED_FOR = timedelta(days=7)  # unless the caller knows a better deadline, such as the start of the event


class CannotSendAgain(DomainError):
    """The message is still on its way."""

    code = "message_on_its_way"
    message = _("This message is still on its way; it does not need to be sent again.")


# --- queueing -------------------------------------------------------------------------------------------------------


def message(
    *,
    topic: str,
    about_kind: str,
    about_id: UUID,
    key: str,
    now: datetime,
    version: int = 1,
    order_key: str = "",
    due_at: datetime | None = None,
    deadline_at: datetime | None = None,
    details: Mapping[str, Any] | None = None,
) -> Message:
    """A message for queue(), not saved yet.

    about_kind, about_id, version: what the handler will read, and the version of it that the message speaks of.
    key: says what is told to whom about which version; the same key is never queued twice, and the mail's Message-ID
    is made of it.
    order_key: messages with the same one leave in the order of queueing; empty when the order does not matter.
    due_at: not before (default: at once). deadline_at: given up then (default: seven days after it is due).
    details: further ids; never a name or an address, for they would outlive the person's erasure.
    Raises topics.UnknownTopic.
    """
    due_at = due_at or now
    return Message(
        topic=topic,
        group=topics.get(topic).group,
        key=key,
        about_kind=about_kind,
        about_id=about_id,
        about_version=version,
        order_key=order_key,
        details=dict(details or {}),
        due_at=due_at,
        next_attempt_at=due_at,
        deadline_at=deadline_at or due_at + TRIED_FOR,
        created_at=now,
    )


def queue(messages: Iterable[Message], *, along: Sequence[inserts.Rows] = ()) -> None:
    """Write the messages in the caller's transaction, in one statement; those whose key is there already are left out.

    along: rows of the caller's own for the same statement.
    After the commit the doorbell rings when one of them is due. Nothing depends on it: workers look by themselves.
    """
    queued = list(messages)
    inserts.insert(*along, inserts.Rows(queued, skip_known=True))
    if any(one.due_at <= one.created_at for one in queued):
        transaction.on_commit(doorbell.ring)


# --- what an organiser may do ---------------------------------------------------------------------------------------


@transaction.atomic
def send_again(message_id: int, *, by_user: int | None, now: datetime) -> Message:
    """Send a message again that was given up, not needed, held, or sent already; what was queued.

    A given-up one starts afresh under its own Message-ID. For one that was sent a new message is queued with a
    Message-ID of its own, because the recipient's mail server may drop a second copy of the old one unseen. The handler
    still decides by the present state whether there is anything to say.

    by_user: primary key of the user who asks, for the log.
    Raises CannotSendAgain while it, or a copy of it asked for before, is on its way or held, so that a double click
    sends one; and Message.DoesNotExist.
    """
    old = Message.objects.select_for_update(no_key=True).get(pk=message_id)
    if old.state in OPEN_STATES:
        raise CannotSendAgain
    tried_for = max(old.deadline_at - old.due_at, timedelta(days=1))
    if old.state == MessageState.SENT:
        root = old.key.partition(":again:")[0]
        # All who ask for copies wait here for each other: the original is the row they have in common.
        list(Message.objects.select_for_update(no_key=True).filter(key=root))
        made = Message.objects.filter(key__startswith=f"{root}:again:")
        if made.filter(state__in=[*OPEN_STATES, MessageState.HELD]).exists():
            raise CannotSendAgain
        copies = made.count()
        again = Message(
            topic=old.topic,
            group=old.group,
            key=f"{root}:again:{copies + 1}",
            about_kind=old.about_kind,
            about_id=old.about_id,
            about_version=old.about_version,
            order_key=old.order_key,
            details=old.details,
            due_at=now,
            next_attempt_at=now,
            deadline_at=now + tried_for,
            created_at=now,
        )
        again.save(force_insert=True)
    else:
        again = old
        again.state = MessageState.QUEUED
        again.due_at = again.next_attempt_at = now
        again.deadline_at = now + tried_for
        again.attempts = again.crashes = 0
        again.last_error = ""
        again.finished_at = None
        again.save(
            update_fields=[
                "state", "due_at", "next_attempt_at", "deadline_at", "attempts", "crashes", "last_error", "finished_at",
            ]
        )  # fmt: skip
    logger.info("Message %s is sent again as %s, asked for by user %s", old.pk, again.pk, by_user)
    transaction.on_commit(doorbell.ring)
    return again


def hold(message_ids: Collection[int], *, by_user: int | None) -> int:
    """Keep messages back until they are released; how many. What is being sent at this moment cannot be held.

    A held message does not hold up later ones to the same person: their handlers say what is true then.
    """
    waiting = Q(state__in=[MessageState.QUEUED, MessageState.RETRYING])
    count = Message.objects.filter(waiting, pk__in=message_ids).update(state=MessageState.HELD)
    logger.info("%s messages held by user %s", count, by_user)
    return count


def release(message_ids: Collection[int], *, by_user: int | None, now: datetime) -> int:
    """Let held messages go, each no earlier than it is due; how many.

    One whose deadline has passed meanwhile is given up by the next worker, where organisers can send it again.
    """
    held = Message.objects.filter(state=MessageState.HELD, pk__in=message_ids)
    count = held.update(state=MessageState.QUEUED, next_attempt_at=F("due_at"))
    logger.info("%s messages released by user %s", count, by_user)
    if count:
        transaction.on_commit(doorbell.ring)
    return count


def release_kept(mark: str, *, now: datetime) -> int:
    """Let go what a gate has kept back under a mark; how many. In the caller's transaction."""
    held = Message.objects.filter(state=MessageState.HELD, details__contains={gates.MARK: mark})
    count = held.update(state=MessageState.QUEUED, next_attempt_at=F("due_at"), last_error="")
    if count:
        transaction.on_commit(doorbell.ring)
    return count


def revive(found: QuerySet[Message], *, now: datetime) -> int:
    """Try given-up messages anew, as send_again() does for one; how many. Whatever else is among them is left alone."""
    count = found.filter(state=MessageState.DEAD).update(
        state=MessageState.QUEUED,
        due_at=now,
        next_attempt_at=now,
        deadline_at=Greatest("deadline_at", Value(now + timedelta(days=1))),
        attempts=0,
        crashes=0,
        last_error="",
        finished_at=None,
    )
    if count:
        transaction.on_commit(doorbell.ring)
    return count


def supersede(key_start: str, *, now: datetime) -> int:
    """Take back messages that have not left, by what their keys begin with; how many.

    What is being sent at this moment stays: its handler sees the present state, or it has gone already.
    """
    waiting = [MessageState.QUEUED, MessageState.RETRYING, MessageState.HELD]
    found = Message.objects.filter(key__startswith=key_start, state__in=waiting)
    return found.update(state=MessageState.SUPERSEDED, finished_at=now, last_error="recalled")


# --- upkeep ---------------------------------------------------------------------------------------------------------


def forget_old(*, now: datetime, most: int | None = None) -> int:
    """Delete messages that were sent or not needed, finished longer ago than OUTBOX_KEEP_DAYS. Returns how many.

    Given-up ones stay ten times as long: organisers may still want to send them. What was told to whom stays in the
    audit trail, which this does not touch. In portions, so that no statement holds up the workers. most: stop after
    about so many.
    """
    done = Q(state__in=[MessageState.SENT, MessageState.SUPERSEDED], finished_at__lt=now - _KEPT)
    done |= Q(state=MessageState.DEAD, finished_at__lt=now - 10 * _KEPT)
    deleted, portion = 0, min(_FORGOTTEN_AT_ONCE, most or _FORGOTTEN_AT_ONCE)
    while ids := list(Message.objects.filter(done).order_by("pk").values_list("pk", flat=True)[:portion]):
        deleted += Message.objects.filter(done, pk__in=ids).delete()[0]
        if most is not None and deleted >= most:
            break
    return deleted


# --- how things stand -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """How the outbox stands.

    counts: messages by state, every state named. oldest_unsent: see oldest_unsent().
    outages: ways out that do not answer. worker_seen_at: the freshest sign of life of a worker.
    """

    counts: dict[str, int]
    oldest_unsent: timedelta | None
    outages: tuple[Outage, ...]
    worker_seen_at: datetime | None


def oldest_unsent(now: datetime) -> timedelta | None:
    """How long the oldest message that should have left by now has been waiting; None when none waits.

    Counted from when it was due, over all attempts. Held and given-up messages do not count: organisers see them.
    """
    due_at = Message.objects.unsent().filter(due_at__lte=now).aggregate(oldest=Min("due_at"))["oldest"]
    return None if due_at is None else now - due_at


def worker_seen_at() -> datetime | None:
    """When a worker was last seen, None when never."""
    seen_at: datetime | None = WorkerHeartbeat.objects.aggregate(latest=Max("seen_at"))["latest"]
    return seen_at


def figures(now: datetime) -> Figures:
    """The figures for health checks and the admin's overview. Four statements."""
    found = dict(Message.objects.values_list("state").annotate(count=Count("pk")).order_by())
    return Figures(
        counts={state.value: found.get(state.value, 0) for state in MessageState},
        oldest_unsent=oldest_unsent(now),
        outages=tuple(Outage.objects.order_by("since", "pk")),
        worker_seen_at=worker_seen_at(),
    )
