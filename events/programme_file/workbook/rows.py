"""The programme as rows of sheets, from the plain data that an export is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from events.models import MaterialKind, SectionKind, SegmentVisibility, TakeawayKind
from events.programme_file.parts import TEXTS
from events.programme_file.workbook import sheets
from events.programme_file.workbook.sheets import Sheet

Row = dict[str, Any]
_TEXT_NAMES = {kind.value: name for name, kind in TEXTS.items()} | {SectionKind.OTHER.value: sheets.OTHER}


def of(tree: Mapping[str, Any]) -> dict[str, list[Row]]:
    """The rows of every sheet, each by the keys of the sheet's columns."""
    conference = tree["conference"]
    sessions = [*tree.get("sessions", []), *tree.get("side_events", [])]
    found = {
        sheets.CONFERENCE: [conference],
        sheets.ROOMS: (conference.get("venue") or {}).get("rooms", []),
        sheets.DAYS: tree.get("days", []),
        sheets.SESSIONS: [
            {"in_conference_agenda": True, **entry, "room": _name(entry.get("room"))} for entry in sessions
        ],
        sheets.TEXT_SHEET: [row for entry in sessions for row in _texts(entry)],
        sheets.SEGMENTS: [_shown(row, "in_agenda") for entry in sessions for row in _of(entry, "segments")],
        sheets.CONTRIBUTIONS: [
            _shown(row, "in_programme") for entry in sessions for row in _of(entry, "contributions")
        ],
        sheets.CONVENORS: [row for entry in sessions for row in _convenors(entry)],
        sheets.RESULTS: [row for entry in sessions for row in _results(entry)],
        sheets.MATERIALS: [
            *_materials("", tree.get("resources", []), usual=SegmentVisibility.BEFORE),
            *(row for entry in sessions for row in _session_materials(entry)),
        ],
        sheets.ADMISSIONS: [
            *({"session": None, **row} for row in conference.get("admissions", [])),
            *(row for entry in sessions for row in _of(entry, "admissions")),
        ],
        sheets.REFERENCES: [{**row, "number": str(row["number"])} for row in tree.get("references", [])],
        sheets.PERSONS: tree.get("persons", []),
        sheets.ORGANISATIONS: tree.get("organisations", []),
    }
    return {sheet.name: [_flat(sheet, row) for row in rows] for sheet, rows in found.items()}


def _flat(sheet: Sheet, row: Mapping[str, Any]) -> Row:
    """The values of the columns, each found along its path."""
    flat: Row = {}
    for column in sheet.columns:
        value: Any = row
        for key in column.path:
            value = value.get(key) if isinstance(value, Mapping) else None
        flat[column.key] = value
    return flat


def _name(text: Any) -> Any:
    """A name by which other sheets mean the thing: in English, else in its first language."""
    return text.get("en") or next(iter(text.values()), None) if isinstance(text, Mapping) else text


def _of(entry: Mapping[str, Any], key: str) -> Iterator[Row]:
    for row in entry.get(key, []):
        yield {"session": entry["key"], **row}


def _shown(row: Row, announced: str) -> Row:
    usual = SegmentVisibility.BEFORE if row.get(announced, True) else SegmentVisibility.AFTER
    return {"visibility": usual.value, **row}


def _texts(entry: Mapping[str, Any]) -> Iterator[Row]:
    for name in sheets.OTHER_TEXTS:
        source = entry.get("registration") or {} if name == "join_link_rule" else entry
        if value := source.get(name):
            yield {"session": entry["key"], "kind": name, "text": _lines(value) if name == "audience" else value}
    for name in TEXTS:
        if value := entry.get(name):
            yield {"session": entry["key"], "kind": name, "text": value}
    for place, row in enumerate(entry.get("texts", []), start=1):
        yield {"session": entry["key"], "position": place, **row, "kind": _TEXT_NAMES[row["kind"]]}


def _lines(value: Any) -> Any:
    """One text of several lines instead of a list of texts."""
    if not isinstance(value, list):
        return value
    texts = [{"en": item} if isinstance(item, str) else item for item in value]
    return {
        code: "\n".join(text.get(code, "") for text in texts) for code in dict.fromkeys(c for t in texts for c in t)
    }


def _convenors(entry: Mapping[str, Any]) -> Iterator[Row]:
    for row in _of(entry, "convenors"):
        yield {"relation": "convenor", **row}
    for row in _of(entry, "collaborators"):
        yield {"relation": "collaborator", **row}


def _results(entry: Mapping[str, Any]) -> Iterator[Row]:
    kind = TakeawayKind.RECOMMENDATION.value
    for number, text in enumerate(entry.get("recommendations", []), start=1):
        yield {"session": entry["key"], "kind": kind, "number": str(number), "text": text}
    yield from _below(entry["key"], entry.get("results", []), "", kind)


def _below(session: str, items: list[Row], above: str, kind: str) -> Iterator[Row]:
    for item in items:
        own = item.get("kind", kind)
        number = f"{above}{item['number']}"
        yield {**item, "session": session, "kind": own, "number": number}
        yield from _below(session, item.get("items", []), f"{number}.", own)


def _session_materials(entry: Mapping[str, Any]) -> Iterator[Row]:
    if url := entry.get("related_video_url"):
        video = {"kind": MaterialKind.VIDEO.value, "url": url, "position": 1}
        yield {"session": entry["key"], "visibility": SegmentVisibility.AFTER.value, **video}
    yield from _materials(entry["key"], entry.get("materials", []), usual=SegmentVisibility.AFTER)


def _materials(session: str, rows: list[Row], *, usual: SegmentVisibility) -> Iterator[Row]:
    for place, row in enumerate(rows, start=1):
        yield {"session": session or None, "visibility": usual.value, "position": place, **row}
