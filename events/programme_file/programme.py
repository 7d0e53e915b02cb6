"""Sessions and side events of a programme file with their blocks, convenors, texts and results."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.text import slugify

from alliance.languages import Translations
from events.models import (
    Conference,
    ConferenceDay,
    ConvenorRelation,
    Convenorship,
    Organisation,
    Room,
    Segment,
    SegmentVisibility,
    Session,
    SessionKind,
    SessionState,
)
from events.programme_file import parts
from events.programme_file.bodies import ORGANISATIONS
from events.programme_file.changes import Changes, Table
from events.programme_file.conference import (
    Frame,
    VenueFinder,
    frame,
    language_codes,
    put_room,
    record,
    session_entries,
    venue_of,
)
from events.programme_file.entries import Document, Entry
from events.programme_file.sections import Write

SESSIONS = "sessions"

SESSION_FACTS = {
    "kind": "kind",
    "number": "number",
    "title": "title",
    "summary": "summary",
    "call_to_action": "call_to_action",
    "mode": "format",
    "platform": "platform_label",
    "platform_variants": "platform_aliases",
    "note": "internal_note",
}
SESSION_SETTINGS = {"state": "state", "visibility": "visibility", "slug": "slug"}
REGISTRATION_FACTS = {
    "mode": "registration_mode",
    "system": "registration_system",
    "url": "registration_url",
    "url_broken_as_printed": "registration_url_is_broken",
    "join_link_rule": "join_link_rule",
}
TAKEAWAY_FACTS = {"kind": "takeaway_kind", "count": "takeaway_count", "note": "takeaway_note"}
SESSION_RECORD = ("title_source", "time_text_printed", "sections_printed", "sources")
SEGMENT_SETTINGS = {"kind": "kind", "visibility": "visibility"}
CONVENORSHIP_FACTS = {"source": "source", "note": "internal_note"}
CONVENORS = {"convenors": ConvenorRelation.CONVENOR, "collaborators": ConvenorRelation.COLLABORATOR}


@dataclass(slots=True)
class Item:
    """A session as the file gives it."""

    entry: Entry
    key: str
    values: dict[str, Any]
    optional: dict[str, Any]
    day: str
    room: Translations
    venue: VenueFinder | None
    segments: list[tuple[Entry, str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    convenors: list[tuple[Entry, str, str, str, dict[str, Any]]] = field(default_factory=list)
    texts: parts.Texts = field(default_factory=parts.Texts)
    results: parts.Results = field(default_factory=parts.Results)
    materials: parts.Materials = field(default_factory=parts.Materials)


def load_sessions(document: Document) -> Write:
    """All sessions of the conference with everything inside them but the speakers."""
    within = frame(document)
    document.registry(SESSIONS)
    days = {day: number for number, day in _printed_days(document, within)}
    side_events = document.root.entries("side_events")
    items = [_read(entry, within, days, is_side_event=entry in side_events) for entry in session_entries(document)]
    _check_order(document, items)
    _check_numbers(items)
    _check_rooms(items)

    def write(changes: Changes) -> None:
        conference = changes.row(Conference, within.key)
        # What was taken down is in no file; that it is missing does not mean that it is to be deleted.
        rows = Session.objects.filter(
            Q(taken_down_at=None) | Q(key__in=[item.key for item in items]), conference=conference
        ).select_related("day", "room", "conference")
        sessions = changes.table(Session, rows, key=lambda row: row.key)
        for key in sorted(set(sessions.rows) - {item.key for item in items}):
            sessions.remove(key)
        slugs = {row.slug for row in sessions.rows.values()}
        for item in items:
            values = item.values | item.optional
            values["day"] = changes.row(ConferenceDay, item.day) if item.day else None
            if item.room:
                values["room"] = _room(changes, conference, item, sessions.rows.get(item.key))
            new = {"conference": conference, "key": item.key, "state": SessionState.SCHEDULED}
            if item.key not in sessions.rows and "slug" not in values:
                new["slug"] = _slug(item, slugs)
                slugs.add(str(new["slug"]))
            sessions.put(item.key, values, new=new, line=item.entry.line)
        _write_parts(changes, sessions, items)
        changes.table_of(ConferenceDay).remove_others()  # now that no session of the file stands on them

    return write


# --- reading --------------------------------------------------------------------------------------------------------


def _printed_days(document: Document, within: Frame) -> list[tuple[int, Any]]:
    listed = [(entry.integer("number") or 0, entry.day("date")) for entry in document.root.entries("days")]
    if listed:
        return listed
    found = sorted({day for entry in session_entries(document) if (day := entry.day("date")) is not None})
    return list(enumerate(found, start=1))


def _read(entry: Entry, within: Frame, days: dict[Any, int], *, is_side_event: bool) -> Item:
    key = entry.define("key", SESSIONS)
    values = entry.facts(Session, SESSION_FACTS)
    if is_side_event != (values["kind"] == SessionKind.SIDE_EVENT):
        entry.problem("kind", "side events stand under side_events, and nothing else does")
    day = within.day(entry)
    if day is not None and day not in days:
        entry.problem("date", f"{day} is not among the days of the file")
    values |= within.span(entry, day)
    position = entry.integer("position_in_day", most=32_767)
    values["position"] = 1 if position is None else position
    values["is_in_agenda"] = entry.boolean("in_conference_agenda", default=True)
    values["working_languages"] = language_codes(entry, "working_languages") or []
    values["interpretation_languages"] = language_codes(entry, "interpretation_languages") or []
    values["audience"] = entry.lines("audience")
    values["archive_text"] = record(entry, SESSION_RECORD)
    takeaways = entry.entry("challenges_or_practices")
    values |= (
        takeaways.facts(Session, TAKEAWAY_FACTS)
        if takeaways
        else {"takeaway_kind": "", "takeaway_count": None, "takeaway_note": ""}
    )
    values |= _registration(entry)
    item = Item(
        entry=entry,
        key=key,
        values=values,
        optional=entry.settings(Session, SESSION_SETTINGS),
        day=str(days[day]) if day in days else "",
        room=entry.translated("room"),
        venue=venue_of(entry),
        segments=_segments(entry, within),
        convenors=_convenors(entry),
        texts=parts.read_texts(entry),
        results=parts.read_results(entry),
        materials=parts.read_materials(entry),
    )
    numbers = entry.words_or_numbers("reference_numbers")
    if numbers:
        item.values["archive_text"]["reference_numbers"] = numbers
    return item


def _registration(entry: Entry) -> dict[str, Any]:
    """Where people sign up. "required" says the same as the mode; a contradiction is a mistake in the file."""
    part = entry.entry("registration")
    if part is None:
        return {
            "registration_mode": "with_conference",
            "registration_system": "",
            "registration_url": "",
            "registration_url_is_broken": False,
            "join_link_rule": Translations(),
        }
    is_required = part.boolean("required", default=True)
    if part.boolean("url_broken_as_printed"):
        # A broken address is kept as printed; a person must repair it before it becomes a link.
        table = {key: name for key, name in REGISTRATION_FACTS.items() if key != "url"}
        values = part.facts(Session, table) | {"registration_url": part.text("url", longest=500)}
    else:
        values = part.facts(Session, REGISTRATION_FACTS)
    if not is_required:
        if part.text("mode") not in {"", "none"}:
            part.problem("required", f"is false, but the mode is {part.text('mode')}")
        values["registration_mode"] = "none"
    elif values["registration_mode"] == "none":
        part.problem("required", "is true, but the mode is none")
    return values


def _segments(entry: Entry, within: Frame) -> list[tuple[Entry, str, dict[str, Any], dict[str, Any]]]:
    found: list[tuple[Entry, str, dict[str, Any], dict[str, Any]]] = []
    keys: dict[str, int] = {}
    orders: dict[int, int] = {}
    day = entry.day("date")
    for part in entry.entries("segments"):
        key = part.key("key", longest=60)
        order = part.integer("order", required=True, most=32_767) or 0
        if key in keys:
            part.problem("key", f"“{key}” stands twice in this session; the first is in line {keys[key]}")
        if order in orders:
            part.problem("order", f"{order} stands twice in this session; the first is in line {orders[order]}")
        keys[key] = orders[order] = part.line
        values = {"heading": part.translated("title_printed"), "position": order, **within.span(part, day)}
        # What the agenda left out was not announced: testimonies above all (docs/design.md section 4.6).
        is_announced = part.boolean("in_agenda", default=True)
        new = {
            "kind": parts.segment_kind(key),
            "visibility": SegmentVisibility.BEFORE if is_announced else SegmentVisibility.AFTER,
        }
        found.append((part, key, values | part.settings(Segment, SEGMENT_SETTINGS), new))
    return found


def _convenors(entry: Entry) -> list[tuple[Entry, str, str, str, dict[str, Any]]]:
    found: list[tuple[Entry, str, str, str, dict[str, Any]]] = []
    seen: set[tuple[str, str]] = set()
    for name, default in CONVENORS.items():
        for part in entry.entries(name):
            organisation = part.refer("organisation", ORGANISATIONS, required=True)
            relation = part.choice("relation", ConvenorRelation, default=default)
            if (organisation, relation) in seen:
                part.problem("organisation", f"“{organisation}” stands twice among the {name}")
            seen.add((organisation, relation))
            values = part.facts(Convenorship, CONVENORSHIP_FACTS)
            order = part.integer("order", most=32_767)
            values["position"] = len(found) + 1 if order is None else order
            found.append((part, organisation, relation, part.refer("with_unit", ORGANISATIONS), values))
    return found


def _check_order(document: Document, items: list[Item]) -> None:
    """The printed list of a day and the sessions' own dates and positions say the same thing twice: they must agree."""
    by_key = {item.key: item for item in items}
    for entry in document.root.entries("days"):
        number = entry.integer("number")
        listed = [key for key in entry.texts("items") if key in by_key]
        for key in listed:
            item = by_key[key]
            if item.day != str(number):
                entry.problem("items", f"“{key}” has another date than this day")
        positions = [by_key[key].values["position"] for key in listed]
        if positions != sorted(positions):
            entry.problem("items", "the order differs from position_in_day of the sessions")


def _check_numbers(items: list[Item]) -> None:
    seen: dict[tuple[str, int], int] = {}
    for item in items:
        kind, number = item.values["kind"], item.values["number"]
        if number is None:
            continue
        if (kind, number) in seen:
            item.entry.problem("number", f"{kind} {number} stands twice; the first is in line {seen[kind, number]}")
        seen.setdefault((kind, number), item.entry.line_of("number"))


def _check_rooms(items: list[Item]) -> None:
    """A room holds one session at a time. The database has the last word; this knows the lines."""
    timed = [
        item
        for item in items
        if item.room
        and item.venue is None
        and item.values["starts_at"]
        and item.values["ends_at"]
        and item.optional.get("state", SessionState.SCHEDULED) == SessionState.SCHEDULED
    ]
    for index, item in enumerate(timed):
        for other in timed[:index]:
            if (
                item.room.best("en").text == other.room.best("en").text
                and item.values["starts_at"] < other.values["ends_at"]
                and other.values["starts_at"] < item.values["ends_at"]
            ):
                item.entry.problem("room", f"is taken by “{other.key}” (line {other.entry.line}) at that time")


# --- writing --------------------------------------------------------------------------------------------------------


def _slug(item: Item, taken: set[str]) -> str:
    """The address of a new session: the words of its title, cut between words. It never changes later by itself."""
    text = slugify(item.values["title"].best("en").text)
    while len(text) > 70:
        text = text.rpartition("-")[0] or text[:70]
    text = text or slugify(item.key)
    return text if text not in taken else f"{text}-{slugify(item.key)}"[:120]


def _room(changes: Changes, conference: Conference, item: Item, before: Session | None) -> Room:
    """The room by its English name, at the session's own venue or the conference's."""
    line = item.entry.line_of("room")
    venue = conference.venue
    if item.venue is not None:
        venue = item.venue(changes, before.room.venue_id if before is not None and before.room is not None else None)
    if venue is None:
        changes.problems.add(line, "room: the conference has no venue that it could be in")
        changes.problems.stop()
        raise AssertionError("a problem stops the import")
    row = put_room(changes, venue, item.room, {}, line=line)
    room = before.room if before is not None else None
    if room is not None and room.venue_id == venue.pk and room.name.best("en").text == row.name.best("en").text:
        return room  # one of two rooms with the same name
    return row


def _write_parts(changes: Changes, sessions: Table[Session], items: list[Item]) -> None:
    """Everything that belongs to one session only; the key of each row begins with the session's."""
    own = Q(session__in=[row.pk for row in sessions.rows.values()])
    keys = {row.pk: row.key for row in sessions.rows.values()}

    segments = changes.table(Segment, Segment.objects.filter(own), key=lambda row: f"{keys[row.session_id]}/{row.key}")
    convenors = changes.table(
        Convenorship,
        Convenorship.objects.filter(own).select_related("organisation"),
        key=lambda row: f"{keys[row.session_id]}/{row.organisation.key} ({row.relation})",
    )
    for item in items:
        session = sessions.rows[item.key]
        for part, key, values, new in item.segments:
            where = f"{item.key}/{key}"
            shown = parts.stricter(segments.rows.get(where), new["visibility"])
            segments.put(
                where, shown | values, new={"session": session, "key": key, "kind": new["kind"]}, line=part.line
            )
        for part, organisation, relation, unit, values in item.convenors:
            convenors.put(
                f"{item.key}/{organisation} ({relation})",
                values | {"with_unit": changes.optional_row(Organisation, unit)},
                new={
                    "session": session,
                    "organisation": changes.row(Organisation, organisation),
                    "relation": relation,
                },
                line=part.line,
            )
    convenors.remove_others()
    parts.write_texts(changes, {item.key: (sessions.rows[item.key], item.texts) for item in items})
    parts.write_results(changes, {item.key: (sessions.rows[item.key], item.results) for item in items})
    parts.write_materials(changes, {item.key: (sessions.rows[item.key], item.materials) for item in items})
    # A segment takes its contributions with it: those that the file puts elsewhere must have left before.
    changes.at_end(segments.remove_others)
