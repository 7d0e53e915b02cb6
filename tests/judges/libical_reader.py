"""Reads a calendar from standard input with libical and prints what it found as JSON.

Runs by the Python of the system, which alone sees the Debian packages python3-gi and gir1.2-ical-3.0, and imports
nothing of ours.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import gi  # type: ignore[import-not-found]

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib  # type: ignore[import-not-found]  # noqa: E402


def of_kind(component: Any, kind: Any) -> list[Any]:
    """The components of a kind directly below another."""
    found = []
    below = component.get_first_component(kind)
    while below is not None:
        found.append(below)
        below = component.get_next_component(kind)
    return found


def told(event: Any) -> dict[str, Any]:
    """What libical makes of an entry: times in UTC, by the clock of the file."""
    start, end = event.get_dtstart(), event.get_dtend()
    utc = ICalGLib.Timezone.get_utc_timezone()
    return {
        "uid": event.get_uid(),
        "summary": event.get_summary(),
        "description": event.get_description(),
        "location": event.get_location(),
        "sequence": event.get_sequence(),
        "status": event.get_status().value_nick.upper(),
        "start": start.as_timet_with_zone(start.get_timezone() or utc),
        "end": end.as_timet_with_zone(end.get_timezone() or utc),
        "zone": start.get_tzid(),
    }


calendar = ICalGLib.Component.new_from_string(sys.stdin.buffer.read().decode())
ICalGLib.restriction_check(calendar)
text = calendar.as_ical_string()
print(
    json.dumps(
        {
            "errors": calendar.count_errors(),
            "complaints": [line for line in text.split("\n") if line.startswith("X-LIC-ERROR")],
            "events": [told(event) for event in of_kind(calendar, ICalGLib.ComponentKind.VEVENT_COMPONENT)],
        }
    )
)
