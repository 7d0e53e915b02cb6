"""The programme as a public iCalendar feed (RFC 5545 and 7986), in the active language.

Nobody who speaks is named: what a calendar has copied cannot be taken back. No join link stands in it either, only the
page of the session. Nothing depends on the moment it is made, so the same programme gives the same bytes.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import icalendar
from django.conf import settings

from alliance import calendars
from alliance.languages import Translations
from events.feeds import words
from events.models import Conference, ConferenceState, Session, SessionState

_PRODUCT = "-//Alliance//Programme//EN"
_ASK_AGAIN = timedelta(hours=1)


class Revision(NamedTuple):
    """How a calendar knows a change: SEQUENCE rises when time, place, title or state change, the instant with any."""

    sequence: int
    changed_at: datetime


def revision(conference: Conference, session: Session | None = None) -> Revision:
    """The revision of an entry about a conference or one of its sessions, for feeds and for mails alike.

    The place, the clock and the cancelling may come from the conference, so a change there is one of the entry as well.
    Numbers are added and not compared: each of them only rises, so that every change of either is seen.
    """
    about: list[Conference | Session] = [conference, session] if session else [conference]
    changed_at = max(row.calendar_changed_at for row in about).astimezone(UTC).replace(microsecond=0)
    return Revision(sum(row.calendar_sequence for row in about), changed_at)


def uid(public_id: uuid.UUID) -> str:
    """The name of an entry for ever."""
    return f"{public_id}@{settings.SITE_DOMAIN}"


def _own_words(texts: Translations) -> icalendar.vText:
    """A text in one line, marked with the language it is really in."""
    best = texts.best()
    value = calendars.Text(words.line(best.text))
    value.params["LANGUAGE"] = best.language
    return value


def _event(session: Session, starts_at: datetime, ends_at: datetime) -> icalendar.Event:
    conference = session.conference
    sequence, changed_at = revision(conference, session)
    is_cancelled = session.state == SessionState.CANCELLED or conference.state == ConferenceState.CANCELLED
    event = icalendar.Event()
    event.add("uid", uid(session.public_id))
    event.add("sequence", sequence)
    event.add("dtstamp", changed_at)
    event.add("last-modified", changed_at)
    event.add("dtstart", calendars.local(starts_at, conference.zone))
    event.add("dtend", calendars.local(ends_at, conference.zone))
    event.add("summary", _own_words(session.title))
    if summary := words.text(session.summary):
        event.add("description", calendars.Text(summary))
    event.add("location", calendars.Text(words.place(session)))
    event.add("url", words.address(session.get_absolute_url()))
    event.add("status", "CANCELLED" if is_cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT")  # a programme is an offer: it makes nobody busy
    return event


def calendar(conference: Conference, sessions: Iterable[Session], *, name: Translations, path: str, page: str) -> bytes:
    """The sessions that have a time, as a file.

    sessions: public ones of the conference, with their room loaded. name: what the reader's program calls the calendar.
    path, page: where the feed and the page about the same stand on our site.
    """
    timed = []
    for session in sessions:
        session.conference = conference
        if session.starts_at is not None and session.ends_at is not None:
            timed.append((session, session.starts_at, session.ends_at))
    book = icalendar.Calendar()
    book.add("prodid", _PRODUCT)
    book.add("version", "2.0")
    title = _own_words(name)
    book.add("name", title)
    book.add("x-wr-calname", calendars.Text(words.line(name)))
    book.add("x-wr-timezone", conference.time_zone)
    interval = icalendar.vDuration(_ASK_AGAIN)
    interval.params["VALUE"] = "DURATION"
    book["refresh-interval"] = interval
    book.add("x-published-ttl", "PT1H")
    source = icalendar.vUri(words.address(path))
    source.params["VALUE"] = "URI"
    book["source"] = source
    book.add("url", words.address(page))
    # A calendar must not be empty, so the clock stands in it even before the first time is known.
    years = [instant.year for _session, starts_at, ends_at in timed for instant in (starts_at, ends_at)]
    years += [day.year for day in (conference.starts_on, conference.ends_on) if day] or [conference.updated_at.year]
    book.add_component(calendars.clock(conference.zone, min(years), max(years)))
    for session, starts_at, ends_at in timed:
        book.add_component(_event(session, starts_at, ends_at))
    content: bytes = book.to_ical()
    return content
