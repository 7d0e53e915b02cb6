"""What all our iCalendar files share: the clock of a zone, and texts that are read back as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import icalendar


class Text(icalendar.vText):
    """A text, escaped as RFC 5545 (3.3.11) says. The library's own takes the letters "\\N" for the end of a line."""

    def to_ical(self) -> bytes:
        """The text as it stands in a file, before lines are folded."""
        escaped = str(self).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
        return "\\n".join(escaped.splitlines()).encode()


def _offset(zone: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(zone).utcoffset() or timedelta()


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """An instant as a calendar writes it: by the clock of the zone, with its name.

    In UTC in the hour that the clock shows twice: RFC 5545 (3.3.5) means the first, but programs do not agree, and an
    item from half past one to half past one would last no time at all.
    """
    shown = instant.astimezone(zone)
    is_shown_twice = shown.replace(fold=0).utcoffset() != shown.replace(fold=1).utcoffset()
    return instant.astimezone(UTC) if is_shown_twice else shown


@lru_cache(maxsize=100)
def _changes_of_clock(zone: ZoneInfo, first: datetime, last: datetime) -> tuple[datetime, ...]:
    """The instants, to the minute, at which the clocks of a zone change between two UTC instants."""
    found = []
    day = first
    while day < last:
        next_day = day + timedelta(days=1)
        if _offset(zone, day) != _offset(zone, next_day):
            before, after = 0, 24 * 60
            while after - before > 1:
                middle = (before + after) // 2
                same = _offset(zone, day + timedelta(minutes=middle)) == _offset(zone, day)
                before, after = (middle, after) if same else (before, middle)
            found.append(day + timedelta(minutes=after))
        day = next_day
    return tuple(found)


def clock(zone: ZoneInfo, first_year: int, last_year: int) -> icalendar.Timezone:
    """The clock of a zone in whole years, as a VTIMEZONE.

    Our own, because the one of the library begins summer time an hour late: RFC 5545 (3.6.5) counts DTSTART by the
    clock that ends, not by the one that begins.
    """
    first, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 2, tzinfo=UTC)
    first -= timedelta(days=1)  # local New Year may come before that of UTC
    component = icalendar.Timezone()
    component.add("tzid", zone.key)
    for instant in [first, *_changes_of_clock(zone, first, end)]:
        before = _offset(zone, instant if instant == first else instant - timedelta(minutes=1))
        local = instant.astimezone(zone)
        part = icalendar.TimezoneDaylight() if local.dst() else icalendar.TimezoneStandard()
        part.add("dtstart", instant.replace(tzinfo=None) + before)
        part.add("tzoffsetfrom", before)
        part.add("tzoffsetto", _offset(zone, instant))
        if name := local.tzname():
            part.add("tzname", name)
        component.add_component(part)
    return component
