"""Erasing what nobody may keep any more, rule by rule and portion by portion, with a proof in the same transaction.

Killed at any moment, nothing is half done: a portion and its proof stand in one transaction, and the next run goes on
with what is left. Two runs beside each other share the work: rows are locked, and locked rows are skipped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session as SignedIn
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors, attempts
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance.exceptions import DomainError
from events.models import Conference
from events.releases.reading import published
from registration import retention
from registration.models import DeletionProof, Participant, RetentionPeriod, RetentionStart
from registration.models.retention import LONGEST
from registration.services import erasure, proofs
from speakers import invitations as speaker_invitations

log = structlog.get_logger("registration")

_PORTION = 500  # rows of one transaction
_AUDIT = "audit/1"  # old lines of the trail are announced like a rule


class PeriodTooLong(DomainError):
    """No such period."""

    code = "retention_period_unknown"
    message = _("Choose from 0 to 3,650 days.")


# --- how long ---------------------------------------------------------------------------------------------------------


def periods(conference: Conference) -> dict[str, int]:
    """Days by rule, as they are for a conference. One query."""
    return {key: days for key, (days, _changed_at) in _periods(conference).items()}


def _periods(conference: Conference) -> dict[str, tuple[int, datetime | None]]:
    """Days by rule, and when the conference changed them."""
    rows = RetentionPeriod.objects.filter(conference=conference).values_list("rule", "days", "changed_at")
    own = {rule: (days, changed_at) for rule, days, changed_at in rows}
    return {rule.key: own.get(rule.key, (rule.days, None)) for rule in retention.RULES}


@transaction.atomic
def set_periods(*, conference: Conference, days: Mapping[str, int], by: Actor, now: datetime) -> list[str]:
    """Say how long data is kept after a conference; the rules that changed. It counts after NOTICE.

    Raises PeriodTooLong.
    """
    if not set(days) <= set(retention.BY_KEY) or not all(0 <= number <= LONGEST for number in days.values()):
        raise PeriodTooLong
    list(Conference.objects.select_for_update(no_key=True).filter(pk=conference.pk))
    before = periods(conference)
    changed = sorted(key for key, number in days.items() if before[key] != number)
    for key in changed:
        RetentionPeriod.objects.update_or_create(
            conference=conference, rule=key, defaults={"days": days[key], "changed_at": now}
        )
    if changed:
        actors.audit_entry(
            at=now,
            by=by,
            action="conference.retention_changed",
            about_kind="conference",
            about_id=conference.public_id,
            details={"from": {key: before[key] for key in changed}, "to": {key: days[key] for key in changed}},
        ).save()
    return changed


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rule stands at a conference. due_at: None while there is no last day. waiting: rows with such data.

    is_announced: only the notice holds it back, so that what waits goes at due_at.
    """

    rule: retention.Rule
    days: int
    due_at: datetime | None
    waiting: int
    is_announced: bool


def standings(conference: Conference, *, now: datetime) -> list[Standing]:
    """Every rule with its period and what it will find. A query for each rule."""
    own, known = _periods(conference), _known_since()
    found = []
    for rule in retention.RULES:
        days, changed_at = own[rule.key]
        over = retention.due_at(conference, days)
        due_at = _acts_from(over, changed_at, known.get(rule.name, now))
        is_announced = over is not None and due_at is not None and over <= now < due_at
        found.append(Standing(rule, days, due_at, rule.waiting(conference, now).count(), is_announced))
    return found


def _known_since() -> dict[str, datetime]:
    return dict(RetentionStart.objects.values_list("rule", "since"))


def _acts_from(over: datetime | None, changed_at: datetime | None, known: datetime) -> datetime | None:
    """When a rule begins to erase: its period is over, and it was announced as long as it has to be."""
    return None if over is None else max(over, max(known, changed_at or known) + retention.NOTICE)


def announce(*, now: datetime) -> dict[str, datetime]:
    """Since when each rule is known here; those that are new begin now. For the first run of an installation."""
    names = [*(rule.name for rule in retention.RULES), _AUDIT]
    RetentionStart.objects.bulk_create((RetentionStart(rule=name, since=now) for name in names), ignore_conflicts=True)
    return _known_since()


# --- erasing ----------------------------------------------------------------------------------------------------------


@published
def erase_due(*, now: datetime, seconds: float = 200.0) -> int:
    """Erase what has passed its period, conference by conference. Returns how many rows.

    What is new here or was changed waits for NOTICE, so that no first run takes anybody by surprise.
    seconds: begin no portion after that; the next run goes on. What the database refuses holds up nothing else; the
    first refusal is raised when all the rest is done, so that the task fails and is seen.
    """
    ends = time.monotonic() + seconds
    refused: list[DatabaseError] = []
    erased = sum(
        _portions(rule, conference, days, now=now, ends=ends, refused=refused) for rule, conference, days in _due(now)
    )
    if refused:
        raise refused[0]
    return erased


def _due(now: datetime) -> Iterator[tuple[retention.Rule, Conference, int]]:
    known = announce(now=now)
    for conference in Conference.objects.filter(ends_on__lt=now.date()).order_by("pk").iterator(chunk_size=100):
        own = _periods(conference)
        for rule in retention.RULES:
            days, changed_at = own[rule.key]
            acts_from = _acts_from(retention.due_at(conference, days), changed_at, known[rule.name])
            if acts_from is not None and acts_from <= now:
                yield rule, conference, days


def _portions(
    rule: retention.Rule, conference: Conference, days: int, *, now: datetime, ends: float, refused: list[DatabaseError]
) -> int:
    if rule.erase is None:
        return _people(rule, conference, days, now=now, ends=ends, refused=refused)
    erased = 0
    while time.monotonic() < ends:
        try:
            with transaction.atomic():
                count = rule.erase(conference, now, _PORTION)
                proofs.note(rule.key, count, version=rule.version, conference_id=conference.pk, days=days, now=now)
        except DatabaseError as error:
            log.error("rule_not_carried_out", rule=rule.key, conference=str(conference.public_id))
            refused.append(error)
            break
        if not count:
            break
        erased += count
    return erased


def _people(
    rule: retention.Rule, conference: Conference, days: int, *, now: datetime, ends: float, refused: list[DatabaseError]
) -> int:
    erased, after = 0, 0
    waiting = rule.waiting(conference, now).order_by("pk")
    while time.monotonic() < ends:
        key = waiting.filter(pk__gt=after).values_list("pk", flat=True).first()
        if key is None:
            break
        after = key
        try:
            erasure.erase(participant_id=key, by=actors.SYSTEM, now=now, because=rule.key, days=days)
        except Participant.DoesNotExist:  # merged into another row meanwhile
            continue
        except DatabaseError as error:
            log.error("person_not_erased", participant=key)
            refused.append(error)
            continue
        erased += 1
    return erased


def forget_of_house(*, now: datetime) -> None:
    """Delete what belongs to no conference, each with its proof. What goes by other tasks is proved there."""
    while proofs.noted("messages", lambda: outbox.services.forget_old(now=now, most=_PORTION), now=now):
        pass
    proofs.noted("attempts", lambda: attempts.forget_old(now=now), now=now)
    proofs.noted("speakers", lambda: speaker_invitations.forget_after_conferences(now=now), now=now)
    _in_portions("sessions", SignedIn.objects.filter(expire_date__lt=now), now=now)
    if announce(now=now)[_AUDIT] + retention.NOTICE > now:
        return
    over = now - retention.AUDIT_KEPT
    _in_portions("audit", AuditEntry.objects.filter(at__lt=over), now=now)
    _in_portions("audit", LogEntry.objects.filter(action_time__lt=over), now=now)


def _in_portions(rule: str, rows: QuerySet[Any], *, now: datetime) -> None:
    model = rows.model

    def forget() -> int:
        keys = list(rows.order_by("pk").values_list("pk", flat=True)[:_PORTION])
        deleted, _by_model = model._default_manager.filter(pk__in=keys).delete()
        return int(deleted)

    while proofs.noted(rule, forget, now=now):
        pass


# --- what organisers see ----------------------------------------------------------------------------------------------


def proofs_of(conference: Conference, *, rule: str = "", year: int | None = None) -> QuerySet[DeletionProof]:
    """The proofs of a conference, the newest first."""
    found = DeletionProof.objects.filter(conference=conference).newest_first()
    if rule:
        found = found.filter(rule=rule)
    return found.filter(on_day__year=year) if year else found
