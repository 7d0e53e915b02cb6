"""Which tables a programme is made of: each app registers its own, in AppConfig.ready().

What is not registered is always live: persons, organisations, rooms, countries. Who is hidden, renamed or given a
pseudonym is so at once, in every release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

# Columns that say when or how often a row changed. They are frozen, but neither compared nor taken back.
STAMPS = frozenset({"updated_at", "calendar_sequence", "calendar_changed_at"})


@dataclass(frozen=True, slots=True)
class ProgrammeTable:
    """One table of the programme.

    model: its model. path: foreign keys that lead from a row to its conference, empty for the conference itself.
    left_out: columns only organisers read; never frozen, always as they are now. tightened: columns that decide who
    sees a row, with their values from open to closed: a row that was closed further since is closed at once, and
    stays so when it is deleted or an older release comes back; one that was opened waits for the next release. later:
    dates before which nobody sees a row; a later one closes in the same way. goes_with: foreign keys to live rows
    with which a frozen row goes when they are deleted; others become empty. emptied_under_pseudonym: columns that are
    emptied when the person of the row becomes a pseudonym. newer_as: rows made since the last release are there under
    these values, because rows outside of the programme point at them; without it they are not there at all. aside:
    columns of unique constraints that cannot wait for the end of a transaction, with SQL for a value nobody has; two
    rows that swapped theirs change back over it. covered: columns of a row that was taken down, with the SQL that
    readers get instead; rows outside of the programme point at it, so that it must be there. gone_with: columns of
    foreign keys with the model at their other end and SQL that says which of its rows are hidden or taken down; rows
    that belong to one of these are not there at all.
    """

    model: type[models.Model]
    path: str
    left_out: Sequence[str] = ()
    tightened: Mapping[str, Sequence[str]] = field(default_factory=dict)
    later: Sequence[str] = ()
    goes_with: Sequence[str] = ()
    emptied_under_pseudonym: Sequence[str] = ()
    newer_as: Mapping[str, str] = field(default_factory=dict)
    aside: Mapping[str, str] = field(default_factory=dict)
    covered: Mapping[str, str] = field(default_factory=dict)
    gone_with: Mapping[str, tuple[type[models.Model], str]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name of the table."""
        return self.model._meta.db_table

    @property
    def fields(self) -> list[models.Field[Any, Any]]:
        """Its columns, in the order of the model."""
        return list(self.model._meta.concrete_fields)

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return [str(found.column) for found in self.fields]

    @property
    def steps(self) -> list[models.ForeignKey[Any, Any]]:
        """The foreign keys of the path."""
        found: list[models.ForeignKey[Any, Any]] = []
        model = self.model
        for name in filter(None, self.path.split("__")):
            step = model._meta.get_field(name)
            if not isinstance(step, models.ForeignKey):
                raise TypeError(f"{name} leads nowhere")
            found.append(step)
            model = step.remote_field.model
        return found


_tables: dict[str, ProgrammeTable] = {}


def register(table: ProgrammeTable) -> None:
    """Make a table part of what is released. Tables that others point at are registered before these."""
    _tables[table.name] = table


def all_tables() -> list[ProgrammeTable]:
    """All tables, in the order in which they were registered: what others point at comes first."""
    return list(_tables.values())


def table_of(model: type[models.Model]) -> ProgrammeTable:
    """The table of a model. Raises KeyError when it is not part of the programme."""
    return _tables[model._meta.db_table]


def outside(table: ProgrammeTable) -> list[models.ForeignKey[Any, Any]]:
    """Foreign keys of a table to rows that are not released: they are live and may be deleted."""
    return [
        found
        for found in table.fields
        if isinstance(found, models.ForeignKey) and found.remote_field.model._meta.db_table not in _tables
    ]
