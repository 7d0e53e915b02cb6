"""Conferences and sessions as schema.org Events, for search engines and assistants that read pages.

They say what the page around them says, from the same rows and under the same rules, and less: no address of a meeting
room, no livestream, nothing beside a name that is a pseudonym. What has no date yet is no Event: the format needs one.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from django.conf import settings

from events import selectors
from events.feeds import words
from events.models import (
    Conference,
    ConferenceState,
    ConvenorRelation,
    DatePrecision,
    Format,
    Organisation,
    Session,
    SessionKind,
    SessionState,
    Venue,
)

_SCHEMA = "https://schema.org/"
_MODES = {
    Format.IN_PERSON: "OfflineEventAttendanceMode",
    Format.ONLINE: "OnlineEventAttendanceMode",
    Format.HYBRID: "MixedEventAttendanceMode",
}
_ORGANISES = (ConvenorRelation.CONVENOR, ConvenorRelation.CO_ORGANISER)
_LONGEST_DESCRIPTION = 300  # characters, as in the description for link previews


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value not in (None, "", [], {})}


def _one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def _description(*texts: object) -> str:
    found = next((line for text in texts if (line := words.line(text))), "")
    return found if len(found) <= _LONGEST_DESCRIPTION else found[: _LONGEST_DESCRIPTION - 1].rstrip() + "…"


def _languages(names: Iterable[str] | None) -> Any:
    """Working languages that have a code; others are names in a language of their own."""
    return _one_or_all([name.lower() for name in names or () if len(name) == 2])


def _organisation(organisation: Organisation) -> dict[str, Any]:
    return {"@type": "Organization", "name": words.line(organisation.name)}


def _place(venue: Venue | None, room: object = "") -> dict[str, Any] | None:
    """The hall, and the room in it where it is known. None while nobody knows where."""
    if venue is None:
        return None
    names = [words.line(room), words.line(venue.name)]
    address = {
        "@type": "PostalAddress",
        "streetAddress": words.line(venue.address),
        "addressLocality": words.line(venue.city),
        "addressCountry": venue.country.iso2 if venue.country is not None else "",
    }
    name = ", ".join(name for name in names if name) or words.line(venue.city)
    return {"@type": "Place", "name": name, "address": _without_empty(address)}


def _location(meeting: str, venue: Venue | None, page: str, room: object = "") -> Any:
    """Where it takes place: the hall, on-line, or both. On-line is our own page: it leads people in, this does not."""
    places: list[Any] = []
    if meeting != Format.ONLINE:
        places.append(_place(venue, room))
    if meeting != Format.IN_PERSON:
        places.append({"@type": "VirtualLocation", "url": page})
    return _one_or_all([place for place in places if place])


def _event(kind: str, page: str, *, is_cancelled: bool, meeting: str) -> dict[str, Any]:
    return {
        "@type": kind,
        "@id": f"{page}#event",
        "url": page,
        "eventStatus": _SCHEMA + ("EventCancelled" if is_cancelled else "EventScheduled"),
        "eventAttendanceMode": _SCHEMA + _MODES[Format(meeting)],
    }


def _conference(conference: Conference) -> dict[str, Any] | None:
    """The conference alone; None without dates to the day."""
    if conference.starts_on is None or conference.ends_on is None or conference.date_precision != DatePrecision.DAY:
        return None
    page = words.address(conference.get_absolute_url())
    is_cancelled = conference.state == ConferenceState.CANCELLED
    about = {
        **_event("Event", page, is_cancelled=is_cancelled, meeting=conference.format),
        "name": words.line(conference.title),
        "startDate": conference.starts_on.isoformat(),
        "endDate": conference.ends_on.isoformat(),
        "location": _location(conference.format, conference.venue, page),
        "organizer": _organisation(conference.organiser) if conference.organiser is not None else None,
    }
    return _without_empty(about)


def _session(conference: Conference, session: Session) -> dict[str, Any] | None:
    """A session alone; None while it has neither a time nor a day."""
    day = session.day
    if session.starts_at is not None and session.ends_at is not None:
        starts = session.starts_at.astimezone(conference.zone).isoformat(timespec="seconds")
        ends = session.ends_at.astimezone(conference.zone).isoformat(timespec="seconds")
    elif day is not None:
        starts = ends = day.date.isoformat()
    else:
        return None
    page = words.address(session.get_absolute_url())
    is_cancelled = session.state == SessionState.CANCELLED or conference.state == ConferenceState.CANCELLED
    meeting = session.format or conference.format
    return {
        **_event("Event", page, is_cancelled=is_cancelled, meeting=meeting),
        "name": words.line(session.title),
        "startDate": starts,
        "endDate": ends,
    }


def conference_event(conference: Conference, days: Iterable[tuple[Any, Iterable[Session]]]) -> dict[str, Any] | None:
    """The conference with the sessions that its page lists, which have their conference loaded."""
    about = _conference(conference)
    if about is None:
        return None
    listed = [session for _day, sessions in days for session in sessions if session.kind != SessionKind.BREAK]
    below = []
    for session in listed:
        if event := _session(conference, session):
            # The hall alone: the outline does not load the rooms.
            event["location"] = _location(session.format or conference.format, conference.venue, event["url"])
            below.append(_without_empty(event))
    return _without_empty(
        about
        | {
            "description": _description(conference.description, conference.theme),
            "inLanguage": _languages(conference.working_languages),
            "subEvent": below,
        }
    )


def _performers(entry: selectors.SessionEntry) -> list[dict[str, Any]]:
    """Who speaks, once each, in the order and under the names of the page. Under a pseudonym: the name alone."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for block in entry.blocks:
        for spoken in block.lines:
            if spoken.is_unnamed:
                continue
            person = spoken.contribution.person
            about = {"@type": "Person", "name": words.line(spoken.contribution.name)}
            if not spoken.contribution.is_under_pseudonym:
                about["url"] = settings.SITE_URL + person.get_absolute_url()
            found.setdefault(person.public_id, about)
    return list(found.values())


def session_event(page: selectors.SessionPage) -> dict[str, Any] | None:
    """The session of a page, with its conference above it."""
    session = page.session
    conference = session.conference
    about = _session(conference, session)
    if about is None:
        return None
    meeting = session.format or conference.format
    convenors = [
        _organisation(convenorship.organisation)
        for group in page.entry.convenors
        for convenorship in group.convenorships
        if convenorship.relation in _ORGANISES
    ]
    if not convenors and conference.organiser is not None:
        convenors = [_organisation(conference.organiser)]
    room = session.room.name if session.room is not None else ""
    return _without_empty(
        about
        | {
            "description": _description(session.summary),
            "location": _location(meeting, conference.venue, about["url"], room),
            "organizer": _one_or_all(convenors),
            "performer": _one_or_all(_performers(page.entry)),
            "inLanguage": _languages(session.working_languages or conference.working_languages),
            "superEvent": _conference(conference),
        }
    )
