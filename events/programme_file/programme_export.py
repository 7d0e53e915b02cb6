"""Sessions and side events of a conference, written into a programme file."""

from __future__ import annotations

from datetime import date
from typing import Any

from events.models import (
    ConvenorRelation,
    Convenorship,
    Material,
    Recommendation,
    Segment,
    SegmentVisibility,
    Session,
    TextSection,
)
from events.programme_file import parts
from events.programme_file.conference import languages_of, venue_entry
from events.programme_file.exporting import Export, by_key, texts, without_empty
from events.programme_file.programme import (
    CONVENORSHIP_FACTS,
    REGISTRATION_FACTS,
    SESSION_FACTS,
    SESSION_RECORD,
    SESSION_SETTINGS,
    TAKEAWAY_FACTS,
)
from events.programme_file.references import printed_number
from events.programme_file.wording import readable

# What a session has when the file says nothing about registration.
_UNSAID = {"mode": "with_conference"}


def export_sessions(export: Export) -> None:
    """All sessions with everything inside them but the speakers, who have a section of their own.

    Not those that were taken down: a file goes from hand to hand.
    """
    rows = list(
        Session.objects.filter(conference=export.conference, taken_down_at=None)
        .select_related("day", "room__venue")
        .in_programme_order()
    )
    own = {"session__conference": export.conference}
    segments = by_key(Segment.objects.filter(**own).order_by("position", "pk"), "session_id")
    convenors = by_key(
        Convenorship.objects.filter(**own).select_related("organisation", "with_unit").order_by("position", "pk"),
        "session_id",
    )
    sections = by_key(TextSection.objects.filter(**own).order_by("position", "pk"), "session_id")
    results = by_key(Recommendation.objects.filter(**own).in_printed_order(), "session_id")
    materials = by_key(Material.objects.filter(**own).order_by("position", "pk"), "session_id")
    listed: dict[int, list[tuple[int, bool, str]]] = {}
    for row in rows:
        entry = export.session(row.pk)
        day = row.day.date if row.day is not None else None
        entry |= _own(export, row, day)
        entry["segments"] = [_segment(export, segment, day) for segment in segments.get(row.pk, [])]
        entry |= _convenors(export, convenors.get(row.pk, []))
        entry |= parts.export_texts(export, sections.get(row.pk, []))
        entry |= parts.export_results(export, results.get(row.pk, []))
        entry |= parts.export_materials(export, materials.get(row.pk, []))
        # Said also where they are empty or false: silence would mean something else.
        said = {name: entry[name] for name in ("materials", "admissions", *SESSION_SETTINGS) if name in entry}
        found = without_empty(entry) | said | {"position_in_day": row.position}
        if not row.is_in_agenda:
            found["in_conference_agenda"] = False
        part = export.root.setdefault("side_events" if row.is_side_event else "sessions", [])
        part.append(found)
        if row.day is not None:
            listed.setdefault(row.day.number, []).append((row.position, row.is_side_event, row.key))
    # Equal positions: as a second import would put them, sessions before side events.
    export.root["items_of_days"] = {
        number: [key for _position, _is_side_event, key in sorted(keys, key=lambda one: one[:2])]
        for number, keys in listed.items()
    }


def _own(export: Export, row: Session, day: date | None) -> dict[str, Any]:
    """What the session itself says."""
    entry: dict[str, Any] = {"key": row.key, **export.facts(row, SESSION_FACTS)}
    entry |= export.settings(row, SESSION_SETTINGS)
    entry["date"] = day
    entry["start"], entry["end"] = export.clock(row.starts_at, day), export.clock(row.ends_at, day)
    entry |= {name: names for name, names in languages_of(row).items() if names}
    entry["audience"] = _lines(row)
    entry |= {name: export.plain(row.archive_text.get(name)) for name in SESSION_RECORD}
    entry["reference_numbers"] = [printed_number(number) for number in row.archive_text.get("reference_numbers", [])]
    entry["challenges_or_practices"] = export.facts(row, TAKEAWAY_FACTS)
    if row.room is not None:
        entry["room"] = texts(row.room.name)
        if row.room.venue_id != export.conference.venue_id:
            entry["venue"] = venue_entry(export, row.room.venue, [row.room])
    registration = export.facts(row, REGISTRATION_FACTS)
    if registration != _UNSAID:
        entry["registration"] = {"required": row.registration_mode != "none", **registration}
    return entry


def _lines(row: Session) -> Any:
    """A text of one line per group as a list; by language as a whole where the languages differ in their lines."""
    lines = {code: readable(text).split("\n") for code, text in row.audience.items() if readable(text)}
    if not lines:
        return None
    if len({len(found) for found in lines.values()}) > 1 or any(
        not line or line != line.strip() for found in lines.values() for line in found
    ):
        return dict(sorted((code, "\n".join(found)) for code, found in lines.items()))
    return [
        texts({code: found[place] for code, found in lines.items()}) for place in range(len(next(iter(lines.values()))))
    ]


def _segment(export: Export, row: Segment, day: date | None) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "order": row.position,
        "key": row.key,
        "kind": row.kind,
        "title_printed": texts(row.heading),
    }
    entry["start"], entry["end"] = export.clock(row.starts_at, day), export.clock(row.ends_at, day)
    # Said without the word "visibility", by which a file could show what somebody has hidden meanwhile.
    found = without_empty(entry) | {"order": row.position, "in_agenda": row.visibility == SegmentVisibility.BEFORE}
    if row.visibility == SegmentVisibility.NEVER:
        found["visibility"] = row.visibility
    order = ("order", "key", "kind", "title_printed", "in_agenda", "visibility", "start", "end")
    return {name: found[name] for name in order if name in found}


def _convenors(export: Export, rows: list[Convenorship]) -> dict[str, Any]:
    found: dict[str, list[dict[str, Any]]] = {"convenors": [], "collaborators": []}
    for row in rows:
        entry: dict[str, Any] = {
            "order": row.position,
            "organisation": export.organisation(row.organisation),
            "with_unit": export.organisation(row.with_unit),
        }
        name = "collaborators" if row.relation == ConvenorRelation.COLLABORATOR else "convenors"
        if row.relation not in (ConvenorRelation.COLLABORATOR, ConvenorRelation.CONVENOR):
            entry["relation"] = row.relation
        found[name].append({"order": row.position} | without_empty(entry | export.facts(row, CONVENORSHIP_FACTS)))
    return found
