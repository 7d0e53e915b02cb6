"""A workbook as the document that a YAML file gives, together with what it does not cover.

The document begins as the export of the conference as it is now. Each sheet that the workbook has then replaces its
part; a row continues the entry of the same key, so that facts without a column stay as they are.
"""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from datetime import date, datetime
from typing import Any

from events.models import Conference, RegistrationMode, SectionKind, SegmentVisibility, SessionKind
from events.programme_file import whole
from events.programme_file.entries import FORMAT
from events.programme_file.parts import TEXTS
from events.programme_file.problems import Problems
from events.programme_file.workbook import cells, guard, sheets
from events.programme_file.workbook.cells import Row
from events.programme_file.workbook.sheets import Sheet
from events.programme_file.yaml_text import Mapping, Node, Scalar, Sequence

Rows = dict[str, list[Row]]


def read(data: bytes, problems: Problems) -> Rows:
    """The rows of a workbook. What is wrong with cells is noted.

    Raises InvalidFile for what is no workbook, too large, or has other sheets and headings.
    """
    guard.check(data)
    headings = Problems()
    found = cells.read(data, headings=headings, problems=problems)
    headings.stop()
    return found


def document(found: Rows, problems: Problems) -> Mapping:
    """The document of a workbook; its lines are places such as “Sessions!C7”.

    Raises InvalidFile where the workbook does not say which conference it is about.
    """
    root = _begin(found, problems)
    _Document(root, found, problems).fill()
    return root


def _begin(found: Rows, problems: Problems) -> Mapping:
    """The conference of the workbook as it is in the database, or an empty document."""
    about = found.get(sheets.CONFERENCE.name)
    if not about:
        problems.add(0, "the sheet Conference is missing or empty: it says which conference this is")
        problems.stop()
    row = (about or [])[0]
    conference = Conference.objects.filter(slug=row.text("key")).first()
    if conference is None:
        return node_of({"format": FORMAT, "conference": {}})  # type: ignore[return-value]
    return node_of(whole.tree(conference))  # type: ignore[return-value]


def node_of(value: Any) -> Node:
    """Plain data as nodes that stand nowhere in the workbook."""
    if isinstance(value, AnyMapping):
        items = {key: node_of(part) for key, part in value.items()}
        return Mapping(0, items, dict.fromkeys(items, 0))
    if isinstance(value, list | tuple):
        return Sequence(0, [node_of(part) for part in value])
    if value is None:
        return Scalar(0, "null", is_plain=True)
    if isinstance(value, bool):
        return Scalar(0, "true" if value else "false", is_plain=True)
    if isinstance(value, int):
        return Scalar(0, str(value), is_plain=True)
    if isinstance(value, datetime | date):
        return Scalar(0, value.isoformat(), is_plain=True)
    return Scalar(0, str(value), is_plain=False)


def _text(node: Node | None) -> str:
    """The text of a value; of translations the English one, else the first."""
    if isinstance(node, Mapping):
        parts = {code: part.text for code, part in node.items.items() if isinstance(part, Scalar)}
        return parts.get("en") or next(iter(parts.values()), "")
    return node.text if isinstance(node, Scalar) and not node.is_null else ""


def _entries(parent: Mapping, key: str) -> list[Mapping]:
    node = parent.items.get(key)
    return [item for item in node.items if isinstance(item, Mapping)] if isinstance(node, Sequence) else []


def _holds_something(node: Node | None) -> bool:
    if isinstance(node, Scalar):
        return not node.is_null and bool(node.text)
    return bool(node.items) if node is not None else False


def _set(entry: Mapping, key: str, node: Node | None, line: int) -> None:
    """Put a value into an entry; None takes it out."""
    if node is None:
        entry.items.pop(key, None)
        entry.key_lines.pop(key, None)
    else:
        entry.items[key] = node
        entry.key_lines[key] = line


class _Document:
    """The document while the sheets are put into it."""

    def __init__(self, root: Mapping, found: Rows, problems: Problems) -> None:
        self.root = root
        self.found = found
        self.problems = problems
        conference = root.items["conference"]
        assert isinstance(conference, Mapping)  # noqa: S101 - _begin made it
        self.conference = conference

    def fill(self) -> None:
        """Sheet by sheet; what belongs to sessions comes after the sessions."""
        for row in cells.every(self.found, sheets.CONFERENCE):
            self.apply(sheets.CONFERENCE, row, self.conference)
            self.conference.line = row.place
        self.venue()
        self.replace(sheets.DAYS, self.root, "days", "number", dropped=("items",))
        self.replace(sheets.PERSONS, self.root, "persons", "id")
        self.replace(sheets.ORGANISATIONS, self.root, "organisations", "id")
        self.sessions()
        self.parts(sheets.SEGMENTS, self.segments)
        self.parts(sheets.CONTRIBUTIONS, self.contributions)
        self.parts(sheets.CONVENORS, self.convenors)
        self.parts(sheets.TEXT_SHEET, self.texts)
        self.parts(sheets.RESULTS, self.results)
        self.parts(sheets.MATERIALS, self.materials, whole=self.root)
        self.parts(sheets.ADMISSIONS, self.admissions, whole=self.conference)
        self.replace(sheets.REFERENCES, self.root, "references", "")

    # --- rows and entries -------------------------------------------------------------------------------------------

    def apply(self, sheet: Sheet, row: Row, entry: Mapping) -> Mapping:
        """Put the cells of a row into an entry, which keeps everything else that it has."""
        for column in sheet.columns:
            if column.key not in row.cells or column.key == "session":
                continue
            if (column.key, "") in row.kept:
                continue
            node = row.cells[column.key]
            if node is None and column.is_setting:
                continue
            target = entry
            for key in column.path[:-1]:
                inner = target.items.get(key)
                if not isinstance(inner, Mapping):
                    if node is None:
                        break
                    inner = Mapping(row.at(column.key))
                    _set(target, key, inner, row.at(column.key))
                target = inner
            else:
                name = column.path[-1]
                if node is None and not _holds_something(target.items.get(name)):
                    continue  # null and an empty list are not the same; an empty cell says neither
                if column.key in row.languages:
                    node = self.translated(row, column.key, node, target.items.get(name))
                _set(target, name, node or Scalar(row.at(column.key), "null", is_plain=True), row.at(column.key))
        return entry

    def translated(self, row: Row, key: str, node: Node | None, before: Node | None) -> Node | None:
        """A text with the languages of the row; those without a column, or too long for a cell, stay as they are."""
        texts = node if isinstance(node, Mapping) else Mapping(row.at(key))
        if isinstance(before, Scalar) and not before.is_null:
            before = Mapping(before.line, {"en": before}, {"en": before.line})
        if isinstance(before, Mapping):
            for code, part in before.items.items():
                if code not in row.languages[key] or (key, code) in row.kept:
                    _set(texts, code, part, before.line)
        return texts if texts.items else None

    def replace(self, sheet: Sheet, parent: Mapping, key: str, identity: str, *, dropped: tuple[str, ...] = ()) -> None:
        """A list of entries: those of the sheet, each continuing the one of the same key."""
        if sheet.name not in self.found:
            return
        before = {_text(entry.items.get(identity)): entry for entry in _entries(parent, key)} if identity else {}
        listed = []
        for row in self.found[sheet.name]:
            old = before.pop(row.text(identity), None) if identity else None
            entry = self.apply(sheet, row, self.continued(row, old))
            for name in dropped:
                _set(entry, name, None, 0)
            listed.append(entry)
        _set(parent, key, Sequence(0, list(listed)), 0)

    @staticmethod
    def continued(row: Row, old: Mapping | None) -> Mapping:
        """An entry that stands where the row stands."""
        if old is None:
            return Mapping(row.place)
        return Mapping(row.place, dict(old.items), dict(old.key_lines))

    # --- the conference ---------------------------------------------------------------------------------------------

    def venue(self) -> None:
        """Rooms belong to the venue; a venue without any value is none."""
        venue = self.conference.items.get("venue")
        if sheets.ROOMS.name in self.found and (rows := self.found[sheets.ROOMS.name]):
            if not isinstance(venue, Mapping):
                self.problems.add(rows[0].place, "rooms need a venue: give its city in the sheet Conference")
                return
            listed = [self.apply(sheets.ROOMS, row, Mapping(row.place)) for row in rows]
            _set(venue, "rooms", Sequence(0, list(listed)), 0)
        elif isinstance(venue, Mapping) and not any(_holds_something(node) for node in venue.items.values()):
            _set(self.conference, "venue", None, 0)
        contact = self.conference.items.get("contact")
        if isinstance(contact, Mapping) and not contact.items:
            _set(self.conference, "contact", None, 0)

    # --- sessions ---------------------------------------------------------------------------------------------------

    def sessions(self) -> None:
        """Sessions and side events; what is inside them stays until its own sheet replaces it."""
        sheet = sheets.SESSIONS
        if sheet.name not in self.found:
            return
        before = {
            _text(entry.items.get("key")): entry
            for part in ("sessions", "side_events")
            for entry in _entries(self.root, part)
        }
        listed: dict[str, list[Node]] = {"sessions": [], "side_events": []}
        for day in _entries(self.root, "days"):
            _set(day, "items", None, 0)  # the order stands in the positions
        for row in self.found[sheet.name]:
            old = before.pop(row.text("key"), None)
            room = _text(old.items.get("room")) if old is not None else ""
            place = old.items.get("room") if old is not None else None
            entry = self.apply(sheet, row, self.continued(row, old))
            if "room" in row.cells:
                self.room(row, entry, room, place)
            self.registration(entry, is_covered="registration.mode" in row.cells)
            side = row.text("kind") == SessionKind.SIDE_EVENT if "kind" in row.cells else False
            listed["side_events" if side else "sessions"].append(entry)
        for part, entries in listed.items():
            _set(self.root, part, Sequence(0, entries) if entries else None, 0)

    def room(self, row: Row, entry: Mapping, before: str, place: Node | None) -> None:
        """A room in its languages: the one that the session has, else one of the venue by its name."""
        wanted = row.text("room")
        if wanted and wanted == before and place is not None:
            _set(entry, "room", place, row.at("room"))
            return
        _set(entry, "venue", None, 0)  # it was of the room before
        venue = self.conference.items.get("venue")
        for room in _entries(venue, "rooms") if isinstance(venue, Mapping) else []:
            name = room.items.get("name")
            if wanted and name is not None and _text(name) == wanted:
                _set(entry, "room", name, row.at("room"))
                return

    @staticmethod
    def registration(entry: Mapping, *, is_covered: bool) -> None:
        """“required” says the same as the mode; a session that says nothing about registration has no such part."""
        part = entry.items.get("registration")
        if not is_covered or not isinstance(part, Mapping):
            return
        mode = _text(part.items.get("mode"))
        if mode:
            required = "false" if mode == RegistrationMode.NONE else "true"
            _set(part, "required", Scalar(0, required, is_plain=True), 0)
        else:
            _set(part, "required", None, 0)

    def parts(self, sheet: Sheet, fill: Any, *, whole: Mapping | None = None) -> None:
        """Give every session its rows of a sheet. whole: where rows without a session belong."""
        if sheet.name not in self.found:
            return
        sessions = {
            _text(entry.items.get("key")): entry
            for part in ("sessions", "side_events")
            for entry in _entries(self.root, part)
        }
        by_session: dict[str, list[Row]] = {key: [] for key in sessions if key}
        without: list[Row] = []
        for row in self.found[sheet.name]:
            key = row.text("session")
            if not key and whole is not None:
                without.append(row)
            elif key in by_session:
                by_session[key].append(row)
            else:
                what = f"“{key}” is no session of this conference" if key else "is missing: give the key of the session"
                self.problems.add(row.at("session"), f"Session: {what}")
        for key, rows in by_session.items():
            fill(sessions[key], rows)
        if whole is not None:
            fill(whole, without)

    # --- parts of sessions ------------------------------------------------------------------------------------------

    def list_of(self, sheet: Sheet, rows: list[Row]) -> Sequence:
        """Rows as entries that hold nothing but their cells."""
        return Sequence(0, [self.apply(sheet, row, Mapping(row.place)) for row in rows])

    def segments(self, session: Mapping, rows: list[Row]) -> None:
        """The printed blocks. What is shown before is in the agenda."""
        listed = self.continuing(
            sheets.SEGMENTS, session, "segments", rows, lambda entry: _text(entry.items.get("key"))
        )
        for entry in listed.items:
            self.announced(entry, "in_agenda")
        _set(session, "segments", listed, 0)

    def contributions(self, session: Mapping, rows: list[Row]) -> None:
        """The speakers. All their facts have columns, but somebody may have deleted some."""
        seen: dict[str, int] = {}

        def who(entry: Mapping) -> str:
            name = _text(entry.items.get("person")) or _text(entry.items.get("unnamed_label"))
            identity = f"{name} ({_text(entry.items.get('role'))})"
            seen[identity] = seen.get(identity, 0) + 1
            return f"{identity} {seen[identity]}"

        _set(
            session,
            "contributions",
            self.continuing(sheets.CONTRIBUTIONS, session, "contributions", rows, who, seen),
            0,
        )

    def continuing(
        self, sheet: Sheet, session: Mapping, key: str, rows: list[Row], who: Any, seen: dict[str, int] | None = None
    ) -> Sequence:
        """Rows as entries, each continuing the one that is the same thing."""
        before = {who(entry): entry for entry in _entries(session, key)}
        if seen is not None:
            seen.clear()
        listed: list[Node] = []
        for row in rows:
            old = before.get(who(self.apply(sheet, row, Mapping(row.place))))
            listed.append(self.apply(sheet, row, self.continued(row, old)))
        return Sequence(0, listed)

    @staticmethod
    def announced(entry: Node, key: str) -> None:
        if not isinstance(entry, Mapping):
            return
        shown = _text(entry.items.get("visibility"))
        if shown:
            word = "true" if shown == SegmentVisibility.BEFORE else "false"
            _set(entry, key, Scalar(0, word, is_plain=True), 0)

    def convenors(self, session: Mapping, rows: list[Row]) -> None:
        """Convenors and those beside them: two lists in the file."""
        listed: dict[str, list[Node]] = {"convenors": [], "collaborators": []}
        for row in rows:
            entry = self.apply(sheets.CONVENORS, row, Mapping(row.place))
            listed["collaborators" if row.text("relation") == "collaborator" else "convenors"].append(entry)
        for key, entries in listed.items():
            _set(session, key, Sequence(0, entries) if entries else None, 0)

    def texts(self, session: Mapping, rows: list[Row]) -> None:
        """Texts under their own keys where these can say it, else the list in full."""
        registration = session.items.get("registration")
        before = {key: session.items.get(key) for key in ("summary", "call_to_action", *TEXTS)}
        if isinstance(registration, Mapping):
            before["join_link_rule"] = registration.items.get("join_link_rule")
        for row in rows:
            if "text" in row.languages:
                row.cells["text"] = self.translated(row, "text", row.cells["text"], before.get(row.text("kind")))
        for key in ("summary", "call_to_action", "audience", "texts", *TEXTS):
            _set(session, key, None, 0)
        if isinstance(registration, Mapping):
            _set(registration, "join_link_rule", None, 0)
        sections = []
        for row in rows:
            kind = row.text("kind")
            if kind not in sheets.OTHER_TEXTS:
                sections.append((row, kind))
                continue
            target = session
            if kind == "join_link_rule":
                if not isinstance(registration, Mapping):
                    registration = Mapping(row.place)
                    _set(session, "registration", registration, row.place)
                target = registration
            if kind in target.items:
                self.problems.add(row.at("kind"), f"Text: “{kind}” stands twice for this session")
            if row.cells.get("text") is not None:
                _set(target, kind, row.cells["text"], row.at("text"))
        names = [name for name in TEXTS if any(kind == name for _row, kind in sections)]
        is_usual = [kind for _row, kind in sections] == names and all(
            row.cells.get("heading") is None
            and row.cells.get("text") is not None
            and row.text("position") in ("", str(place))
            for place, (row, _kind) in enumerate(sections, start=1)
        )
        if is_usual:
            for row, kind in sections:
                _set(session, kind, row.cells["text"], row.at("text"))
            return
        listed: list[Node] = []
        for row, kind in sections:
            entry = self.apply(sheets.TEXT_SHEET, row, Mapping(row.place))
            if kind in TEXTS or kind == sheets.OTHER:
                word = TEXTS[kind].value if kind in TEXTS else SectionKind.OTHER.value
                _set(entry, "kind", Scalar(row.at("kind"), word, is_plain=False), row.at("kind"))
            listed.append(entry)
        _set(session, "texts", Sequence(0, listed), 0)

    def results(self, session: Mapping, rows: list[Row]) -> None:
        """Items below items, by their numbers."""
        _set(session, "recommendations", None, 0)
        top: list[Node] = []
        lists: dict[tuple[str, str], list[Node]] = {}  # by kind of the first item, and number
        for row in rows:
            entry = self.apply(sheets.RESULTS, row, Mapping(row.place))
            number = row.text("number")
            above, _dot, last = number.rpartition(".")
            _set(entry, "number", Scalar(row.at("number"), last, is_plain=last.isdigit()), row.at("number"))
            kind = row.text("kind") or "recommendation"
            if not above:
                siblings, first = top, kind
            else:
                first = next((one for one, path in reversed(lists) if path == above), "")
                if not first:
                    self.problems.add(
                        row.at("number"), f"Number: “{number}” stands below “{above}”, which is not above it"
                    )
                    continue
                siblings = lists[first, above]
            siblings.append(entry)
            items: list[Node] = []
            lists[first, number] = items
            _set(entry, "items", Sequence(row.place, items), row.place)
        for item in top:
            self.without_empty_items(item)
        _set(session, "results", Sequence(0, top), 0)

    def without_empty_items(self, entry: Node) -> None:
        if isinstance(entry, Mapping):
            below = _entries(entry, "items")
            for item in below:
                self.without_empty_items(item)
            if not below:
                _set(entry, "items", None, 0)

    def materials(self, owner: Mapping, rows: list[Row]) -> None:
        """Papers and links, in full."""
        if owner is self.root:
            _set(owner, "resources", self.list_of(sheets.MATERIALS, rows) if rows else None, 0)
            return
        _set(owner, "related_video_url", None, 0)
        _set(owner, "materials", self.list_of(sheets.MATERIALS, rows), 0)

    def admissions(self, owner: Mapping, rows: list[Row]) -> None:
        """Who may register; an own form without a row here stays without an admission."""
        if rows or owner is not self.conference:
            _set(owner, "admissions", self.list_of(sheets.ADMISSIONS, rows), 0)
            _set(owner, "capacity", None, 0)
        else:
            _set(owner, "admissions", None, 0)
