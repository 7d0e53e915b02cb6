"""The programme as schedule.xml and schedule.json, which conference apps read (https://c3voc.de/wiki/schedule).

Both formats need a time for everything and know no cancelled items, and their readers take a duration for a time of
day. So what has no time, is cancelled, or lasts a day or longer is left out; the pages and the API have it.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import uuid
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree as ET

from django.utils.translation import gettext as _

from events import selectors
from events.feeds import words
from events.models import Conference, ConferenceState, Session, SessionState

_GENERATOR = "Alliance"
_SLOT = "00:05"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A programme in the shape of schedule.json; schedule.xml is written from the same."""

    data: dict[str, Any]
    url: str

    def as_json(self) -> bytes:
        """schedule.json."""
        return json.dumps(self.data, ensure_ascii=False, indent=1).encode()

    def as_xml(self) -> bytes:
        """schedule.xml."""
        return _xml(self.data, self.url)


def number(public_id: uuid.UUID) -> int:
    """A positive number for a public id, which the formats ask for beside it: always the same, and never our serial.

    53 bits of a hash, because programs in JavaScript read no longer numbers exactly.
    """
    return max(1, int.from_bytes(hashlib.sha256(public_id.bytes).digest()[:8], "big") >> 11)


def acronym(conference: Conference) -> str:
    """The conference's short name in both formats: four or more of a-z, 0-9 and "_"."""
    name = conference.slug.lower().replace("-", "_")
    return name if len(name) >= 4 else f"conference_{name}"


def _hours(duration: timedelta) -> str:
    hours, minutes = divmod(int(duration.total_seconds()) // 60, 60)
    return f"{hours:02d}:{minutes:02d}"


def _language(session: Session) -> str:
    """The first working language as a code; empty when it is not known or has no short code."""
    spoken = session.working_languages or session.conference.working_languages or [""]
    return spoken[0].lower() if len(spoken[0]) == 2 else ""


def _persons(entry: selectors.SessionEntry) -> list[dict[str, Any]]:
    """Who speaks, once each, in printed order, under the approved name. Seats without a name are no persons."""
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for block in entry.blocks:
        for spoken in block.lines:
            if spoken.is_unnamed:
                continue
            public_id = spoken.contribution.person.public_id
            name = words.line(spoken.contribution.name)
            found.setdefault(public_id, {"id": number(public_id), "guid": str(public_id), "public_name": name})
    return list(found.values())


def _event(entry: selectors.SessionEntry, starts_at: datetime, ends_at: datetime) -> dict[str, Any]:
    session = entry.session
    local = starts_at.astimezone(session.conference.zone)
    return {
        "id": number(session.public_id),
        "guid": str(session.public_id),
        "date": local.isoformat(timespec="seconds"),
        "start": f"{local:%H:%M}",
        "end": ends_at.astimezone(session.conference.zone).isoformat(timespec="seconds"),
        "duration": _hours(ends_at - starts_at),
        "room": words.room(session),
        "slug": f"{acronym(session.conference)}-{session.slug.lower()}".rstrip("-_"),
        "url": words.address(session.get_absolute_url()),
        "title": words.line(session.title),
        "subtitle": "",
        "track": _("Side events") if session.is_side_event else _("Sessions"),
        "type": words.line(session.get_kind_display()),
        "language": _language(session),
        "abstract": words.text(session.summary),
        "description": "",
        "persons": _persons(entry),
        "links": [],
    }


def _starts_at(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["date"])


def schedule(conference: Conference, *, now: datetime, path: str) -> Schedule | None:
    """The public programme at the instant, in the active language; None while not a single day is known.

    path: where the schedule stands on our site.
    """
    found = selectors.programme(conference, now=now)
    days: dict[date, dict[str, list[dict[str, Any]]]] = {day.date: {} for day in found.all_days}
    for entry in [entry for day in found.days for entry in day.entries]:
        starts_at, ends_at = entry.session.starts_at, entry.session.ends_at
        if starts_at is None or ends_at is None or ends_at - starts_at >= _DAY:
            continue
        if entry.session.state != SessionState.SCHEDULED or conference.state == ConferenceState.CANCELLED:
            continue
        event = _event(entry, starts_at, ends_at)
        rooms = days.setdefault(starts_at.astimezone(conference.zone).date(), {})
        rooms.setdefault(event["room"], []).append(event)
    if not days:
        return None
    night = {day: datetime.combine(day + _DAY, time(), conference.zone) for day in days}
    for day, rooms in days.items():
        for event in itertools.chain.from_iterable(rooms.values()):
            night[day] = max(night[day], datetime.fromisoformat(event["end"]).astimezone(conference.zone))
    shown = [
        {
            "index": index,
            "date": day.isoformat(),
            "day_start": datetime.combine(day, time(), conference.zone).isoformat(),
            # An item that goes on after midnight belongs to the day on which it began, and that day ends with it.
            "day_end": night[day].isoformat(),
            "rooms": {name: sorted(events, key=_starts_at) for name, events in days[day].items()},
        }
        for index, day in enumerate(sorted(days), 1)
    ]
    about: dict[str, Any] = {
        "acronym": acronym(conference),
        "title": words.line(conference.title),
        "start": shown[0]["date"],
        "end": shown[-1]["date"],
        "daysCount": len(shown),
        "timeslot_duration": _SLOT,
        "time_zone_name": conference.time_zone,
        "url": words.address(conference.get_absolute_url()),
        "days": shown,
    }
    # The version tells readers whether anything has changed; a hash of the content changes only then.
    version = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
    data = {
        "generator": {"name": _GENERATOR},
        "schedule": {"version": version, "base_url": words.address("/"), "conference": about},
    }
    return Schedule(data, words.address(path))


def _child(parent: ET.Element, name: str, content: object) -> ET.Element:
    child = ET.SubElement(parent, name)
    child.text = str(content)
    return child


def _xml(data: dict[str, Any], url: str) -> bytes:
    root = ET.Element("schedule")
    ET.SubElement(root, "generator", name=data["generator"]["name"])
    _child(root, "url", url)
    _child(root, "version", data["schedule"]["version"])
    about = data["schedule"]["conference"]
    conference = ET.SubElement(root, "conference")
    for name in ("title", "acronym", "start", "end"):
        _child(conference, name, about[name])
    _child(conference, "days", about["daysCount"])
    _child(conference, "timeslot_duration", about["timeslot_duration"])
    _child(conference, "base_url", data["schedule"]["base_url"])
    _child(conference, "url", about["url"])
    _child(conference, "time_zone_name", about["time_zone_name"])
    for day in about["days"]:
        day_element = ET.SubElement(
            root, "day", index=str(day["index"]), date=day["date"], start=day["day_start"], end=day["day_end"]
        )
        for room, events in day["rooms"].items():
            room_element = ET.SubElement(day_element, "room", name=room)
            for event in events:
                _xml_event(room_element, event)
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _xml_event(room: ET.Element, event: dict[str, Any]) -> None:
    element = ET.SubElement(room, "event", id=str(event["id"]), guid=event["guid"])
    for name in ("date", "start", "duration", "room", "url", "title", "subtitle", "track", "type", "language"):
        _child(element, name, event[name])
    _child(element, "abstract", event["abstract"])
    _child(element, "description", event["description"])
    persons = ET.SubElement(element, "persons")
    for person in event["persons"]:
        _child(persons, "person", person["public_name"]).attrib.update(id=str(person["id"]), guid=person["guid"])
    ET.SubElement(element, "links")
