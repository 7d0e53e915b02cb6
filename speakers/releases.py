"""Speakers in releases: what of them is frozen, what is new between two releases, how they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from alliance.languages import Translations
from events.models import Conference, ReleasedRow, Segment, SegmentVisibility
from events.releases import changes, programme, tables, wording
from events.releases.changes import Change, Row, Rows
from events.releases.tables import ProgrammeTable
from speakers.models import Contribution, ContributionStatus, Person

_GONE = {ContributionStatus.DECLINED, ContributionStatus.REPLACED}
_WORDING = (
    "role",
    "honorific",
    "name_printed",
    "post_nominals",
    "role_title",
    "organisation_id",
    "country_id",
    "topic",
    "heading_printed",
    "unnamed_label",
    "delivery",
)


def _announced(rows: Rows) -> dict[int, dict[int, Row]]:
    """By session: the contributions that the programme announces."""
    segments = rows.of(Segment)
    found: dict[int, dict[int, Row]] = {}
    for key, row in sorted(rows.of(Contribution).items(), key=lambda item: (item[1]["position"], item[0])):
        segment = segments.get(row["segment_id"] or 0, {})
        if row["status"] in _GONE or not row["is_announced"]:
            continue
        if changes.is_announced(row) and changes.is_announced(segment):
            found.setdefault(row["session_id"], {})[key] = row
    return found


def find(old: Rows, new: Rows, sessions: Iterable[int]) -> Iterator[Change]:
    """Who is new, gone, replaced, confirmed or worded otherwise.

    Where a pseudonym comes or goes, the list only says that the speakers have changed: beside a name that goes, a
    pseudonym that comes would be a trace to who is behind it.
    """
    pseudonyms = set(Person.objects.filter(is_pseudonym=True).values_list("pk", flat=True))
    before, after = _announced(old), _announced(new)
    for session in sessions:
        was, is_now = before.get(session, {}), after.get(session, {})
        found = list(_of_session(session, was, is_now))
        moved = [row for key in {*was, *is_now} for row in (was.get(key), is_now.get(key)) if row is not None]
        touched = {row["person_id"] for row in moved if was.get(row["id"]) != is_now.get(row["id"])}
        if found and touched & pseudonyms:
            yield {"kind": "speakers_changed", "session": session}
        else:
            yield from found


def _of_session(session: int, was: dict[int, Row], is_now: dict[int, Row]) -> Iterator[Change]:
    gone = {key: row for key, row in was.items() if key not in is_now}
    for key, row in is_now.items():
        before = was.get(key)
        if before is None:
            before = _successor(row, gone)
            if before is None:
                yield {"kind": "speaker_new", "session": session, **_who(row)}
                continue
            del gone[before["id"]]
        if before["person_id"] != row["person_id"]:
            yield {"kind": "speaker_replaced", "session": session, "before": _who(before), "after": _who(row)}
            continue
        if any((before.get(name) or None) != (row.get(name) or None) for name in _WORDING):
            yield {"kind": "speaker_reworded", "session": session, **_who(row)}
        if before["status"] != row["status"] and row["status"] == ContributionStatus.CONFIRMED:
            yield {"kind": "speaker_confirmed", "session": session, **_who(row)}
    for row in gone.values():
        yield {"kind": "speaker_gone", "session": session, **_who(row)}


def _successor(row: Row, gone: dict[int, Row]) -> Row | None:
    """Whom a new speaker replaces: the only one who left the same part in the same role."""
    left = [other for other in gone.values() if other["role"] == row["role"] and _part(other) == _part(row)]
    return left[0] if len(left) == 1 else None


def _part(row: Row) -> object:
    return row["segment_id"]


def _who(row: Row) -> Change:
    about = {"contribution": row["id"]}
    return about | ({"person": row["person_id"]} if row["person_id"] else {"label": row["unnamed_label"]})


def names(ids: Iterable[int]) -> dict[int, str]:
    """How persons are called in a list of changes: nobody who is hidden, nobody under a pseudonym."""
    persons = Person.objects.visible().filter(pk__in=ids, is_pseudonym=False)
    return dict(persons.values_list("pk", "display_name"))


def seats(conference: Conference, ids: Iterable[int]) -> dict[int, Translations | None]:
    """What is printed for contributions without a person today; None for those that must not be spoken of.

    That is whoever is closed, by themselves or with their segment, or was when they were deleted, and whoever stands
    there under a pseudonym today, whatever stood there before.
    """
    found: dict[int, Translations | None] = {}
    rows = Contribution.objects.filter(pk__in=ids).values_list(
        "pk", "unnamed_label", "visibility", "segment__visibility", "is_announced", "person__is_pseudonym"
    )
    for key, label, own, with_segment, is_announced, is_pseudonym in rows:
        is_closed = {own, with_segment or own} != {SegmentVisibility.BEFORE} or not is_announced
        found[key] = None if is_closed or is_pseudonym else label
    if gone := set(ids) - set(found):
        found |= dict.fromkeys(_closed_when_deleted(conference, gone))
    return found


def _closed_when_deleted(conference: Conference, ids: set[int]) -> set[int]:
    """Of contributions that are no more, those that a release keeps as closed (events.releases.schema sees to that)."""
    before = SegmentVisibility.BEFORE
    kept = ReleasedRow.objects.filter(release__conference=conference)
    rows = list(
        kept.filter(table=Contribution._meta.db_table, row_id__in=ids).values_list(
            "row_id", "data__segment_id", "data__visibility", "data__is_announced"
        )
    )
    segments = {segment for _key, segment, _visibility, _is_announced in rows if segment}
    closed = set(Segment.objects.filter(pk__in=segments).exclude(visibility=before).values_list("pk", flat=True))
    closed |= set(
        kept.filter(table=Segment._meta.db_table, row_id__in=segments)
        .exclude(data__visibility=before)
        .values_list("row_id", flat=True)
    )
    return {
        key
        for key, segment, visibility, is_announced in rows
        if visibility != before or not is_announced or segment in closed
    }


def register() -> None:
    """Make contributions part of what is released, and tell what has changed about them and how persons are called."""
    tables.register(
        ProgrammeTable(
            Contribution,
            path="session__conference",
            left_out=["internal_note", "sources"],
            tightened={"visibility": SegmentVisibility.values, "is_announced": ["true", "false"]},
            goes_with=["person"],
            gone_with={**programme.OF_SESSION, "person_id": (Person, "is_hidden")},
            emptied_under_pseudonym=[
                "name_printed",
                "honorific",
                "post_nominals",
                "role_title",
                "role_title_in_report",
                "unnamed_label",
                "organisation",
                "country",
                "country_meaning",
                "topic",
            ],
        )
    )
    tables.register(ProgrammeTable(Contribution.other_organisations.through, path="contribution__session__conference"))
    changes.register_part(find)
    wording.register_names(names)
    wording.register_seats(seats)
