"""Going back: the draft becomes what it was in a release, whatever was renamed, swapped, moved or made anew since.

Sessions made since may have registrations, so they stay with all they are made of, as drafts that give way where a
session of the release wants its name back. Every other row made since goes. Constraints are checked at the end.
What was taken down stays so, also when it was deleted since.
"""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from alliance.exceptions import DomainError
from events.models import Conference, ConferenceDay, Release, ReleasedRow, Removal, Session, SessionState
from events.releases import schema, tables
from events.releases.tables import ProgrammeTable

_ROWS = ReleasedRow._meta.db_table
_SESSIONS = Session._meta.db_table
_DAYS = ConferenceDay._meta.db_table
_REMOVALS = Removal._meta.db_table


class CannotGoBack(DomainError):
    """Rows outside of the release have taken what it needs."""

    message = _(
        "Something else has taken since what this release needs: a room at that time, an address, or a number. "
        "Free it first. Nothing was changed."
    )


def go_back(release: Release) -> None:
    """Make the draft what it was in the release. The caller holds the programme still. Raises CannotGoBack."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            newer = _set_newer_sessions_aside(cursor, release)
            for table in reversed(tables.all_tables()):
                _take_away_newer(cursor, table, release, newer)
            for table in tables.all_tables():
                _step_aside(cursor, table, release)
                _put_back(cursor, table, release)
            _take_away_newer_days(cursor, release, newer)
            _take_down_again(cursor, release)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        raise CannotGoBack from error


def _kept(table: ProgrammeTable, condition: str) -> str:
    """SQL: whether there is a row of the release as kept that fits a condition. One value: the release."""
    return (
        f"EXISTS (SELECT FROM {_ROWS} kept WHERE kept.release_id = %s AND kept.\"table\" = '{table.name}' "
        f"AND {condition})"
    )


def _set_newer_sessions_aside(cursor: Any, release: Release) -> list[int]:
    """Make drafts of the sessions that came after the release, without the names it wants back. Returns their ids."""
    table = tables.table_of(Session)
    cursor.execute(
        f"UPDATE {_SESSIONS} SET state = '{SessionState.DRAFT}' WHERE conference_id = %s "
        f"AND NOT {_kept(table, f'kept.row_id = {_SESSIONS}.id')} RETURNING id",
        [release.conference_id, release.pk],
    )
    newer = [row[0] for row in cursor.fetchall()]
    longest_of = {str(found.column): found.max_length for found in table.fields}
    for column in ("key", "slug"):
        longest = longest_of[column]
        wanted_back = _kept(table, f"kept.data ->> '{column}' = {column}")
        cursor.execute(
            f"UPDATE {_SESSIONS} SET {column} = left({column}, {longest} - 1 - length(id::text)) || '-' || id "
            f"WHERE id = ANY(%s) AND {wanted_back}",
            [newer, release.pk],
        )
    same = "(kept.data ->> 'kind', kept.data ->> 'number') = (kind, number::text)"
    cursor.execute(
        f"UPDATE {_SESSIONS} SET number = NULL WHERE id = ANY(%s) AND {_kept(table, same)}", [newer, release.pk]
    )
    return newer


def _take_away_newer(cursor: Any, table: ProgrammeTable, release: Release, newer: list[int]) -> None:
    """Delete the rows of the draft that the release does not have, but not those of sessions made since."""
    if table.model in (Conference, ConferenceDay, Session):
        return
    source, conference = schema.rows_of(table)
    session = "a0.session_id" if table.path.startswith("contribution__") else "t.session_id"
    cursor.execute(
        f"DELETE FROM {table.name} WHERE id IN (SELECT t.id {source} WHERE {conference} = %s "
        f"AND ({session} = ANY(%s)) IS NOT TRUE AND NOT {_kept(table, 'kept.row_id = t.id')})",
        [release.conference_id, newer, release.pk],
    )


def _take_away_newer_days(cursor: Any, release: Release, newer: list[int]) -> None:
    """Delete the days made since. A session made since moves to the same date; a day of its own date it keeps."""
    table = tables.table_of(ConferenceDay)
    no_day_of_release = f"NOT {_kept(table, 'kept.row_id = day.id')}"
    clashes = (
        f"EXISTS (SELECT FROM {_DAYS} other WHERE other.conference_id = day.conference_id AND other.id <> day.id "
        "AND (other.date = day.date OR other.number = day.number))"
    )
    cursor.execute(
        f"UPDATE {_SESSIONS} session SET day_id = (SELECT same.id FROM {_DAYS} same "
        f"WHERE same.conference_id = day.conference_id AND same.date = day.date AND same.id <> day.id) "
        f"FROM {_DAYS} day WHERE session.id = ANY(%s) AND day.id = session.day_id "
        f"AND {no_day_of_release} AND {clashes}",
        [newer, release.pk],
    )
    cursor.execute(
        f"DELETE FROM {_DAYS} day WHERE conference_id = %s AND {no_day_of_release} "
        f"AND NOT EXISTS (SELECT FROM {_SESSIONS} session WHERE session.day_id = day.id)",
        [release.conference_id, release.pk],
    )


def _take_down_again(cursor: Any, release: Release) -> None:
    """A session that was taken down, deleted and comes back with the release is still taken down."""
    cursor.execute(
        f"UPDATE {_SESSIONS} session SET taken_down_at = removal.taken_down_at FROM {_REMOVALS} removal "
        "WHERE session.conference_id = %s AND session.taken_down_at IS NULL "
        "AND removal.kind = 'session' AND removal.subject_id = session.public_id AND removal.lifted_at IS NULL",
        [release.conference_id],
    )


def _rows(table: ProgrammeTable) -> str:
    """SQL: FROM with the rows of the release as row. One value: the release."""
    return (
        f"FROM {_ROWS} kept CROSS JOIN LATERAL "
        f"jsonb_populate_record(NULL::{table.name}, {schema.defaults(table)} || kept.data) row "
        f"WHERE kept.release_id = %s AND kept.\"table\" = '{table.name}'"
    )


def _wanted(table: ProgrammeTable, row: str) -> dict[str, str]:
    """SQL by column that is taken back: what the draft is to have. What was closed since stays closed."""
    return {
        str(found.column): schema.closing(table, found, f'present."{found.column}"', f'{row}."{found.column}"')
        or f'{row}."{found.column}"'
        for found in table.fields
        if found.name not in table.left_out and found.name not in tables.STAMPS
    }


def _differs(wanted: dict[str, str]) -> str:
    present = ", ".join(f'present."{name}"' for name in wanted)
    return f"ROW({present}) IS DISTINCT FROM ROW({', '.join(wanted.values())})"


def _step_aside(cursor: Any, table: ProgrammeTable, release: Release) -> None:
    """Let the rows that will change give up their names first, so that two that swapped them can swap back."""
    if not table.aside:
        return
    settings = ", ".join(f'"{name}" = {value.replace("id", "present.id")}' for name, value in table.aside.items())
    cursor.execute(
        f"UPDATE {table.name} present SET {settings} {_rows(table)} AND row.id = present.id "
        f"AND {_differs(_wanted(table, 'row'))}",
        [release.pk],
    )


def _put_back(cursor: Any, table: ProgrammeTable, release: Release) -> None:
    """Write the rows of the release into the draft; only those that differ, and none whose row above is gone."""
    wanted = _wanted(table, "EXCLUDED")
    listed = ", ".join(f'"{name}"' for name in table.columns)
    settings = ", ".join(f'"{name}" = {value}' for name, value in wanted.items() if name != "id")
    settings += ', "updated_at" = now()' if "updated_at" in table.columns else ""
    above = [step for step in table.steps[:1] if step.remote_field.model is not Conference]
    stands = "".join(
        f" AND EXISTS (SELECT FROM {step.remote_field.model._meta.db_table} above WHERE above.id = row.{step.column})"
        for step in above
    )
    values = ", ".join(f'row."{name}"' for name in table.columns)
    cursor.execute(
        f"INSERT INTO {table.name} AS present ({listed}) SELECT {values} "
        f"{_rows(table)}{stands} ON CONFLICT (id) DO UPDATE SET {settings} WHERE {_differs(wanted)}",
        [release.pk],
    )
