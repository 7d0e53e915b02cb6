"""The two schemas in which PostgreSQL keeps what is published; made from the models after every migration.

released    a table for each programme table, with the rows of the last release of every conference
published   a view for each, under the name of the programme table: those rows, and the draft of every conference that
            has no release yet

Nothing in them is the only copy: events_releasedrow keeps the rows of all releases, from which `rebuild` fills the
tables. They are taken away before tables change (a view would forbid it) and made again afterwards; in between, public
pages answer 503 (events.releases.reading). Names of tables and columns come from the models, never from users.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from django.db import connection, models, transaction

from events.models import Conference, Release, ReleasedRow
from events.releases import tables
from events.releases.tables import ProgrammeTable

_RELEASES = Release._meta.db_table
_ROWS = ReleasedRow._meta.db_table
_CONFERENCES = Conference._meta.db_table


def is_current() -> bool:
    """Whether both schemas are there, as the present models want them."""
    return found_mark() == wanted_mark()


def found_mark() -> str | None:
    """By which models the schemas were made; None while they are not there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT obj_description(to_regnamespace('published'), 'pg_namespace')")
        (mark,) = cursor.fetchone()
    return mark or None


@cache
def wanted_mark() -> str:
    """The mark of schemas made by the present models."""
    return _mark(list(_statements()))


def rebuild() -> None:
    """Make both schemas and fill them from the kept rows. All migrations must have run."""
    statements = list(_statements())
    with transaction.atomic(), connection.cursor() as cursor:
        drop()
        for statement in statements:
            cursor.execute(statement)
        freeze()
        cursor.execute(f"COMMENT ON SCHEMA published IS '{_mark(statements)}'")


def drop() -> None:
    """Take both schemas away, with their triggers on other tables. Public pages answer 503 until they are back."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS published, released CASCADE")


def _mark(statements: list[str]) -> str:
    return hashlib.sha256("\n".join(statements).encode()).hexdigest()


def freeze(conference_id: int | None = None) -> None:
    """Fill the tables with the rows of the last release of one conference, or of all."""
    condition = "" if conference_id is None else f" AND release.conference_id = {int(conference_id)}"
    with connection.cursor() as cursor:
        for table in tables.all_tables():
            columns = _listed(table)
            old = "TRUE" if conference_id is None else f"of_conference = {int(conference_id)}"
            cursor.execute(f"DELETE FROM released.{table.name} WHERE {old}")
            cursor.execute(
                f"INSERT INTO released.{table.name} ({columns}, of_conference) "
                f"SELECT {_listed(table, 'row')}, release.conference_id FROM public.{_RELEASES} release "
                f"JOIN public.{_ROWS} kept ON kept.release_id = release.id AND kept.table = '{table.name}' "
                f"CROSS JOIN LATERAL jsonb_populate_record(NULL::public.{table.name}, "
                f"{defaults(table)} || kept.data) row "
                f"WHERE release.number = (SELECT max(number) FROM public.{_RELEASES} other "
                f"WHERE other.conference_id = release.conference_id){condition}",
                [],  # so that the doubled percent signs of the defaults are read as everywhere else
            )


def defaults(table: ProgrammeTable) -> str:
    """SQL: values for columns that a release does not have, because they are left out or came later."""
    values = {str(found.column): _default(found) for found in table.fields}
    text = json.dumps({name: value for name, value in values.items() if value is not None}, sort_keys=True)
    return "'" + text.replace("'", "''").replace("%", "%%") + "'::jsonb"


def rows_of(table: ProgrammeTable) -> tuple[str, str]:
    """SQL for the draft: FROM with the rows of a table as t, and the id of the conference they belong to."""
    joins, alias, last = "", "t", "t.id"
    for index, step in enumerate(table.steps):
        last = f"{alias}.{step.column}"
        if step.remote_field.model is not Conference:
            alias = f"a{index}"
            joins += f" JOIN public.{step.remote_field.model._meta.db_table} {alias} ON {alias}.id = {last}"
    return f"FROM public.{table.name} t{joins}", last


def _default(found: models.Field[Any, Any]) -> Any:
    if found.null or found.primary_key or isinstance(found, models.ForeignKey):
        return None
    if found.has_default():
        value = found.get_default()
        return value if isinstance(value, str | int | bool | list | dict) else None
    return "" if isinstance(found, models.CharField | models.TextField) else None


def _listed(table: ProgrammeTable, prefix: str = "") -> str:
    return ", ".join(f'{prefix}."{name}"' if prefix else f'"{name}"' for name in table.columns)


# --- what the schemas are made of -----------------------------------------------------------------------------------


def _statements() -> Iterator[str]:
    yield "CREATE SCHEMA released"
    yield "CREATE SCHEMA published"
    for table in tables.all_tables():
        yield from _table(table)
    for table in tables.all_tables():
        yield _view(table)
    yield from _triggers()


def _table(table: ProgrammeTable) -> Iterator[str]:
    yield (
        f"CREATE TABLE released.{table.name} AS SELECT {_listed(table)}, NULL::bigint AS of_conference "
        f"FROM public.{table.name} WITH NO DATA"
    )
    for column in {"id", "of_conference", *(str(step.column) for step in table.steps[:1])}:
        yield f"CREATE INDEX ON released.{table.name} ({column})"


def _view(table: ProgrammeTable) -> str:
    """Released rows of published conferences, draft rows of the others. Some columns are always as they are now."""
    live = bool(table.left_out or table.tightened or table.later)
    columns = ", ".join(_seen(table, found) for found in table.fields)
    beside = f" LEFT JOIN public.{table.name} live ON live.id = frozen.id" if live else ""
    draft, conference = rows_of(table)
    rows = (
        f"SELECT {columns} FROM released.{table.name} frozen{beside} "
        f"UNION ALL SELECT {_listed(table, 't')} {draft} "
        f"WHERE NOT EXISTS (SELECT FROM public.{_RELEASES} r WHERE r.conference_id = {conference})"
    ) + _newer(table)
    return f"CREATE VIEW published.{table.name} AS {_without_taken_down(table, rows)}"


def _without_taken_down(table: ProgrammeTable, rows: str) -> str:
    """SQL: the rows as they may be read while something is taken down or hidden. Here it ends for all readers at once.

    The ids are asked for once in a query; there are hardly ever any.
    """
    if not (table.covered or table.gone_with):
        return rows
    columns = ", ".join(
        f'CASE WHEN taken_down_at IS NULL THEN "{name}" ELSE {table.covered[name]} END AS "{name}"'
        if name in table.covered
        else f'"{name}"'
        for name in table.columns
    )
    stay = " AND ".join(
        f"COALESCE({name}, 0) <> ALL (ARRAY(SELECT id FROM public.{model._meta.db_table} WHERE {gone}))"
        for name, (model, gone) in table.gone_with.items()
    )
    return f"SELECT {columns} FROM ({rows}) seen WHERE {stay or 'TRUE'}"


def _newer(table: ProgrammeTable) -> str:
    """SQL: the rows that came after the last release, where others point at them. They say that they are drafts."""
    if not table.newer_as:
        return ""
    columns = ", ".join(
        f"'{table.newer_as[found.name]}'" if found.name in table.newer_as else f't."{found.column}"'
        for found in table.fields
    )
    draft, conference = rows_of(table)
    return (
        f" UNION ALL SELECT {columns} {draft} "
        f"WHERE EXISTS (SELECT FROM public.{_RELEASES} r WHERE r.conference_id = {conference}) "
        f"AND NOT EXISTS (SELECT FROM released.{table.name} f WHERE f.id = t.id)"
    )


def _seen(table: ProgrammeTable, found: models.Field[Any, Any]) -> str:
    """SQL: a column of a released row as readers get it."""
    name = f'"{found.column}"'
    if found.name in table.left_out:
        return f"COALESCE(live.{name}, frozen.{name}) AS {name}"
    if closer := closing(table, found, f"live.{name}", f"frozen.{name}"):
        return f"{closer} AS {name}"
    return f"frozen.{name}"


def closing(table: ProgrammeTable, found: models.Field[Any, Any], one: str, other: str) -> str:
    """SQL: of two values of a column that says who may see a row, the more closed; empty for all other columns."""
    if order := table.tightened.get(found.name):
        return f"CASE WHEN {_place(order, one)} > {_place(order, other)} THEN {one} ELSE {other} END"
    return f"GREATEST({one}, {other})" if found.name in table.later else ""  # passes over NULL, which means no date


def _place(order: Sequence[str], value: str) -> str:
    values = "ARRAY[" + ", ".join(f"'{name}'" for name in order) + "]"
    return f"COALESCE(array_position({values}, ({value})::text), 0)"


def _triggers() -> Iterator[str]:
    """What is deleted for good, or becomes a pseudonym, goes from every release in the same transaction."""
    names = [table.name for table in tables.all_tables()]
    gone = "".join(f"DELETE FROM released.{name} WHERE of_conference = OLD.conference_id; " for name in names)
    yield from _trigger("release_gone", f"AFTER DELETE ON public.{_RELEASES} FOR EACH ROW", gone)
    emptied = "".join(f"TRUNCATE released.{name}; " for name in names)
    yield from _trigger("releases_emptied", f"AFTER TRUNCATE ON public.{_RELEASES} FOR EACH STATEMENT", emptied)
    by_target: dict[str, list[str]] = {}
    for table in tables.all_tables():
        for key in tables.outside(table):
            by_target.setdefault(key.remote_field.model._meta.db_table, []).extend(_forgetting(table, key))
    for target, actions in sorted(by_target.items()):
        yield from _trigger(f"{target}_gone", f"AFTER DELETE ON public.{target} FOR EACH ROW", " ".join(actions))
    for table in tables.all_tables():
        if table.steps and (table.tightened or table.later):
            yield from _stays_closed(table)
    for table in tables.all_tables():
        if table.covered:
            yield from _stays_taken_down(table)
    for table in tables.all_tables():
        if table.emptied_under_pseudonym:
            yield from _under_pseudonym(table)


def _trigger(name: str, when: str, body: str) -> Iterator[str]:
    yield (f"CREATE FUNCTION released.{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$")
    yield f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION released.{name}()"


def _forgetting(table: ProgrammeTable, key: models.ForeignKey[Any, Any]) -> Iterator[str]:
    kept = f"\"table\" = '{table.name}' AND data ->> '{key.column}' = OLD.id::text"
    if key.name in table.goes_with or not key.null:
        yield f"DELETE FROM released.{table.name} WHERE {key.column} = OLD.id;"
        yield f"DELETE FROM public.{_ROWS} WHERE {kept};"
    else:
        yield f"UPDATE released.{table.name} SET {key.column} = NULL WHERE {key.column} = OLD.id;"
        yield f"UPDATE public.{_ROWS} SET data = data - '{key.column}' WHERE {kept};"


def _stays_closed(table: ProgrammeTable) -> Iterator[str]:
    """A row that was closed since its release and then deleted must not come to light again by that."""
    now, then = [], []
    for found in table.fields:
        name = str(found.column)
        if closer := closing(table, found, f"OLD.{name}", name):
            now.append(f"{name} = {closer}")
            kept = f"(kept.data ->> '{name}')::{found.db_type(connection)}"
            then.append(f"'{name}', {closing(table, found, f'OLD.{name}', kept)}")
    body = (
        f"UPDATE released.{table.name} SET {', '.join(now)} WHERE id = OLD.id; "
        f"UPDATE public.{_ROWS} kept SET data = kept.data || jsonb_build_object({', '.join(then)}) "
        f"WHERE kept.release_id IN (SELECT id FROM public.{_RELEASES}) "  # the index begins with it
        f"AND kept.\"table\" = '{table.name}' AND kept.row_id = OLD.id;"
    )
    opened = [f"OLD.{name} <> '{order[0]}'" for name, order in table.tightened.items()]
    opened += [f"OLD.{name} IS NOT NULL" for name in table.later]
    when = f"AFTER DELETE ON public.{table.name} FOR EACH ROW WHEN ({' OR '.join(opened)})"
    yield from _trigger(f"{table.name}_stays_closed", when, body)


def _stays_taken_down(table: ProgrammeTable) -> Iterator[str]:
    """A row that was taken down and then deleted stands in its releases as one that only organisers may see."""
    closed = {name: order[-1] for name, order in table.tightened.items()}
    now = ", ".join(f"{name} = '{value}'" for name, value in closed.items())
    body = (
        f"UPDATE released.{table.name} SET {now} WHERE id = OLD.id; "
        f"UPDATE public.{_ROWS} SET data = data || '{json.dumps(closed)}'::jsonb "
        f"WHERE release_id IN (SELECT id FROM public.{_RELEASES}) AND \"table\" = '{table.name}' AND row_id = OLD.id;"
    )
    when = f"AFTER DELETE ON public.{table.name} FOR EACH ROW WHEN (OLD.taken_down_at IS NOT NULL)"
    yield from _trigger(f"{table.name}_stays_taken_down", when, body)


def _under_pseudonym(table: ProgrammeTable) -> Iterator[str]:
    """The wording of contributions would be a trace beside a pseudonym (docs/design.md section 4.6)."""
    person = table.model._meta.get_field("person")
    fields = [found for found in table.fields if found.name in table.emptied_under_pseudonym]
    values = {str(found.column): _default(found) for found in fields}
    literals = {name: "NULL" if value is None else _literal(value) for name, value in values.items()}
    settings = ", ".join(f"{name} = {value}" for name, value in literals.items())
    names = ", ".join(f"'{name}'" for name in values)
    body = (
        f"UPDATE released.{table.name} SET {settings} WHERE {person.attname} = NEW.id; "  # type: ignore[union-attr]
        f"UPDATE public.{_ROWS} SET data = data - ARRAY[{names}] "
        f"WHERE \"table\" = '{table.name}' AND data ->> '{person.attname}' = NEW.id::text;"  # type: ignore[union-attr]
    )
    target = person.remote_field.model._meta.db_table  # type: ignore[union-attr]
    when = f"AFTER UPDATE ON public.{target} FOR EACH ROW WHEN (NEW.is_pseudonym AND NOT OLD.is_pseudonym)"
    yield from _trigger(f"{table.name}_under_pseudonym", when, body)


def _literal(value: Any) -> str:
    if isinstance(value, str):
        return f"'{value}'"
    if isinstance(value, list):
        return "'{}'"
    return f"'{json.dumps(value)}'"
