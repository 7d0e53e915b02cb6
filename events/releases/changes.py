"""What is new between two releases: found by comparing their rows, kept as ids and kinds.

A change is a mapping with "kind", "session" (its id, where it is about one) and what the kind needs. Titles, times and
rooms are kept; names of persons never: they are looked up when the list is read (events.releases.wording), so that
whoever was hidden, closed or given a pseudonym since is in no list. Speakers are compared by the speakers app.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Convenorship,
    Material,
    Recommendation,
    Release,
    Segment,
    SegmentVisibility,
    Session,
    SessionState,
    TextSection,
    Visibility,
)
from events.releases.tables import STAMPS

Row: TypeAlias = Mapping[str, Any]
Change: TypeAlias = dict[str, Any]


class Rows:
    """The rows of a programme, by table and id."""

    def __init__(self, rows: Iterable[tuple[str, int, Row]]) -> None:
        self._by_table: dict[str, dict[int, Row]] = {}
        for table, row_id, data in rows:
            self._by_table.setdefault(table, {})[row_id] = data

    @classmethod
    def kept(cls, release: Release) -> Rows:
        """Those of a release."""
        return cls(release.rows.values_list("table", "row_id", "data"))

    def of(self, model: type[Any]) -> dict[int, Row]:
        """The rows of a model by their ids."""
        return self._by_table.get(model._meta.db_table, {})

    def by_session(self, model: type[Any]) -> dict[int, list[Row]]:
        """The rows of a model by the id of their session."""
        found: dict[int, list[Row]] = {}
        for _id, row in sorted(self.of(model).items()):
            found.setdefault(row["session_id"], []).append(row)
        return found

    def public_sessions(self) -> dict[int, Row]:
        """The sessions that strangers may see."""
        shown = {Visibility.PUBLIC, Visibility.REGISTERED}
        return {
            key: row
            for key, row in self.of(Session).items()
            if row["state"] != SessionState.DRAFT and row["visibility"] in shown
        }

    def quiet_sessions(self) -> dict[int, Row]:
        """The sessions that are no drafts but that strangers may not see. People may be registered for them."""
        public = self.public_sessions()
        return {
            key: row
            for key, row in self.of(Session).items()
            if row["state"] != SessionState.DRAFT and key not in public
        }

    @property
    def everything(self) -> dict[str, dict[int, Row]]:
        """All rows, by the name of their table."""
        return self._by_table


Part = Callable[[Rows, Rows, Iterable[int]], Iterator[Change]]
_parts: list[Part] = []


def register_part(part: Part) -> None:
    """Let an app find changes of its own: part(before, after, ids of sessions public in both)."""
    if part not in _parts:
        _parts.append(part)


def between(old: Rows, new: Rows) -> list[Change]:
    """What the second state changes, in the order of the programme."""
    found = [*_conference(old, new)]
    was, is_now = old.public_sessions(), new.public_sessions()
    found += [*_sessions(was, is_now, old, new), *_quiet(was, is_now, old, new)]
    both = [key for key in is_now if key in was and is_now[key]["state"] == SessionState.SCHEDULED]
    for part in (_contents, *_parts):
        found += part(old, new, both)
    days = {key: row["number"] for key, row in new.of(ConferenceDay).items()}
    places = {
        key: (days.get(row["day_id"], 9999), row["position"], key)
        for key, row in {**old.of(Session), **new.of(Session)}.items()
    }
    return sorted(found, key=lambda change: places.get(change.get("session", 0), (0, 0, 0)))


def differ(old: Rows, new: Rows) -> bool:
    """Whether anything at all is different, listed or not. Stamps of time do not count."""
    return _bare(old) != _bare(new)


def _bare(rows: Rows) -> dict[str, dict[int, dict[str, Any]]]:
    return {
        table: {
            key: {name: value for name, value in row.items() if name not in STAMPS and value not in _EMPTY}
            for key, row in found.items()
        }
        for table, found in rows.everything.items()
        if found
    }


# Columns that came with a later migration are not in the rows of an earlier release.
_EMPTY: tuple[Any, ...] = (None, "", [], {}, False)


def _same(old: Row, new: Row, *names: str) -> bool:
    return all((old.get(name) or None) == (new.get(name) or None) for name in names)


# --- the conference -------------------------------------------------------------------------------------------------


def _conference(old: Rows, new: Rows) -> Iterator[Change]:
    for key, row in new.of(Conference).items():
        was = old.of(Conference).get(key)
        if was is None:
            continue
        if row["state"] == ConferenceState.CANCELLED and was["state"] != ConferenceState.CANCELLED:
            yield {"kind": "conference_cancelled"}
        if not _same(was, row, "starts_on", "ends_on"):
            yield {"kind": "conference_moved", "before": _dates(was), "after": _dates(row)}
        if not _same(was, row, "theme", "theme_subtitle"):
            yield {"kind": "conference_theme"}
        if not _same(was, row, "title"):
            yield {"kind": "conference_renamed", "before": was["title"], "after": row["title"]}
        if not _same(was, row, "venue_id"):
            yield {"kind": "conference_venue", "before": was["venue_id"], "after": row["venue_id"]}
        if not _same(was, row, "format", "platform_label"):
            yield {"kind": "conference_format"}
        if not _same(was, row, "description", "goal", "working_languages", "interpretation_languages"):
            yield {"kind": "conference_text"}


def _dates(row: Row) -> list[str | None]:
    return [row["starts_on"], row["ends_on"]]


# --- sessions -------------------------------------------------------------------------------------------------------


def _sessions(was: dict[int, Row], is_now: dict[int, Row], old: Rows, new: Rows) -> Iterator[Change]:
    for key in was:
        if key not in is_now and key not in new.quiet_sessions():
            yield {"kind": "session_withdrawn", "session": key, "title": was[key]["title"]}
    for key, row in is_now.items():
        before = was.get(key)
        if before is None:
            kind = "session_new" if row["state"] == SessionState.SCHEDULED else "session_cancelled"
            yield {"kind": kind, "session": key}
            continue
        if row["state"] != before["state"]:
            is_cancelled = row["state"] == SessionState.CANCELLED
            yield {"kind": "session_cancelled" if is_cancelled else "session_reinstated", "session": key}
            if is_cancelled:
                continue
        if _time(before, old) != _time(row, new):
            yield {"kind": "session_moved", "session": key, "before": _time(before, old), "after": _time(row, new)}
        elif not _same(before, row, "position") and _order_changed(key, was, is_now):
            yield {"kind": "session_reordered", "session": key}
        if not _same(before, row, "kind", "number"):
            yield {"kind": "session_renumbered", "session": key}
        if not _same(before, row, "title"):
            yield {"kind": "session_renamed", "session": key, "before": before["title"], "after": row["title"]}
        if not _same(before, row, "room_id"):
            yield {"kind": "session_room", "session": key, "before": before["room_id"], "after": row["room_id"]}
        if not _same(before, row, "format", "platform_label"):
            labels = {"before": before["platform_label"], "after": row["platform_label"]}
            yield {"kind": "session_platform", "session": key, **labels}
        if not _same(before, row, "registration_mode", "registration_url", "registration_system", "audience"):
            yield {"kind": "session_registration", "session": key}
        if not _same(before, row, "working_languages", "interpretation_languages"):
            yield {"kind": "session_languages", "session": key}


_QUIET_KINDS = {
    "session_moved",
    "session_cancelled",
    "session_withdrawn",
    "session_reinstated",
    "session_room",
    "session_platform",
}


def _quiet(was: dict[int, Row], is_now: dict[int, Row], old: Rows, new: Rows) -> Iterator[Change]:
    """What people are told who are registered for a session that strangers may not see. It stands in no public list."""
    before, after = old.quiet_sessions(), new.quiet_sessions()
    keys = {*before, *after}
    was, is_now = (
        {key: row for key, row in {**seen, **unseen}.items() if key in keys}
        for seen, unseen in ((was, before), (is_now, after))
    )
    for change in _sessions(was, is_now, old, new):
        if change["kind"] in _QUIET_KINDS and change["session"] in was:
            yield {**change, "quiet": True}


def _time(row: Row, rows: Rows) -> dict[str, Any]:
    """When a session is: its instants, and its day for one without."""
    day = rows.of(ConferenceDay).get(row["day_id"] or 0)
    return {"starts_at": row["starts_at"], "ends_at": row["ends_at"], "date": day["date"] if day else None}


def _order_changed(key: int, was: dict[int, Row], is_now: dict[int, Row]) -> bool:
    """Whether a session without a time stands elsewhere among those of its day that were there before."""
    if is_now[key]["starts_at"]:
        return False
    day = is_now[key]["day_id"]
    common = [other for other in is_now if other in was and is_now[other]["day_id"] == was[other]["day_id"] == day]
    old_order = sorted(common, key=lambda other: (was[other]["position"], other))
    new_order = sorted(common, key=lambda other: (is_now[other]["position"], other))
    return old_order.index(key) != new_order.index(key)


def _contents(old: Rows, new: Rows, sessions: Iterable[int]) -> Iterator[Change]:
    """Texts, convenors, outline, papers and results of sessions. One line says that they are new, not what."""
    outline = ("kind", "heading", "position", "starts_at", "ends_at")
    parts: list[tuple[str, type[Any], tuple[str, ...]]] = [
        ("session_text", TextSection, ("kind", "heading", "text", "position")),
        ("session_convenors", Convenorship, ("organisation_id", "with_unit_id", "relation", "position")),
        ("session_outline", Segment, outline),
        ("session_papers", Material, ("url", "title", "kind", "language")),
        ("session_results", Recommendation, ("kind", "number", "parent_id", "text", "addressee", "topics")),
    ]
    changed = {kind: _changed(old, new, model, names) for kind, model, names in parts}
    for key in sessions:
        before, after = old.of(Session)[key], new.of(Session)[key]
        texts = {"session_text"} if not _same(before, after, "summary", "call_to_action", "join_link_rule") else set()
        for kind in [*texts, *(kind for kind, found in changed.items() if key in found and kind not in texts)]:
            yield {"kind": kind, "session": key}


def _changed(old: Rows, new: Rows, model: type[Any], names: tuple[str, ...]) -> set[int]:
    before, after = (
        {
            session: [[row.get(name) for name in names] for row in found if is_announced(row)]
            for session, found in rows.by_session(model).items()
        }
        for rows in (old, new)
    )
    return {key for key in {*before, *after} if key and before.get(key, []) != after.get(key, [])}


def is_announced(row: Row) -> bool:
    """Whether a row may be spoken of before its session: what waits for the end, or stays hidden, is in no list."""
    return row.get("visibility") in (None, SegmentVisibility.BEFORE)
