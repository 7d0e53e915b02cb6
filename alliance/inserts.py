"""Writing new rows of several models by one statement, where many people wait for it at once.

QuerySet.bulk_create builds its statement anew at each call, and each model costs a round trip: a third of what the web
server did for one registration. Here the text of a statement is kept. The models' fields prepare the values as ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper

Fields = tuple["models.Field[Any, Any]", ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """New rows of one model. skip_known: leave out those that a unique constraint knows already."""

    rows: Sequence[models.Model]
    skip_known: bool = False


def insert(*groups: Rows) -> bool:
    """Insert all rows in one statement, in the caller's transaction. Plain columns only: no defaults of the database.

    Returns whether all rows of the first group that has any were inserted; their primary keys, and only theirs, are
    then set. No row may refer to another one of the same call.
    """
    present = [group for group in groups if group.rows]
    if not present:
        return True
    sql = _statement(tuple((type(group.rows[0]), len(group.rows), group.skip_known) for group in present))
    first, *others = present
    # The first group stands last in the statement: what it returns is what the statement returns.
    database = connections[DEFAULT_DB_ALIAS]  # itself: the proxy looks it up at each touch, and values touch it often
    values = [value for group in (*others, first) for row in group.rows for value in _values(row, database)]
    with database.cursor() as cursor:
        cursor.execute(sql, values)
        keys = cursor.fetchall()
    if len(keys) < len(first.rows):
        return False
    for row, (key,) in zip(first.rows, keys, strict=True):
        row.pk = key
        row._state.adding = False
        row._state.db = database.alias
    return True


@lru_cache(maxsize=256)
def _statement(shape: tuple[tuple[type[models.Model], int, bool], ...]) -> str:
    """The statement for groups of (model, number of rows, skip_known)."""
    first, *others = (_insert(model, count, skip_known) for model, count, skip_known in shape)
    key = connection.ops.quote_name(str(shape[0][0]._meta.pk.column))
    named = ", ".join(f"other{number} AS ({text})" for number, text in enumerate(others))
    return f"{f'WITH {named} ' if named else ''}{first} RETURNING {key}"


def _insert(model: type[models.Model], count: int, skip_known: bool) -> str:
    quote = connection.ops.quote_name
    fields = _fields(model)
    columns = ", ".join(quote(str(field.column)) for field in fields)
    row = f"({', '.join(['%s'] * len(fields))})"
    sql = f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES {', '.join([row] * count)}"  # noqa: S608 - names of ours
    return f"{sql} ON CONFLICT DO NOTHING" if skip_known else sql


@lru_cache
def _fields(model: type[models.Model]) -> Fields:
    """The fields that get a value from us: all but a key that the database counts."""
    return tuple(field for field in model._meta.local_concrete_fields if not isinstance(field, models.AutoField))


def _values(row: models.Model, database: BaseDatabaseWrapper) -> list[Any]:
    return [field.get_db_prep_save(field.pre_save(row, True), database) for field in _fields(type(row))]
