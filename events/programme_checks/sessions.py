"""Times, languages, rooms and segments of sessions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from django.db.models import Max, Min

from events.models import Segment, Session, SessionKind, SessionState
from events.programme_checks.core import Finding, Programme, error, row_of, row_within, title, warning


def check_sessions(programme: Programme) -> Iterator[Finding]:
    """Times and languages of sessions. A session without languages of its own has those of the conference."""
    conference = programme.conference
    if conference.interpretation_languages and not conference.working_languages:
        text = f"{title(conference)} has interpretation, but no working language to interpret from."
        yield error("interpretation_without_language", text, row_of(conference))
    for session in programme.sessions:
        yield from _check_time(programme, session)
        if session.kind == SessionKind.BREAK or session.working_languages or conference.working_languages:
            continue
        row = row_of(session)
        if session.interpretation_languages:
            text = f"{title(session)} has interpretation, but no working language to interpret from."
            yield error("interpretation_without_language", text, row)
        else:
            yield warning("language_missing", f"{title(session)} has no working language.", row)


def _check_time(programme: Programme, session: Session) -> Iterator[Finding]:
    conference, day, row = programme.conference, session.day, row_of(session)
    if session.starts_at is None or session.ends_at is None:
        yield warning("time_missing", f"{title(session)} has no time.", row)
        days = [day.date] if day is not None else []
    else:
        start, end = programme.local(session.starts_at), programme.local(session.ends_at)
        days = [start.date()]
        if day is not None and start.date() != day.date:
            text = f"{title(session)} starts on {start:%Y-%m-%d %H:%M}, but stands in day {day.number} ({day.date})."
            yield error("time_outside_day", text, row)
        elif end.date() > start.date() and end.time() != end.time().min:
            text = (
                f"{title(session)} starts on {start:%Y-%m-%d %H:%M} and ends after midnight, on {end:%Y-%m-%d %H:%M}."
            )
            yield warning("ends_after_midnight", text, row)
    first, last = conference.starts_on, conference.ends_on
    if first is not None and last is not None and any(not first <= date <= last for date in days):
        text = f"{title(session)} is on {days[0]:%Y-%m-%d}, outside the conference ({first} to {last})."
        yield error("outside_conference", text, row)


def check_rooms(programme: Programme) -> Iterator[Finding]:
    """Rooms with two sessions at once. The database refuses two that are scheduled; drafts only show that they will be.

    Sessions of other conferences in the same rooms count as well.
    """
    own = [session for session in programme.sessions if session.room_id is not None and session.starts_at is not None]
    if not own:
        return
    span = Session.objects.filter(pk__in=[session.pk for session in own]).aggregate(Min("starts_at"), Max("ends_at"))
    others = (
        Session.objects.filter(room__in={session.room_id for session in own})
        .filter(starts_at__lt=span["ends_at__max"], ends_at__gt=span["starts_at__min"])
        .exclude(conference=programme.conference)
        .exclude(state=SessionState.CANCELLED)
        .order_by("pk")
    )
    in_room: dict[int | None, list[Session]] = {}
    for session in [*own, *others]:
        in_room.setdefault(session.room_id, []).append(session)
    for together in in_room.values():
        for one, other in combinations(together, 2):
            if one.conference_id != programme.conference.pk or not _overlap(one, other):
                continue
            room = one.room.name.best("en").text if one.room is not None else ""
            text = f"{title(one)} and {title(other)} are in {room} at the same time."
            yield warning("room_double_booked", text, row_of(one))


def _overlap(one: Session, other: Session) -> bool:
    if one.starts_at is None or one.ends_at is None or other.starts_at is None or other.ends_at is None:
        return False
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at


def check_segments(programme: Programme) -> Iterator[Finding]:
    """Segments whose times lie outside those of their session."""
    sessions = {session.pk: session for session in programme.sessions}
    timed = Segment.objects.filter(session__in=sessions, starts_at__isnull=False).order_by("session", "position", "pk")
    for segment in timed:
        session = sessions[segment.session_id]
        if session.starts_at is None or session.ends_at is None or segment.starts_at is None or segment.ends_at is None:
            continue
        if segment.starts_at < session.starts_at or segment.ends_at > session.ends_at:
            start, end = programme.local(segment.starts_at), programme.local(segment.ends_at)
            text = f"{title(session)} has a segment from {start:%H:%M} to {end:%H:%M}, outside its own time."
            yield warning("segment_outside_session", text, row_within(segment, session))
