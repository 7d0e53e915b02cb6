"""What all feeds say the same way: clean texts, places, addresses."""

from __future__ import annotations

import re

from django.conf import settings
from django.utils.translation import gettext as _

from events.models import Format, Session

# What XML 1.0 cannot hold, not even escaped; a calendar must not hold it either.
_NO_TEXT = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(value: object) -> str:
    """A text of several lines without characters that the formats cannot hold; line ends are "\\n"."""
    return _NO_TEXT.sub("", "\n".join(str(value).splitlines())).strip()


def line(value: object) -> str:
    """A text in one line."""
    return " ".join(text(value).split())


def address(path: str) -> str:
    """The full address of one of our pages."""
    return settings.SITE_URL + path


def is_online(session: Session) -> bool:
    """Whether nobody meets in a room. A session without a format has that of its conference."""
    return (session.format or session.conference.format) == Format.ONLINE


def room(session: Session) -> str:
    """The room, or the next best word for where it is. Never empty: some calendars drop entries without a place."""
    if is_online(session):
        return _("On-line")
    venue = session.conference.venue
    if session.room is not None:
        return line(session.room.name)
    return (line(venue.name) or line(venue.city)) if venue is not None else _("Venue to be announced")


def place(session: Session) -> str:
    """Room, venue and city in one line. Never empty, and never the address of a meeting."""
    venue = session.conference.venue
    parts = [room(session)]
    if venue is not None and not is_online(session):
        parts += [line(venue.name), line(venue.city)]
    return ", ".join(dict.fromkeys(part for part in parts if part))
