"""Two rows of one person made one: a plan that organisers look at, and carrying it out in one transaction.

Nobody under an alias and no member of a delegation is ever merged: the one would give the alias away, the other would
join what a delegation named with what somebody did on their own (docs/delegations.md).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance.exceptions import DomainError
from events.models import Conference
from events.releases.reading import published
from outbox.models import OPEN_STATES, Message
from registration import duplicates
from registration.letters import organiser_mails
from registration.models import (
    Admission,
    AskedFor,
    CheckIn,
    Consent,
    DifferentPeople,
    OptOut,
    Participant,
    Places,
    QuestionAnswer,
    Registration,
    RegistrationStatus,
    SeatPair,
    TakeDown,
)
from registration.models.registration import TAKING
from registration.questions import answers
from registration.questions.answers import Given
from registration.services import invitations, pairs, waiting_list

_S = RegistrationStatus
# Which of two registrations for the same thing is the better one.
_RANK = {_S.ATTENDED: 6, _S.ABSENT: 5, _S.CONFIRMED: 4, _S.OFFERED: 3, _S.WAITLISTED: 2, _S.PENDING: 1}

# Data that may come from either row; name and address are those of the row that stays. Each stands with its columns.
FIELDS: dict[str, tuple[str, ...]] = {
    "category": ("category",),
    "country": ("country",),
    "organisation": ("organisation", "organisation_text"),
    "function": ("function",),
    "language": ("language",),
    "interpretation_language": ("interpretation_language",),
}


class CannotMerge(DomainError):
    """One of the two may not be joined with anybody."""

    code = "cannot_merge"
    message = _(
        "These two cannot be merged: people under an alias, members of delegations and people who have been erased "
        "stay as they are."
    )


class BothWereThere(DomainError):
    """Both rows were let in to the same thing, so they are two people, or the check-ins are wrong."""

    code = "both_were_there"
    message = _("Both were checked in, or noted as absent, for the same thing. Undo the wrong check-in first.")


class PlanChanged(DomainError):
    """Something has happened since the plan was shown."""

    code = "merge_plan_changed"
    message = _("Something has changed since you looked. Look at the plan again.")


@dataclass(frozen=True, slots=True)
class Line:
    """What becomes of the registrations for one admission: one is kept, the other cancelled."""

    kept: Registration
    cancelled: tuple[Registration, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What merging would do. seen: what it was made from, so that nothing else is carried out."""

    stays: Participant
    goes: Participant
    lines: tuple[Line, ...]
    seen: str


def plan(*, stays_id: int, goes_id: int) -> Plan:
    """What merging the two would do now. Raises CannotMerge, BothWereThere, Participant.DoesNotExist."""
    people = {
        one.pk: one
        for one in Participant.objects.select_related("conference", "country", "organisation", "identity_key").filter(
            pk__in=[stays_id, goes_id]
        )
    }
    stays, goes = people.get(stays_id), people.get(goes_id)
    if stays is None or goes is None:
        raise Participant.DoesNotExist
    return _planned(stays, goes)


def _planned(stays: Participant, goes: Participant) -> Plan:
    if stays.pk == goes.pk or stays.conference_id != goes.conference_id:
        raise CannotMerge
    if duplicates.comparable(stays.conference).filter(pk__in=[stays.pk, goes.pk]).count() != 2:
        raise CannotMerge
    registrations = list(
        Registration.objects.filter(participant__in=[stays, goes])
        .select_related("admission__session", "admission__conference")
        .order_by("admission_id", "pk")
    )
    by_admission: dict[int, list[Registration]] = defaultdict(list)
    for one in registrations:
        if one.status in _RANK:
            by_admission[one.admission_id].append(one)
    lines = [_line(rows, stays) for rows in by_admission.values()]
    lines = _one_seat_for_each_thing(lines, stays)
    state: list[tuple[object, ...]] = [(one.pk, one.version, one.status, one.position) for one in registrations]
    state += [(one.pk, one.updated_at.isoformat(), one.link_version, one.category) for one in (stays, goes)]
    return Plan(stays, goes, tuple(lines), hashlib.sha256(repr(state).encode()).hexdigest())


def _line(rows: list[Registration], stays: Participant) -> Line:
    def better(one: Registration) -> tuple[int, int, bool, int]:
        return (_RANK[_S(one.status)], -(one.position or 0), one.participant_id == stays.pk, -one.pk)

    kept, *others = sorted(rows, key=better, reverse=True)
    if any(not one.may_become(_S.CANCELLED) for one in others):
        raise BothWereThere
    return Line(kept, tuple(others))


def _one_seat_for_each_thing(lines: list[Line], stays: Participant) -> list[Line]:
    """Whoever would hold two seats for one thing, in the room and on-line, keeps the better or their own."""
    by_thing: dict[int | None, list[Line]] = defaultdict(list)
    for line in lines:
        if line.kept.status in TAKING and line.kept.may_become(_S.CANCELLED):
            by_thing[line.kept.admission.session_id].append(line)
    found = []
    for line in lines:
        seats = by_thing[line.kept.admission.session_id]
        best = max(
            seats,
            key=lambda one: (_RANK[_S(one.kept.status)], one.kept.participant_id == stays.pk, -one.kept.pk),
            default=line,
        )
        is_second = line in seats and line is not best
        if is_second and len({one.kept.participant_id for one in seats}) > 1:
            line = Line(best.kept, (line.kept, *line.cancelled))
        found.append(line)
    return found


@transaction.atomic(durable=True)
@published
def merge(
    *, stays_id: int, goes_id: int, seen: str, from_other: Collection[str], by: Actor, now: datetime
) -> Participant:
    """Make two rows one: the row that goes is deleted with its key, and its links and codes die. Returns who stays.

    seen: of the plan that the organiser looked at. from_other: which of FIELDS are taken from the row that goes. Freed
    seats go to the next in line in the same transaction. Locks: people, then places, each in the order of their keys.
    Before both their invitations, as accepting does. Raises CannotMerge, BothWereThere, PlanChanged,
    Participant.DoesNotExist.
    """
    invitations.lock(Participant.objects.select_related("identity_key").filter(pk__in=[stays_id, goes_id]))
    locked = Participant.objects.select_for_update(of=("self",)).filter(pk__in=[stays_id, goes_id]).order_by("pk")
    list(locked)
    first = plan(stays_id=stays_id, goes_id=goes_id)
    _seal_answers_anew(first.stays, first.goes)  # slow: before the places are locked
    admissions = {line_row.admission_id for line in first.lines for line_row in (line.kept, *line.cancelled)}
    list(Places.objects.select_for_update(no_key=True).filter(pk__in=admissions).order_by("pk"))
    planned = plan(stays_id=stays_id, goes_id=goes_id)
    if planned.seen != seen:
        raise PlanChanged
    stays, goes = planned.stays, planned.goes
    seats = [one for line in planned.lines for one in line.cancelled if one.status in TAKING - {_S.OFFERED}]
    freed = _cancel(planned, by=by, now=now)
    moved = _move_registrations(planned, by=by, now=now)
    _move_check_ins(planned, now=now)
    _move_wishes(stays, goes)
    _move_consents(stays, goes)
    _take_data(stays, goes, from_other)
    _move_messages(stays, goes, now=now)
    details = {
        "other": str(goes.public_id),
        "moved": moved,
        "cancelled": sum(len(one.cancelled) for one in planned.lines),
    }
    _audit("participant.merged", stays, by=by, now=now, **details)
    _audit("participant.merged_away", goes, by=by, now=now, other=str(stays.public_id))
    outbox.services.queue([organiser_mails.merged(stays, other=str(goes.public_id), now=now, given_up=seats)])
    goes.delete()
    for admission in Admission.objects.with_meeting().filter(pk__in=freed).order_by("pk"):
        waiting_list.promote_locked(admission, now=now)
    return stays


@transaction.atomic
def tell_apart(*, conference: Conference, first_id: int, second_id: int, by: Actor, now: datetime) -> None:
    """Remember that two people are not the same. Saying it twice is fine. Raises CannotMerge, as merging would."""
    pair = list(duplicates.comparable(conference).filter(pk__in=[first_id, second_id]).order_by("pk"))
    if len(pair) != 2:
        raise CannotMerge
    _row, is_new = DifferentPeople.objects.get_or_create(first=pair[0], second=pair[1], defaults={"at": now})
    if is_new:
        for one in pair:
            _audit("participant.told_apart", one, by=by, now=now)


def _audit(action: str, participant: Participant, *, by: Actor, now: datetime, **details: Any) -> None:
    actors.audit_entry(
        at=now, by=by, action=action, about_kind="participant", about_id=participant.public_id, details=details
    ).save()


def _cancel(planned: Plan, *, by: Actor, now: datetime) -> set[int]:
    """Cancel the worse ones; the admissions where that frees a seat or a place in line."""
    cancelled = [one for line in planned.lines for one in line.cancelled]
    AuditEntry.objects.bulk_create(
        actors.audit_entry(
            at=now,
            by=by,
            action="registration.cancelled",
            about_kind="registration",
            about_id=one.public_id,
            details={"status_before": one.status, "merged_into": str(planned.stays.public_id)},
        )
        for one in cancelled
    )
    for line in planned.lines:
        for one in line.cancelled:
            pairs.pass_on(one, line.kept)
    for one in cancelled:
        one.status = _S.CANCELLED
        one.position = None
        one.cancelled_at = now
        one.version += 1
        one.save(update_fields=["status", "position", "cancelled_at", "version"])
    pairs.end_along(cancelled, by=by, now=now)
    return {one.admission_id for one in cancelled}


def _move_registrations(planned: Plan, *, by: Actor, now: datetime) -> int:
    """Give the rows of the one to the other, ended ones too: they say what was decided before."""
    rows = list(Registration.objects.filter(participant=planned.goes).order_by("pk"))
    Registration.objects.filter(pk__in=[one.pk for one in rows]).update(participant=planned.stays)
    SeatPair.objects.filter(named_by=planned.goes).update(named_by=planned.stays)
    AuditEntry.objects.bulk_create(
        actors.audit_entry(
            at=now,
            by=by,
            action="registration.merged",
            about_kind="registration",
            about_id=one.public_id,
            details={"from": str(planned.goes.public_id)},
        )
        for one in rows
    )
    return len(rows)


def _move_check_ins(planned: Plan, *, now: datetime) -> None:
    """Entries pass on; of two at the same door the later one is undone. Those of a cancelled row belong to the kept."""
    for line in planned.lines:
        CheckIn.objects.filter(registration__in=line.cancelled).update(registration=line.kept)
    own = CheckIn.objects.standing().filter(participant=planned.stays)
    doors = {(one.session_id, one.on_day if one.session_id is None else None) for one in own}
    for entry in CheckIn.objects.filter(participant=planned.goes).order_by("pk"):
        door = (entry.session_id, entry.on_day if entry.session_id is None else None)
        if entry.undone_at is None and door in doors:
            entry.undone_at = max(now, entry.received_at)
        entry.participant = planned.stays
        entry.save(update_fields=["participant", "undone_at"])


def _move_wishes(stays: Participant, goes: Participant) -> None:
    """What a form asked for with the other address waits on the page of who stays, unless they asked for it too."""
    own = set(AskedFor.objects.filter(participant=stays).values_list("admission__session", flat=True))
    for wish in AskedFor.objects.filter(participant=goes).select_related("admission"):
        if wish.admission.session_id not in own:  # of two ways to attend one thing the later wish counts
            AskedFor.objects.filter(pk=wish.pk).update(participant=stays)


def _move_consents(stays: Participant, goes: Participant) -> None:
    """Of each purpose the newest word counts, whichever row it was said in; the ledger only gets new lines."""
    newest: dict[str, Consent] = {}
    for line in Consent.objects.filter(participant__in=[stays, goes]).order_by("at", "pk"):
        newest[line.purpose] = line
    for line in newest.values():
        if line.participant_id == goes.pk:
            line.pk = None
            line._state.adding = True
            line.participant = stays
            line.save(force_insert=True)
    for open_one in TakeDown.objects.filter(participant=goes):
        is_there = TakeDown.objects.filter(participant=stays, purpose=open_one.purpose, done_at__isnull=True)
        if open_one.done_at is None and is_there.exists():
            continue  # goes with the row
        open_one.participant = stays
        open_one.save(update_fields=["participant"])
    if not OptOut.objects.filter(about_id=stays.public_id).exists():
        OptOut.objects.filter(about_id=goes.public_id).update(about_id=stays.public_id)
    OptOut.objects.filter(about_id=goes.public_id).delete()
    invitations.pass_on(goes, stays)


def _seal_answers_anew(stays: Participant, goes: Participant) -> None:
    """Answers to questions that the row that stays has not answered, under its key."""
    old_key, new_key = answers.key_of(goes), answers.key_of(stays)
    if old_key is None or new_key is None:
        raise CannotMerge
    answered = QuestionAnswer.objects.filter(participant=stays).values("question")
    rows = []
    for answer in (
        QuestionAnswer.objects.filter(participant=goes).exclude(question__in=answered).select_related("question")
    ):
        value = answers.opened_file(answer, old_key) if answer.sealed_file else answers.opened(answer, old_key)
        rows += answers.sealed([Given(answer.question, value)], key=new_key, now=answer.answered_at)
    for row in rows:
        row.participant = stays
    QuestionAnswer.objects.bulk_create(rows)


def _take_data(stays: Participant, goes: Participant, from_other: Collection[str]) -> None:
    """What was chosen field by field; needs of both are kept, and nobody has to read them for that.

    Whoever corrected group, country or organisation in one of the rows has corrected them: the later time counts.
    """
    corrected = [at for at in (stays.audience_changed_at, goes.audience_changed_at) if at is not None]
    stays.audience_changed_at = max(corrected, default=None)
    for name in FIELDS:
        if name in from_other:
            for column in FIELDS[name]:
                setattr(stays, column, getattr(goes, column))
    stays.time_zone = stays.time_zone or goes.time_zone
    needs = dict.fromkeys(text for text in (stays.accessibility_needs, goes.accessibility_needs) if text)
    stays.accessibility_needs = "\n".join(needs)
    columns = [column for columns in FIELDS.values() for column in columns]
    stays.save(update_fields=[*columns, "time_zone", "accessibility_needs", "audience_changed_at", "updated_at"])


def _move_messages(stays: Participant, goes: Participant, *, now: datetime) -> None:
    """The history passes on. What has not left is said by the new mail, but for written messages: these are queued."""
    about = Message.objects.filter(about_kind="participant", about_id=goes.public_id)
    unsent = Q(state__in=[*OPEN_STATES, "held"])
    written = list(about.filter(unsent, topic=organiser_mails.ANNOUNCEMENT))
    about.exclude(unsent).update(about_id=stays.public_id)
    outbox.services.queue(organiser_mails.passed_on(message, stays, now=now) for message in written)
