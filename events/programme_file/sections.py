"""The parts a programme file is made of, known by name: each app registers what it reads, in AppConfig.ready().

So imports keep pointing one way: this package knows no persons and no admissions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from events.programme_file.changes import Changes
from events.programme_file.entries import Document

Write = Callable[[Changes], None]
Loader = Callable[[Document], Write]


@dataclass(frozen=True, slots=True)
class Section:
    """One part. loader reads and checks without writing, and gives the function that writes."""

    name: str
    order: int
    loader: Loader


_sections: dict[str, Section] = {}


def register(name: str, order: int, loader: Loader) -> None:
    """Make a part known. Parts with a lower order are read and written first; names are given once."""
    if name in _sections and _sections[name].loader is not loader:
        raise ValueError(f"the section {name} is registered already")
    _sections[name] = Section(name, order, loader)


def in_order() -> list[Section]:
    """All parts, in the order in which they are read and written."""
    return sorted(_sections.values(), key=lambda section: (section.order, section.name))
