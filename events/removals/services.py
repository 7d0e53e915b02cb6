"""Taking down, lifting and ticking off. docs/take-down.md says what each of them does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import actors
from accounts.actors import Actor
from alliance.exceptions import DomainError
from events import jobs
from events.models import Conference, Job, JobState, Removal, RemovalStep
from events.releases.reading import reading_draft
from events.removals import subjects, traces
from events.removals.subjects import Subject

log = structlog.get_logger("alliance.removals")
Follow = Callable[[Subject, datetime], None]
_follows: list[Follow] = []


class NeedsReason(DomainError):
    """What was taken down comes back only with a reason."""

    code = "removal-needs-reason"
    message = _("Say why it may be shown again.")


def follow(act: Follow) -> None:
    """Let an app tell other systems what must follow: act(subject, now), in the transaction, through the outbox.

    It is called when something was taken down and when that was lifted; the subject says which.
    """
    if act not in _follows:
        _follows.append(act)


def take_down(
    subject: Subject, *, conference: Conference | None, reason: str = "", by: Actor, now: datetime
) -> Removal:
    """Remove somebody or something from everywhere at once, and list what had left the house before.

    One transaction removes, so that all readers lose it together: web processes ask for the version of what is public
    twice a second. The list is made after that commit; what takes long or fails there must not keep anybody on a page.
    Twice at once, or again, is fine: the removal in force is returned. conference: where it was found, if anywhere.
    """
    with reading_draft(), transaction.atomic(durable=True):
        removal, is_new = Removal.objects.get_or_create(
            kind=subject.kind,
            subject_id=subject.public_id,
            lifted_at=None,
            defaults={"conference": conference, "taken_down_at": now, "taken_down_by": by.user, "reason": reason},
        )
        if is_new:
            removal.before = dict(subjects.kinds()[subject.kind].hide(subject, now=now))
            removal.save(update_fields=["before"])
            # Files that wait to be fetched were made before; there is no telling what stands in them.
            Job.objects.filter(state=JobState.DONE).exclude(result_name="").update(result=b"", result_name="")
            jobs.forget_people(None)
            _audit(removal, "taken_down", by=by, now=now)
            for act in _follows:
                act(_again(subject), now)
    if removal.listed_at is None:
        list_traces(removal, now=now)
    return removal


def list_traces(removal: Removal, *, now: datetime) -> None:
    """List what had left the house. Once made, it stays. Trouble is logged, and the page offers it again."""
    subject = subjects.get(removal.kind, removal.subject_id)
    if subject is None:
        return
    try:
        with reading_draft(), transaction.atomic():
            found = traces.find(subject, removal.conference, now=now)
            RemovalStep.objects.bulk_create(
                [RemovalStep(removal=removal, code=trace.code, details=trace.kept()) for trace in found],
                ignore_conflicts=True,
            )
            removal.listed_at = now
            removal.save(update_fields=["listed_at"])
    except Exception as error:  # whatever it is, what was taken down stays so, and the page offers the list again
        log.error("removal_list_failed", removal=str(removal.public_id), error=type(error).__name__)
        removal.listed_at = None


@transaction.atomic(durable=True)
def lift(*, removal_id: int, reason: str, by: Actor, now: datetime) -> Removal:
    """Show it again as it was, and as the last release has it. Lifting twice is fine. Raises NeedsReason."""
    if not reason.strip():
        raise NeedsReason
    removal = Removal.objects.select_for_update().get(pk=removal_id)
    if removal.lifted_at is not None:
        return removal
    removal.lifted_at, removal.lifted_by, removal.lift_reason = now, by.user, reason.strip()
    removal.save(update_fields=["lifted_at", "lifted_by", "lift_reason"])
    subject = subjects.get(removal.kind, removal.subject_id)
    if subject is not None:  # else it was deleted meanwhile
        subjects.kinds()[removal.kind].show(subject, removal.before, now=now)
        for act in _follows:
            act(_again(subject), now)
    _audit(removal, "lifted", by=by, now=now)
    return removal


@transaction.atomic(durable=True)
def tick(*, step_id: int, is_done: bool, by: Actor, now: datetime) -> None:
    """Tick a step off, or take the tick back. Twice is fine."""
    step = RemovalStep.objects.select_for_update().select_related("removal").get(pk=step_id)
    if (step.done_at is not None) == is_done:
        return
    step.done_at, step.done_by = (now, by.user) if is_done else (None, None)
    step.save(update_fields=["done_at", "done_by"])
    _audit(step.removal, "step_done" if is_done else "step_open", by=by, now=now, code=step.code)


def made(conference: Conference, *, kind: str, by: Actor, release: int | None = None) -> None:
    """Note that an organiser made a document or a file: what kind, when, who, which release."""
    actors.audit_entry(
        at=timezone.now(),
        by=by,
        action=traces.MADE,
        about_kind="conference",
        about_id=conference.public_id,
        details={"kind": kind} | ({"release": release} if release is not None else {}),
    ).save()


@dataclass(frozen=True, slots=True)
class Line:
    """A step in words."""

    step: RemovalStep
    what: str
    todo: str


def lines(removal: Removal) -> list[Line]:
    """The work list in the active language."""
    rows = removal.steps.select_related("done_by").order_by("pk")
    return [Line(row, str(traces.words(row.code).what), str(traces.words(row.code).todo)) for row in rows]


def _again(subject: Subject) -> Subject:
    return subjects.get(subject.kind, subject.public_id) or subject


def _audit(removal: Removal, what: str, *, by: Actor, now: datetime, **more: str) -> None:
    actors.audit_entry(
        at=now,
        by=by,
        action=f"removal.{what}",
        about_kind=removal.kind,
        about_id=removal.subject_id,
        details={"removal": str(removal.public_id), **more},
    ).save()
