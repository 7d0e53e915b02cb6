"""What pages add to the programme of a conference: papers and videos by kind, sources, figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from events.models import Material, MaterialKind, Reference

# Counts of people below this are not printed: in a small group everybody knows who they are (docs/design.md, 4.8).
_LEAST_PEOPLE = 5
_OF_PEOPLE = ("registered", "confirmed", "attended", "completed")


def figures(conference: Any) -> list[Any]:
    """The figures of a conference as a whole, with their measure, qualifier and source; small groups are left out."""
    few = Q(measure__in=_OF_PEOPLE, value__lt=_LEAST_PEOPLE)
    return list(conference.figures.filter(session=None).exclude(few).order_by("pk"))


def has_released_figures(conference: Any) -> bool:
    """Whether organisers have released figures of the participants; they have a page of their own."""
    return bool(conference.public_figures.exists())


def cited(references: Any) -> QuerySet[Reference]:
    """References worth printing, in order: a mark without a text behind it helps nobody."""
    rows: QuerySet[Reference] = references.exclude(citation="", url="").defer("internal_note")
    return rows.order_by("document", "pk")


def by_kind(materials: Iterable[Material]) -> list[tuple[str, list[Material]]]:
    """Papers and videos under the headings that pages print; without empty ones."""
    headings: dict[str, list[Material]] = {}
    names = {
        MaterialKind.RECORDING: gettext("Recordings"),
        MaterialKind.VIDEO: gettext("Related videos"),
        MaterialKind.PRESENTATION: gettext("Presentations"),
    }
    for name in (*names.values(), gettext("Papers and links")):
        headings[name] = []
    for material in materials:
        headings[names.get(MaterialKind(material.kind), gettext("Papers and links"))].append(material)
    return [(name, rows) for name, rows in headings.items() if rows]
