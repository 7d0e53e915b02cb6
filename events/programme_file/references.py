"""Sources cited in the documents about a conference, with their printed numbers."""

from __future__ import annotations

import re
from typing import Any

from events.models import Conference, Reference, Session
from events.programme_file.changes import Changes
from events.programme_file.conference import frame, session_entries
from events.programme_file.entries import Document
from events.programme_file.exporting import Export, without_empty
from events.programme_file.programme import SESSIONS
from events.programme_file.sections import Write
from events.programme_file.wording import readable

REFERENCE_FACTS = {
    "cites": "citation",
    "url": "url",
    "second_url": "second_url",
    "accessed": "accessed_on",
    "note": "internal_note",
}


def load_references(document: Document) -> Write:
    """Sources cited in the documents about the conference, with their printed numbers."""
    within = frame(document)
    listed = []
    numbers: dict[str, str] = {}
    seen: dict[tuple[str, str], int] = {}
    for entry in document.root.entries("references"):
        number = entry.word_or_number("number", longest=12)
        name = entry.text("document", required=True, longest=40)
        if (name, number) in seen:
            entry.problem("number", f"{number} stands twice in {name}; the first is in line {seen[name, number]}")
        seen[name, number] = entry.line
        session = entry.refer("event", SESSIONS)
        numbers[number] = session
        listed.append((entry, name, number, session, entry.facts(Reference, REFERENCE_FACTS)))
    for entry in session_entries(document):
        for number in entry.words_or_numbers("reference_numbers"):
            if number not in numbers:
                entry.problem("reference_numbers", f"{number} is not among the references")

    def write(changes: Changes) -> None:
        conference = changes.row(Conference, within.key)
        own = Reference.objects.filter(conference=conference).select_related("session")
        table = changes.table(
            Reference,
            [row for row in own if not _is_down(row) or (row.document, row.number_printed) in seen],
            key=lambda row: f"{row.document} {row.number_printed}",
        )
        for entry, name, number, session, values in listed:
            table.put(
                f"{name} {number}",
                values | {"session": changes.optional_row(Session, session)},
                new={"conference": conference, "document": name, "number_printed": number},
                line=entry.line,
            )
        table.remove_others()

    return write


def printed_number(text: str) -> Any:
    """A printed number as the file says it: 13 without quotes, p1 as a text."""
    text = readable(text)
    return int(text) if re.fullmatch(r"0|[1-9][0-9]{0,8}", text) else text


def _is_down(row: Reference) -> bool:
    """Whether it belongs to a session that was taken down: such rows are in no file, and are not deleted for that."""
    return row.session is not None and row.session.taken_down_at is not None


def export_references(export: Export) -> None:
    """The sources, in the order in which they are listed below each document."""
    rows = Reference.objects.filter(conference=export.conference).select_related("session").order_by("pk")
    entries = []
    for row in rows:
        if _is_down(row):
            continue
        entry = {
            "number": printed_number(row.number_printed),
            "document": readable(row.document),
            "event": row.session.key if row.session is not None else None,
        }
        entries.append(without_empty(entry) | {"number": entry["number"]} | export.facts(row, REFERENCE_FACTS))
    if entries:
        order = ("number", "document", "event", *REFERENCE_FACTS)
        export.root["references"] = [{key: entry[key] for key in order if key in entry} for entry in entries]
