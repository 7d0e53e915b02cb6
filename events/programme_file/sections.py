"""The parts of a programme file, known by name: each app registers what it reads and writes, in AppConfig.ready().

So imports keep pointing one way: this package knows no persons and no admissions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth import get_permission_codename
from django.db.models import Model

from events.programme_file.changes import Changes
from events.programme_file.entries import Document

if TYPE_CHECKING:
    from events.programme_file.exporting import Export

Write = Callable[[Changes], None]
Loader = Callable[[Document], Write]
Exporter = Callable[["Export"], None]


@dataclass(frozen=True, slots=True)
class Section:
    """One part.

    loader: reads and checks without writing, and gives the function that writes. exporter: puts the part of a
    conference into the file. models: what the part adds, changes and removes; whoever applies a file may do that.
    shared: what belongs to all conferences, and is never removed.
    """

    name: str
    order: int
    loader: Loader
    exporter: Exporter | None
    models: tuple[type[Model], ...]
    shared: tuple[type[Model], ...]

    def permissions(self) -> set[str]:
        """What somebody must be allowed to apply a file with this part."""
        found = set()
        for model in (*self.models, *self.shared):
            for what in ("add", "change") if model in self.shared else ("add", "change", "delete"):
                found.add(f"{model._meta.app_label}.{get_permission_codename(what, model._meta)}")
        return found

    def view_permissions(self) -> set[str]:
        """What somebody must be allowed to see a file with this part."""
        written = (*self.models, *self.shared)
        return {f"{model._meta.app_label}.{get_permission_codename('view', model._meta)}" for model in written}


_sections: dict[str, Section] = {}


def register(
    name: str,
    order: int,
    loader: Loader,
    exporter: Exporter | None = None,
    *,
    models: tuple[type[Model], ...] = (),
    shared: tuple[type[Model], ...] = (),
) -> None:
    """Make a part known. Parts with a lower order are read and written first; names are given once."""
    if name in _sections and _sections[name].loader is not loader:
        raise ValueError(f"the section {name} is registered already")
    _sections[name] = Section(name, order, loader, exporter, models, shared)


def in_order() -> list[Section]:
    """All parts, in the order in which they are read and written."""
    return sorted(_sections.values(), key=lambda section: (section.order, section.name))


def permissions() -> set[str]:
    """What somebody must be allowed to apply a file: it can change every part of a programme."""
    return set().union(*(section.permissions() for section in in_order()))


def view_permissions() -> set[str]:
    """What somebody must be allowed to have a file: it holds all of a programme, internal notes too."""
    return set().union(*(section.view_permissions() for section in in_order()))
