"""Calendar entries of a participant: one per confirmed registration, with the same UID for ever.

A calendar is often shared with a family or an office. So neither the address of a platform nor a personal link stands
in an entry, and somebody who appears under an alias gets neutral words: no title, no place.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
from django.conf import settings
from django.utils.translation import gettext as _

from alliance import calendars
from events.feeds import calendar as programme_calendar
from events.feeds import words
from registration.models import AttendanceMode, Registration, RegistrationStatus

_PRODUCT = "-//Alliance//Registration//EN"


def _event(registration: Registration, *, is_taken_back: bool) -> icalendar.Event | None:
    """The calendar entry; None while nothing is known about the time."""
    admission = registration.admission
    conference = admission.conference
    event = icalendar.Event()
    starts_at, ends_at = admission.span
    if starts_at is not None and ends_at is not None:
        event.add("dtstart", calendars.local(starts_at, conference.zone))
        event.add("dtend", calendars.local(ends_at, conference.zone))
    elif admission.session is None and conference.starts_on and conference.ends_on:
        event.add("dtstart", conference.starts_on)
        event.add("dtend", conference.ends_on + timedelta(days=1))
    else:
        return None
    # Not the UID of the public feed: in the calendar of somebody under an alias it would say what the entry is about.
    event.add("uid", programme_calendar.uid(registration.public_id))
    # A change of the registration and one of the programme are both news; each number only rises, and so does the sum.
    revision = programme_calendar.revision(conference, admission.session)
    event.add("sequence", registration.version - 1 + revision.sequence)
    decided = (registration.created_at, registration.decided_at, registration.cancelled_at)
    changed = max(filter(None, (*decided, revision.changed_at)))
    event.add("dtstamp", changed)
    event.add("last-modified", changed)
    if registration.participant.has_alias:
        event.add("summary", _("Meeting"))
        event.add("class", "PRIVATE")
    else:
        about = admission.session or conference
        event.add("summary", calendars.Text(words.line(about.title)))
        event.add("url", settings.SITE_URL + about.get_absolute_url())
    event.add("location", calendars.Text(words.line(_location(registration))))
    cancelled = is_taken_back or registration.status == RegistrationStatus.CANCELLED or admission.is_cancelled
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    return event


def _location(registration: Registration) -> str:
    admission = registration.admission
    if admission.mode == AttendanceMode.ONLINE:
        return _("On-line")
    if registration.participant.has_alias:
        return _("In person")
    room = admission.session.room if admission.session else None
    venue = admission.conference.venue
    parts = [str(room.name) if room else "", str(venue.name) if venue else "", str(venue.city) if venue else ""]
    return ", ".join(part for part in parts if part) or _("Venue to be announced")


def calendar(registrations: Iterable[Registration], *, method: str | None = None, now: datetime) -> bytes | None:
    """An iCalendar file of the registrations (loaded with_all) in the active language; None when it would be empty.

    method: REQUEST or CANCEL for a part of a mail to one person, who is then the only attendee; None for a plain file.
    now: does not show in the file (the same content gives the same bytes); it decides nothing but what is over.
    """
    book = icalendar.Calendar()
    book.add("prodid", _PRODUCT)
    book.add("version", "2.0")
    if method:
        book.add("method", method)
    events: list[icalendar.Event] = []
    years: dict[ZoneInfo, set[int]] = {}
    for registration in registrations:
        if (event := _event(registration, is_taken_back=method == "CANCEL")) is None:
            continue
        if method:
            identity = registration.participant.open_identity()
            organizer = icalendar.vCalAddress(f"mailto:no-reply@{settings.SITE_DOMAIN}")
            organizer.params["CN"] = icalendar.vText(_("Conference office"))
            event["organizer"] = organizer
            attendee = icalendar.vCalAddress(f"mailto:{identity.email}")
            attendee.params["CN"] = icalendar.vText(registration.participant.display_name)
            attendee.params["PARTSTAT"] = icalendar.vText("ACCEPTED")
            attendee.params["RSVP"] = icalendar.vText("FALSE")
            event.add("attendee", attendee)
        events.append(event)
        zone = registration.admission.conference.zone
        years.setdefault(zone, set()).update(instant.year for instant in registration.admission.span if instant)
    if not events:
        return None
    for zone, found in years.items():
        if not found:  # whole days have no clock
            continue
        book.add_component(calendars.clock(zone, min(found), max(found)))
    for event in events:
        book.add_component(event)
    content: bytes = book.to_ical()
    return content
