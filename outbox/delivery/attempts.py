"""One try of one message, and what its answer means for it."""

from __future__ import annotations

import copy
import logging
import random
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, models
from django.utils import translation

from outbox import bounces, budgets, gates, topics
from outbox.delivery.leases import Clock, Lease
from outbox.delivery.reports import Report
from outbox.models import OPEN_STATES, Message, MessageState
from outbox.postman import AddressRefused, Broken, BrokenAgain, Postman
from outbox.results import Done, Mail, Permanent, Postponed, Superseded, Temporary, Unreachable

logger = logging.getLogger(__name__)

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=30)
CRASHES_UNTIL_DEAD = 5

TOO_LATE = "It could not be sent in time."
CRASHED = "The program failed over this message."
KILLED = "The program was stopped or killed several times over this message."
NO_HANDLER = "This version of the program does not know what to do with it."


def try_one(message: Message, lease: Lease, postman: Postman, clock: Clock, report: Report) -> bool:
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
                    last_error=without_addresses(result.reason),
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
        retry(message, lease, clock, report, error)
        return False
    except Postponed as error:
        state = MessageState.RETRYING if message.attempts else MessageState.QUEUED
        next_attempt_at = min(error.retry_at or clock.now(), message.deadline_at)
        report.retried += lease.finish(message, state, next_attempt_at=next_attempt_at)
        return False
    except Temporary as error:
        retry(message, lease, clock, report, error)
        return True
    except topics.UnknownTopic:
        logger.error("Message %s has the topic %s, which has no handler", message.pk, message.topic)
        retry(message, lease, clock, report, Temporary(NO_HANDLER))
        return False
    except (OperationalError, InterfaceError) as error:
        if not connection.is_usable():
            raise
        retry(message, lease, clock, report, Temporary(f"The database was busy. ({type(error).__name__})"))
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
        with quietly("tell of a refused address of"):
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


def retry(message: Message, lease: Lease, clock: Clock, report: Report, error: Temporary, **values: object) -> None:
    """Try again later, with full jitter: many that failed together do not come back together."""
    now = clock.now()
    wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(message.attempts, 10))
    next_attempt_at = now + timedelta(seconds=random.uniform(1, wait.total_seconds()))
    if error.retry_at is not None:
        next_attempt_at = max(error.retry_at, now + timedelta(seconds=1))
    logger.info("Message %s (%s) is tried again later: %s", message.pk, message.topic, without_addresses(error.reason))
    finished = lease.finish(
        message,
        MessageState.RETRYING,
        attempts=models.F("attempts") + 1,
        # At the deadline it is claimed once more, and given up.
        next_attempt_at=min(next_attempt_at, message.deadline_at),
        last_error=without_addresses(error.reason),
        **values,
    )
    report.retried += finished
    report.lost += not finished


def _give_up(
    message: Message, lease: Lease, clock: Clock, report: Report, reason: str, *, counts: int = 1, **values: object
) -> None:
    """Keep it as dead, where organisers see it with the reason and can send it again."""
    reason = without_addresses(reason)
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
        retry(message, lease, clock, report, Temporary(reason), crashes=crashes)


def give_up_overdue(group: str, now: datetime) -> None:
    """During an outage nothing is claimed; what has no time left is given up all the same: organisers must see it."""
    overdue = Message.objects.filter(group=group, state__in=OPEN_STATES, deadline_at__lte=now)
    count = overdue.exclude(state=MessageState.LEASED).update(
        state=MessageState.DEAD, finished_at=now, last_error=TOO_LATE
    )
    if count:
        logger.error("%s messages could not be sent in time", count)


def without_addresses(reason: str) -> str:
    """A reason short enough for its column and without what looks like an address, whatever a handler wrote."""
    return " ".join("(address)" if "@" in word else word for word in reason.split())[:250]


@contextmanager
def quietly(what: str) -> Iterator[None]:
    """Do what can be done on the way out of an error, and let that error stand."""
    try:
        yield
    except Exception as error:
        logger.warning("Could not %s messages (%s); their lease runs out by itself", what, type(error).__name__)
    finally:
        if not connection.is_usable():
            connection.close()
