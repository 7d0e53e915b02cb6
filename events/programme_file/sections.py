"""The parts of a programme file, known by name: each app registers what it reads and writes, in AppConfig.ready().

So imports keep pointing one way: this package knows no persons and no admissions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models

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
    conference into the file. models: what the part writes; whoever applies a file may change all of it.
    """

    name: str
    order: int
    loader: Loader
    exporter: Exporter | None
    models: tuple[type[models.Model], ...]


_sections: dict[str, Section] = {}


def register(
    name: str,
    order: int,
    loader: Loader,
    exporter: Exporter | None = None,
    *,
    models: tuple[type[models.Model], ...] = (),
) -> None:
    """Make a part known. Parts with a lower order are read and written first; names are given once."""
    if name in _sections and _sections[name].loader is not loader:
        raise ValueError(f"the section {name} is registered already")
    _sections[name] = Section(name, order, loader, exporter, models)


def in_order() -> list[Section]:
    """All parts, in the order in which they are read and written."""
    return sorted(_sections.values(), key=lambda section: (section.order, section.name))


def written_models() -> list[type[models.Model]]:
    """Every model that a file can change."""
    return list(dict.fromkeys(model for section in in_order() for model in section.models))
