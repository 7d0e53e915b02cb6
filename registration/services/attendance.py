"""At the door: letting people in by their code, and taking a mistake back.

A device may repeat a request as often as it likes: the nonce finds the entry it made. Two stewards who read the
same code at the same moment make one entry, since the participant's row is locked before anything is decided.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import models, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance.exceptions import DomainError
from events.models import Conference, RegistrationMode, Room, Session
from events.releases.reading import published
from registration.door import codes as door_codes
from registration.models import (
    Admission,
    AttendanceMode,
    CheckIn,
    Participant,
    Registration,
    RegistrationStatus,
)

_S = RegistrationStatus
_SEATED = frozenset({_S.CONFIRMED, _S.ATTENDED, _S.ABSENT})

LATEST = timedelta(hours=24)  # how long a device may keep an entry while it is off-line
EARLIEST = timedelta(minutes=2)  # how far a device's clock may be ahead
MISSES = 20  # unknown codes of one steward
MISSES_WITHIN = timedelta(minutes=5)
UNKNOWN_CODE = "door.unknown_code"


class TooManyUnknownCodes(DomainError):
    """Somebody tries codes, or a scanner reads something else."""

    code = "too_many_unknown_codes"
    message = _("Too many unknown codes in a short time. Wait five minutes, or look the person up at the desk.")


class NonceUsedBefore(DomainError):
    """The device has used the same number for somebody else."""

    code = "nonce_used_before"
    message = _("This entry was sent before for another code. Read the code again.")


class Verdict(models.TextChoices):
    """What the door says."""

    WELCOME = "welcome", _("Welcome")
    ALREADY_IN = "already_in", _("Already in")
    NOT_REGISTERED = "not_registered", _("Not registered for this")
    ONLINE_ONLY = "online_only", _("Registered to attend on-line only")
    AWAITING_APPROVAL = "awaiting_approval", _("Awaiting approval")
    WAITING_LIST = "waiting_list", _("On the waiting list")
    CANCELLED = "cancelled", _("Registration cancelled")
    WRONG_DAY = "wrong_day", _("Not today")
    UNKNOWN_CODE = "unknown_code", _("Unknown code")


@dataclass(frozen=True, slots=True)
class Entry:
    """What came of reading a code.

    participant: whose it is, None for an unknown code. check_in: the entry made now or before. for_day: when the person
    is expected, if not today.
    """

    verdict: Verdict
    participant: Participant | None = None
    check_in: CheckIn | None = None
    for_day: date | None = None


@dataclass(frozen=True, slots=True)
class _Judgement:
    verdict: Verdict
    registration: Registration | None = None
    for_day: date | None = None
    moves: bool = False  # whether the entry says that the registration was used


def needs_own_registration(session: Session) -> bool:
    """Whether a session is entered by a registration of its own; otherwise that for the conference is enough."""
    if session.registration_mode in {RegistrationMode.OWN_FORM, RegistrationMode.INVITATION}:
        return True
    return Admission.objects.filter(session=session, mode=AttendanceMode.IN_PERSON).exists()


def day_of(session: Session, conference: Conference) -> date | None:
    """The day of a session on the venue's calendar, as far as known. Needs day loaded."""
    if session.starts_at is not None:
        return session.starts_at.astimezone(conference.zone).date()
    return session.day.date if session.day is not None else None


@transaction.atomic(durable=True)
@published
def check_in(
    *,
    conference: Conference,
    typed: str,
    session: Session | None,
    room: Room | None,
    nonce: UUID,
    at: datetime,
    by: Actor,
    now: datetime,
) -> Entry:
    """Let in whoever the code belongs to: to a session, or to the conference (session: None). Idempotent by nonce.

    typed: the code as read or typed. at: when the device read it; one that lies ahead of now or more than a day behind
    counts as now. by: the steward. Raises TooManyUnknownCodes, NonceUsedBefore.
    """
    _refuse_guessing(by, now=now)
    found = door_codes.find(conference_id=conference.pk, typed=typed)
    if found is None:
        if by.user is not None:
            _audit(UNKNOWN_CODE, "user", by.user.public_id, by=by, now=now, conference=str(conference.public_id))
        return Entry(Verdict.UNKNOWN_CODE)
    # First: whoever reads the same code at the same moment waits here.
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=found.pk)
    earlier = CheckIn.objects.filter(nonce=nonce).select_related("participant").first()
    if earlier is not None:
        if earlier.participant_id != found.pk:
            raise NonceUsedBefore
        return Entry(Verdict.WELCOME, found, earlier)
    at = at if now - LATEST <= at <= now + EARLIEST else now
    on_day = at.astimezone(conference.zone).date()
    judged = _judge(found, conference, session, on_day)
    if judged.registration is None or judged.verdict != Verdict.WELCOME:
        return Entry(judged.verdict, found, for_day=judged.for_day)
    door = CheckIn.objects.standing().at_door(
        conference_id=conference.pk, session_id=session.pk if session else None, on_day=on_day
    )
    standing = door.filter(participant=found).first()
    if standing is not None:
        return Entry(Verdict.ALREADY_IN, found, standing)
    made = CheckIn.objects.create(
        conference=conference,
        participant=found,
        registration=judged.registration,
        session=session,
        room=room,
        on_day=on_day,
        at=at,
        received_at=now,
        nonce=nonce,
        by=by.user,
    )
    if judged.moves:
        Registration.objects.filter(pk=judged.registration.pk, status__in=[_S.CONFIRMED, _S.ABSENT]).update(
            status=_S.ATTENDED, version=F("version") + 1
        )
    _audit(
        "registration.checked_in",
        "registration",
        judged.registration.public_id,
        by=by,
        now=now,
        session=str(session.public_id) if session else None,
        status_before=judged.registration.status,
    )
    return Entry(Verdict.WELCOME, found, made)


@transaction.atomic(durable=True)
def undo(*, conference: Conference, nonce: UUID, by: Actor, now: datetime, reason: str = "") -> CheckIn | None:
    """Take a check-in back that was made by mistake. Returns None when there is nothing to take back any more.

    reason: why, for the audit trail; a steward who has just made the mistake gives none.

    The registration is confirmed again, unless another check-in still says that it was used.
    """
    made = CheckIn.objects.filter(conference=conference, nonce=nonce).select_related("registration").first()
    if made is None:
        return None
    Participant.objects.select_for_update(no_key=True).only("pk").get(pk=made.participant_id)
    changed = CheckIn.objects.standing().filter(pk=made.pk).update(undone_at=now, undone_by=by.user)
    if not changed:
        return None
    if not CheckIn.objects.standing().filter(registration_id=made.registration_id).exists():
        Registration.objects.filter(pk=made.registration_id, status=_S.ATTENDED).update(
            status=_S.CONFIRMED, version=F("version") + 1
        )
    why = {"reason": reason} if reason else {}
    _audit("registration.check_in_undone", "registration", made.registration.public_id, by=by, now=now, **why)
    made.refresh_from_db(fields=["undone_at", "undone_by"])
    return made


def _refuse_guessing(by: Actor, *, now: datetime) -> None:
    if by.user is None:
        return
    misses = AuditEntry.objects.filter(
        about_id=by.user.public_id, action=UNKNOWN_CODE, at__gt=now - MISSES_WITHIN, at__lte=now
    )
    if misses.count() >= MISSES:
        raise TooManyUnknownCodes


def _audit(action: str, kind: str, about: UUID, *, by: Actor, now: datetime, **details: Any) -> None:
    actors.audit_entry(at=now, by=by, action=action, about_kind=kind, about_id=about, details=details).save()


# --- who may pass ----------------------------------------------------------------------------------------------------


def _judge(participant: Participant, conference: Conference, session: Session | None, on_day: date) -> _Judgement:
    """Whether the person may pass the door on that day, and by which registration. Locks the registrations."""
    mine = list(
        Registration.objects.select_for_update(no_key=True, of=("self",))
        .select_related("admission__session__day")
        .filter(participant=participant)
        .order_by("pk")
    )
    for_conference = [one for one in mine if one.admission.session_id is None]
    if session is None:
        return _judge_entrance(mine, for_conference, conference, on_day)
    for_session = [one for one in mine if one.admission.session_id == session.pk]
    fitting = for_session if needs_own_registration(session) else [*for_session, *for_conference]
    seat = _seat(fitting)
    if seat is None:
        return _Judgement(_why_not(fitting))
    day = day_of(session, conference)
    if day is not None and day != on_day:
        return _Judgement(Verdict.WRONG_DAY, for_day=day)
    return _Judgement(Verdict.WELCOME, seat, moves=True)


def _judge_entrance(
    mine: list[Registration], for_conference: list[Registration], conference: Conference, on_day: date
) -> _Judgement:
    """At the entrance: with the conference on its days, with a side event on the day of that."""
    seat = _seat(for_conference)
    if seat is not None:
        first, last = conference.starts_on, conference.ends_on
        if first is not None and last is not None and not first <= on_day <= last:
            return _Judgement(Verdict.WRONG_DAY, for_day=first)
        return _Judgement(Verdict.WELCOME, seat, moves=True)
    days: list[date] = []
    for one in mine:
        if one.admission.session is not None and _is_seat(one):
            day = day_of(one.admission.session, conference)
            if day is None or day == on_day:
                return _Judgement(Verdict.WELCOME, one)
            days.append(day)
    if days:
        return _Judgement(Verdict.WRONG_DAY, for_day=min([day for day in days if day > on_day], default=max(days)))
    return _Judgement(_why_not(for_conference or mine))


def _is_seat(registration: Registration) -> bool:
    return registration.status in _SEATED and registration.admission.mode == AttendanceMode.IN_PERSON


def _seat(registrations: Iterable[Registration]) -> Registration | None:
    return next((one for one in registrations if _is_seat(one)), None)


def _why_not(registrations: Iterable[Registration]) -> Verdict:
    """Why nobody passes with these, the most hopeful reason first."""
    in_person = {one.status for one in registrations if one.admission.mode == AttendanceMode.IN_PERSON}
    if in_person & {_S.WAITLISTED, _S.OFFERED}:
        return Verdict.WAITING_LIST
    if _S.PENDING in in_person:
        return Verdict.AWAITING_APPROVAL
    if any(one.status in _SEATED for one in registrations):
        return Verdict.ONLINE_ONLY
    return Verdict.CANCELLED if _S.CANCELLED in in_person else Verdict.NOT_REGISTERED


# --- figures at the door ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Count:
    """How many are in, and how many hold a place. At the entrance: of this day, and of the conference."""

    here: int
    expected: int


def count(*, conference: Conference, session: Session | None, on_day: date) -> Count:
    """The figures of one door. At most three queries."""
    here = (
        CheckIn.objects.standing()
        .at_door(conference_id=conference.pk, session_id=session.pk if session else None, on_day=on_day)
        .count()
    )
    own = session if session is not None and needs_own_registration(session) else None
    expected = Registration.objects.filter(
        admission__conference=conference,
        admission__session=own,
        admission__mode=AttendanceMode.IN_PERSON,
        status__in=_SEATED,
    ).count()
    return Count(here, expected)
