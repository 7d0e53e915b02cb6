"""Changes of the programme as a whole: order, states, times and rooms of many sessions at once, and duplicates.

Every change here is all or nothing. The sessions are locked first, in the order of their keys; what the organiser saw
is compared with them by a stamp, so that nobody moves what somebody else has just moved. Nothing here is published:
the public sees the last release.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import db
from alliance.exceptions import DomainError
from events import cloning
from events.models import Conference, ConferenceDay, Room, Segment, Session, SessionState

MINUTES_AT_MOST = 24 * 60  # further away is another day: the programme page moves between days

# Which state may follow which. A cancelled session is published again only by way of the draft: nobody does it unseen.
MOVES: dict[SessionState, frozenset[str]] = {
    SessionState.SCHEDULED: frozenset({SessionState.DRAFT}),
    SessionState.DRAFT: frozenset({SessionState.SCHEDULED, SessionState.CANCELLED}),
    SessionState.CANCELLED: frozenset({SessionState.DRAFT, SessionState.SCHEDULED}),
}


class ProgrammeChanged(DomainError):
    """The order, or the chosen sessions, are not what the organiser saw."""

    code = "programme_changed"
    message = gettext_lazy(
        "Somebody else has changed these sessions meanwhile. Nothing was changed now; look again and repeat it."
    )


class RoomTaken(DomainError):
    """Two sessions would be in one room at the same time."""

    code = "room_taken"
    message = gettext_lazy("Another session is in this room at that time.")


class NotPossible(DomainError):
    """A change that does not fit some of the chosen sessions."""

    code = "not_possible"


# --- what the organiser saw -----------------------------------------------------------------------------------------


def order_stamp(sessions: Iterable[Session]) -> str:
    """Says which sessions stand where. Titles and times may change without it."""
    return _digest(sorted((session.pk, session.day_id or 0, session.position) for session in sessions))


def stamp(sessions: Iterable[Session]) -> str:
    """Says in which state, when and where the sessions are."""
    return _digest(
        sorted(
            (one.pk, str(one.state), one.day_id or 0, one.room_id or 0, _instant(one.starts_at), _instant(one.ends_at))
            for one in sessions
        )
    )


def _instant(value: datetime | None) -> str:
    return "" if value is None else value.astimezone(UTC).isoformat()


def _digest(facts: Sequence[object]) -> str:
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:32]


def _locked(**chosen: object) -> list[Session]:
    """The sessions, locked, with what the rules need."""
    rows = Session.objects.filter(**chosen).select_related("conference", "day", "room")
    return list(rows.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _chosen(session_ids: Iterable[int], seen: str | None) -> list[Session]:
    wanted = set(session_ids)
    sessions = _locked(pk__in=wanted)
    if len(sessions) != len(wanted) or (seen is not None and stamp(sessions) != seen):
        raise ProgrammeChanged
    return sessions


# --- order ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DayOrder:
    """The sessions of a day from first to last. day_id is None for those without a day."""

    day_id: int | None
    session_ids: list[int]


Arrange = Callable[[list[DayOrder]], list[DayOrder]]


@transaction.atomic
def arrange(*, conference_id: int, seen: str, order: list[DayOrder]) -> list[Session]:
    """Put all sessions of a conference in this order. Returns those that changed.

    A session that goes to another day keeps its time on the venue's clock. seen: order_stamp() of what was shown.
    Raises ProgrammeChanged, RoomTaken.
    """
    return _arrange(conference_id, seen, lambda _now: order)


@transaction.atomic
def step(*, session_id: int, by: int, seen: str) -> list[Session]:
    """Move a session up (by -1) or down (by 1) within its day; at the end of the day nothing happens.

    Returns the sessions that changed. Raises ProgrammeChanged.
    """

    def stepped(days: list[DayOrder]) -> list[DayOrder]:
        for day in days:
            if session_id in day.session_ids:
                place = day.session_ids.index(session_id)
                other = place + by
                if 0 <= other < len(day.session_ids):
                    ids = day.session_ids
                    ids[place], ids[other] = ids[other], ids[place]
        return days

    return _arrange(_conference_of(session_id), seen, stepped)


@transaction.atomic
def to_day(*, session_id: int, day_id: int | None, seen: str) -> list[Session]:
    """Move a session to the end of another day, or to those without a day, at the same time of the day.

    Returns the sessions that changed. Raises ProgrammeChanged, RoomTaken.
    """

    def moved(days: list[DayOrder]) -> list[DayOrder]:
        if day_id not in {day.day_id for day in days}:
            days.append(DayOrder(day_id, []))
        for day in days:
            if session_id in day.session_ids:
                day.session_ids.remove(session_id)
            if day.day_id == day_id:
                day.session_ids.append(session_id)
        return days

    return _arrange(_conference_of(session_id), seen, moved)


def _conference_of(session_id: int) -> int:
    found = Session.objects.filter(pk=session_id).values_list("conference_id", flat=True).first()
    if found is None:
        raise ProgrammeChanged
    return found


def _arrange(conference_id: int, seen: str, arranged: Arrange) -> list[Session]:
    Conference.objects.select_for_update(no_key=True).get(pk=conference_id)  # two orders at once: the second waits
    sessions = _locked(conference_id=conference_id)
    if order_stamp(sessions) != seen:
        raise ProgrammeChanged
    days = {day.pk: day for day in ConferenceDay.objects.filter(conference_id=conference_id)}
    order = arranged(_as_it_stands(sessions))
    by_key = {session.pk: session for session in sessions}
    named = [key for entry in order for key in entry.session_ids]
    if sorted(named) != sorted(by_key) or {entry.day_id for entry in order} - {None, *days}:
        raise ProgrammeChanged
    changed, shifts = [], {}
    for entry in order:
        for position, key in enumerate(entry.session_ids, start=1):
            session = by_key[key]
            if (session.day_id, session.position) == (entry.day_id, position):
                continue
            if session.day_id != entry.day_id and entry.day_id is not None:
                shifts[key] = _days_between(session, days[entry.day_id])
            session.day = days[entry.day_id] if entry.day_id is not None else None
            session.position = position
            changed.append(session)
    _shift_days([session for session in changed if shifts.get(session.pk)], shifts)
    _save(changed, ["day", "position", "starts_at", "ends_at"])
    return changed


def _as_it_stands(sessions: list[Session]) -> list[DayOrder]:
    days: dict[int | None, DayOrder] = {}
    for session in sorted(
        sessions, key=lambda one: (one.day is None, one.day and one.day.number, one.position, one.pk)
    ):
        days.setdefault(session.day_id, DayOrder(session.day_id, [])).session_ids.append(session.pk)
    return list(days.values())


def _days_between(session: Session, day: ConferenceDay) -> timedelta:
    """How far the session's times move to be on the day."""
    if session.starts_at is None:
        return timedelta()
    return day.date - session.starts_at.astimezone(session.conference.zone).date()


def _shift_days(sessions: list[Session], shifts: dict[int, timedelta]) -> None:
    by_key = {session.pk: session for session in sessions}

    def moved(instant: datetime | None, session: Session) -> datetime | None:
        return instant and cloning.same_clock(instant, session.conference.zone, shifts[session.pk])

    segments = list(_timed_segments(by_key))
    rows: list[tuple[Session | Segment, Session]] = [(one, one) for one in sessions]
    rows += [(one, by_key[one.session_id]) for one in segments]
    for row, session in rows:
        row.starts_at, row.ends_at = moved(row.starts_at, session), moved(row.ends_at, session)
    Segment.objects.bulk_update(segments, ["starts_at", "ends_at"])


def _timed_segments(session_ids: Iterable[int]) -> Iterable[Segment]:
    rows = Segment.objects.filter(session__in=list(session_ids), starts_at__isnull=False)
    return rows.select_for_update(no_key=True).order_by("pk")


# --- many sessions at once ------------------------------------------------------------------------------------------


@transaction.atomic
def set_state(*, session_ids: Iterable[int], state: SessionState, seen: str | None = None) -> list[Session]:
    """Publish, take back to draft or cancel sessions. Returns those that changed; the others had the state already.

    Raises NotPossible for a move that MOVES does not know, RoomTaken, ProgrammeChanged.
    """
    sessions = [session for session in _chosen(session_ids, seen) if session.state != state]
    if wrong := [session for session in sessions if session.state not in MOVES[state]]:
        raise NotPossible(
            _("Not from this state: %(sessions)s. Set them back to draft first.")
            % {"sessions": ", ".join(f"{_name(one)} ({one.get_state_display()})" for one in wrong)}
        )
    for session in sessions:
        session.state = state
    _save(sessions, ["state"])
    return sessions


@transaction.atomic
def shift(*, session_ids: Iterable[int], minutes: int, seen: str | None = None) -> list[Session]:
    """Move sessions and their segments by minutes, earlier when negative. Returns them, without those without a time.

    Raises NotPossible when one would leave its day, RoomTaken, ProgrammeChanged.
    """
    if not 0 < abs(minutes) <= MINUTES_AT_MOST:
        raise NotPossible(
            _("Give the minutes: 1 to %(most)d, with a minus to move earlier.") % {"most": MINUTES_AT_MOST}
        )
    by = timedelta(minutes=minutes)
    sessions = [session for session in _chosen(session_ids, seen) if session.starts_at is not None]
    segments = list(_timed_segments(session.pk for session in sessions))
    leaving = []
    for session in sessions:
        zone, before = session.conference.zone, session.starts_at
        _move(session, by)
        if before and session.starts_at and session.starts_at.astimezone(zone).date() != before.astimezone(zone).date():
            leaving.append(session)
    if leaving:
        raise NotPossible(
            _("These would start on another day: %(sessions)s.") % {"sessions": ", ".join(map(_name, leaving))}
        )
    for segment in segments:
        _move(segment, by)
    Segment.objects.bulk_update(segments, ["starts_at", "ends_at"])
    _save(sessions, ["starts_at", "ends_at"])
    return sessions


def _move(row: Session | Segment, by: timedelta) -> None:
    row.starts_at = row.starts_at and row.starts_at + by
    row.ends_at = row.ends_at and row.ends_at + by


@transaction.atomic
def set_room(*, session_ids: Iterable[int], room_id: int | None, seen: str | None = None) -> list[Session]:
    """Put sessions into a room, or into none. Returns those that changed. Raises RoomTaken, ProgrammeChanged."""
    room = None if room_id is None else Room.objects.get(pk=room_id)
    sessions = [session for session in _chosen(session_ids, seen) if session.room_id != room_id]
    for session in sessions:
        session.room = room
    _save(sessions, ["room"])
    return sessions


# --- taking back ----------------------------------------------------------------------------------------------------

PUT_BACK = ("state", "day_id", "position", "room_id", "starts_at", "ends_at")


def locked(session_ids: Iterable[int]) -> list[Session]:
    """The sessions, locked until the end of the transaction."""
    return _locked(pk__in=list(session_ids))


def put_back(rows: Iterable[tuple[Session, dict[str, Any]]], segments: Iterable[Sequence[Any]]) -> list[Session]:
    """Give locked sessions what they had (PUT_BACK, instants as ISO texts), and segments (key, start, end) their times.

    Whether nobody changed them since was checked by the caller. Raises RoomTaken, ProgrammeChanged when a day or room
    is gone.
    """
    changed = []
    for session, values in rows:
        for name, value in values.items():
            is_instant = name in ("starts_at", "ends_at") and value is not None
            setattr(session, name, datetime.fromisoformat(value) if is_instant else value)
        changed.append(session)
    days = {session.day_id for session in changed if session.day_id is not None}
    rooms = {session.room_id for session in changed if session.room_id is not None}
    if ConferenceDay.objects.filter(pk__in=days).count() < len(days):
        raise ProgrammeChanged
    if Room.objects.filter(pk__in=rooms).count() < len(rooms):
        raise ProgrammeChanged
    for key, start, end in segments:
        Segment.objects.filter(pk=key).update(
            starts_at=start and datetime.fromisoformat(start), ends_at=end and datetime.fromisoformat(end)
        )
    _save(changed, ["state", "day", "position", "room", "starts_at", "ends_at"])
    return changed


def _save(sessions: list[Session], fields: list[str]) -> None:
    """Write the sessions in one statement: exchanging two rooms or times is no conflict."""
    _refuse_double_booking(sessions)
    now = timezone.now()
    for session in sessions:
        session.updated_at = now
    try:
        with transaction.atomic():
            Session.objects.bulk_update(sessions, [*fields, "updated_at"])
    except IntegrityError as error:
        if db.constraint_name(error) != "session_room_is_free":
            raise
        raise RoomTaken from error  # somebody was faster than the look around below


def _refuse_double_booking(changed: list[Session]) -> None:
    """Say which sessions would be in one room at the same time. The constraint has the last word."""
    moved = [session for session in changed if session.state == SessionState.SCHEDULED]
    rooms = {session.room_id for session in moved if session.room_id is not None}
    if not rooms:
        return
    others = Session.objects.filter(room__in=rooms, state=SessionState.SCHEDULED, starts_at__isnull=False)
    by_room: dict[int | None, list[Session]] = {}
    for session in [*moved, *others.exclude(pk__in=[one.pk for one in changed]).select_related("room", "conference")]:
        if session.room_id is not None and session.starts_at is not None:
            by_room.setdefault(session.room_id, []).append(session)
    clashes = [
        (one, other)
        for sessions in by_room.values()
        for one, other in pairwise(sorted(sessions, key=lambda session: (session.starts_at, session.pk)))
        if one.ends_at and other.starts_at and other.starts_at < one.ends_at
    ]
    if clashes:
        texts = [
            _("%(room)s: %(one)s (%(one_time)s) and %(other)s (%(other_time)s)")
            % {
                "room": one.room and one.room.name,
                "one": _name(one),
                "one_time": _span(one),
                "other": _name(other),
                "other_time": _span(other),
            }
            for one, other in clashes[:5]
        ]
        raise RoomTaken(
            _("Two sessions would be in one room at the same time. %(clashes)s.") % {"clashes": "; ".join(texts)}
        )


def _name(session: Session) -> str:
    return f"“{session.title}”"


def _span(session: Session) -> str:
    zone = session.conference.zone
    if session.starts_at is None or session.ends_at is None:
        return ""
    return f"{session.starts_at.astimezone(zone):%H:%M}–{session.ends_at.astimezone(zone):%H:%M}"


# --- duplicates -----------------------------------------------------------------------------------------------------


@transaction.atomic
def duplicate(*, session_id: int) -> Session:
    """Copy a session, as a draft right behind it, with segments, texts and convenors, and speakers as invited.

    Key, address and number are new. Admissions, papers and results stay with the original.
    Raises NotPossible for a session that was taken down: the copy would show its texts again.
    """
    conference_id = _conference_of(session_id)
    Conference.objects.select_for_update(no_key=True).get(pk=conference_id)  # two duplicates need two names
    session = Session.objects.select_related("conference").get(pk=session_id)
    if session.taken_down_at is not None:
        raise NotPossible(_("This session was taken down. A copy would show it again."))
    others = Session.objects.filter(conference=session.conference)
    number = None
    if session.number is not None:
        highest = others.filter(kind=session.kind).aggregate(highest=Max("number"))["highest"]
        number = (highest or 0) + 1
    others.filter(day=session.day_id, position__gt=session.position).update(position=F("position") + 1)
    new = cloning.copy_of(
        session,
        without=cloning.OF_ONE_SESSION,
        key=_free(session.key, set(others.values_list("key", flat=True)), 80),
        slug=_free(session.slug, set(others.values_list("slug", flat=True)), 120),
        number=number,
        position=session.position + 1,
        state=SessionState.DRAFT,
    )
    new.save(force_insert=True)
    copying = cloning.Copying(session.conference, session.conference, timedelta(), {session.pk: new})
    cloning.copy_session_rows(copying)
    for part in cloning.parts():
        if part.of_sessions:
            part.copy(copying)
    return new


def _free(name: str, taken: set[str], most: int) -> str:
    """A name like this one that nobody has, within the length of the field."""
    for number in range(1, len(taken) + 2):
        end = "-copy" if number == 1 else f"-copy-{number}"
        if (found := name[: most - len(end)] + end) not in taken:
            return found
    raise AssertionError("there are more names than taken ones")
