"""Figures of reports in a programme file."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from alliance.languages import Translations
from events.models import Conference, Session
from events.programme_file.changes import Changes
from events.programme_file.conference import frame
from events.programme_file.entries import Document, Entry
from events.programme_file.exporting import Export, texts, without_empty
from events.programme_file.programme import SESSIONS
from events.programme_file.sections import Write
from events.programme_file.wording import readable
from registration.models import Figure, Measure, Qualifier

STATISTICS_OF_CHANNELS = {
    "posts": Measure.POSTS,
    "impressions": Measure.IMPRESSIONS,
    "reach": Measure.REACH,
    "engagements": Measure.ENGAGEMENTS,
    "video_views": Measure.VIDEO_VIEWS,
}
STATISTICS_OF_COUNTRIES = {
    "total": "",
    "participating_states": "participating States",
    "partners_for_cooperation": "Partners for Co-operation",
    "other": "other",
}


_SINGLE = {
    "registered_participants": Measure.REGISTERED,
    "panellist_countries": Measure.SPEAKER_COUNTRIES,
    "quoted_posts": Measure.QUOTED_POSTS,
}


class _Figures:
    """Collects the figures of the file."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[Entry, dict[str, Any], dict[str, Any]]] = {}

    def add(self, entry: Entry, key: str, measure: Measure, group: str = "", **values: Any) -> None:
        """A figure whose value is a number, or an entry with qualifier and value."""
        part = entry if entry.is_single(key) else entry.entry(key)
        number = part.integer("value" if part is not entry else key, most=2**63 - 1) if part else None
        if part is None or number is None:
            return
        qualifier = Qualifier.EXACT.value
        if part is not entry or key == "value":
            qualifier = part.choice("qualifier", Qualifier, default=Qualifier.EXACT)
        content = {
            "value": number,
            "qualifier": qualifier,
            "printed_as": Translations(),
            "internal_note": "",
            "is_derived": False,
            "is_record_for_series": False,
        }
        self.found[f"{measure} {group}".strip()] = (
            part, {"measure": measure, "group": group}, content | values,
        )  # fmt: skip


def load_statistics(document: Document) -> Write:
    """Figures of the report, with measure, qualifier and source (docs/design.md section 4.8)."""
    within = frame(document)
    entry = document.root.entry("statistics")
    figures = _Figures()
    source = ""
    others: list[tuple[Entry, str, dict[str, Any], dict[str, Any]]] = []
    if entry is not None:
        source = entry.text("source", longest=120)
        _read_statistics(entry, figures)
        others = _read_others(entry, source, figures)

    def write(changes: Changes) -> None:
        conference = changes.row(Conference, within.key)
        # Figures of other sources are not this file's business.
        scope = Q(session=None, source=source)
        if entry is not None and "figures" in entry:
            scope |= Q(source__in={source, *(new["source"] for _part, _session, new, _values in others)})
        # What was taken down is in no file, and is not deleted for that.
        named = Q(session=None) | Q(session__taken_down_at=None) | Q(session__key__in=[part[1] for part in others])
        rows = Figure.objects.filter(scope, named, conference=conference).select_related("session")
        table = changes.table(
            Figure,
            rows,
            key=lambda row: _key(
                row.measure,
                row.group,
                row.session.key if row.session else "",
                "" if row.source == source else row.source,
            ),
        )
        for key, (part, identity, values) in figures.found.items():
            new = {"conference": conference, "source": source} | identity
            table.put(key, values, new=new, line=part.line)
        for part, session, what, values in others:
            key = _key(what["measure"], what["group"], session, "" if what["source"] == source else what["source"])
            whose = {"conference": conference, "session": changes.optional_row(Session, session)}
            table.put(key, values, new=what | whose, line=part.line)
        if entry is not None:
            table.remove_others()

    return write


def _key(measure: str, group: str, session: str, source: str) -> str:
    """What the report calls a figure. source: empty for the source of the file."""
    what = f"{measure} {group}".strip()
    return (f"{session}/{what}" if session else what) + (f" ({source})" if source else "")


def _read_others(
    entry: Entry, source: str, figures: _Figures
) -> list[tuple[Entry, str, dict[str, Any], dict[str, Any]]]:
    """Figures that have no place of their own: of a session, of another source, of another measure."""
    found = []
    seen = {
        _key(str(identity["measure"]), str(identity["group"]), "", "") for _part, identity, _ in figures.found.values()
    }
    for part in entry.entries("figures"):
        new: dict[str, Any] = {
            "measure": part.choice("measure", Measure, default=Measure.REGISTERED, required=True),
            "group": part.text("group", longest=120),
            "source": part.text("source", longest=120) if "source" in part else source,
        }
        values = {
            "value": part.integer("value", required=True, most=2**63 - 1) or 0,
            "qualifier": part.choice("qualifier", Qualifier, default=Qualifier.EXACT),
            "printed_as": part.translated("printed_as"),
            "internal_note": part.text("note", longest=250),
            "is_derived": part.boolean("derived"),
            "is_record_for_series": part.boolean("record_for_series"),
        }
        session = part.refer("session", SESSIONS)
        key = _key(new["measure"], new["group"], session, "" if new["source"] == source else new["source"])
        if key in seen:
            part.problem("measure", f"the figure “{key}” stands twice")
        seen.add(key)
        found.append((part, session, new, values))
    return found


def _read_statistics(entry: Entry, figures: _Figures) -> None:
    for name, measure in _SINGLE.items():
        if part := entry.entry(name):
            figures.add(
                part,
                "value",
                measure,
                printed_as=part.translated("printed_as"),
                internal_note=part.text("note", longest=250),
                is_record_for_series=part.boolean("record_for_series"),
            )
    if countries := entry.entry("countries"):
        is_derived = countries.boolean("other_is_derived")
        for name, group in STATISTICS_OF_COUNTRIES.items():
            figures.add(countries, name, Measure.COUNTRIES, group, is_derived=is_derived and name == "other")
    total = 0
    for part in entry.entries("by_category"):
        category = part.text("category", required=True, longest=120)
        total += part.integer("value", required=True) or 0
        figures.add(part, "value", Measure.REGISTERED, category)
    expected = entry.integer("category_sum_derived")
    if expected is not None and expected != total:
        entry.problem("category_sum_derived", f"is {expected}, but the categories add up to {total}")
    for part in entry.entries("social_media"):
        channel = part.text("channel", required=True, longest=120)
        for name, measure in STATISTICS_OF_CHANNELS.items():
            figures.add(part, name, measure, channel)


# --- export ---------------------------------------------------------------------------------------------------------


def export_statistics(export: Export) -> None:
    """The figures: in their usual places where these can say all, else in full."""
    own = Figure.objects.filter(conference=export.conference, session__taken_down_at=None)
    rows = list(own.select_related("session").order_by("pk"))
    if not rows:
        return
    whole = [row.source for row in rows if row.session_id is None] or [row.source for row in rows]
    source = max(sorted(set(whole)), key=whole.count)
    entry: dict[str, Any] = {"source": readable(source) or None}
    others = [
        row for row in rows if row.session_id is not None or row.source != source or not _usual(export, entry, row)
    ]
    if others:
        entry["figures"] = [_in_full(export, row, source) for row in others]
    order = ("source", *_SINGLE, "countries", "by_category", "social_media", "figures")
    export.root["statistics"] = {name: entry[name] for name in order if name in entry}


def _usual(export: Export, entry: dict[str, Any], row: Figure) -> bool:
    """Put the figure into its usual place; False where that could not say all of it."""
    single = next((name for name, measure in _SINGLE.items() if measure == row.measure and not row.group), None)
    if single is not None:
        if row.is_derived:
            return False
        record = {"record_for_series": row.is_record_for_series, "note": readable(row.internal_note)}
        found = without_empty({**_number(row), "printed_as": texts(row.printed_as), **record})
        entry[single] = found | {"value": row.value}
        return True
    if row.printed_as or row.internal_note or row.is_record_for_series or not row.group:
        return row.measure == Measure.COUNTRIES and not row.group and _country_figure(entry, row)
    if row.measure == Measure.COUNTRIES:
        return _country_figure(entry, row)
    if row.is_derived or readable(row.group) != row.group:
        return False
    if row.measure == Measure.REGISTERED:
        entry.setdefault("by_category", []).append({"category": row.group} | _number(row))
        return True
    name = next((name for name, measure in STATISTICS_OF_CHANNELS.items() if measure == row.measure), None)
    if name is None:
        return False
    channels: list[dict[str, Any]] = entry.setdefault("social_media", [])
    channel = next((one for one in channels if one["channel"] == row.group), None)
    if channel is None:
        channel = {"channel": row.group}
        channels.append(channel)
    number = _number(row)
    channel[name] = number if "qualifier" in number else row.value
    return True


def _country_figure(entry: dict[str, Any], row: Figure) -> bool:
    name = next((name for name, group in STATISTICS_OF_COUNTRIES.items() if group == row.group), None)
    if name is None or row.printed_as or row.internal_note or row.is_record_for_series:
        return False
    if row.is_derived and name != "other":
        return False
    number = _number(row)
    countries = entry.setdefault("countries", {})
    countries[name] = number if "qualifier" in number else row.value
    if row.is_derived:
        countries["other_is_derived"] = True
    return True


def _number(row: Figure) -> dict[str, Any]:
    qualifier = {} if row.qualifier == Qualifier.EXACT else {"qualifier": row.qualifier}
    return qualifier | {"value": row.value}


def _in_full(export: Export, row: Figure, source: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"measure": row.measure, "group": readable(row.group)}
    entry["session"] = row.session.key if row.session is not None else None
    entry |= _number(row)
    rest = {
        "printed_as": texts(row.printed_as),
        "derived": row.is_derived,
        "record_for_series": row.is_record_for_series,
        "note": readable(row.internal_note),
    }
    found = without_empty(entry | rest) | {"value": row.value}
    return found if row.source == source else found | {"source": readable(row.source) or None}
