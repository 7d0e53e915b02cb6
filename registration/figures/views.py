"""The figures of a conference that an organiser released, for everybody: as they stood then, without small groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import formats
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from events import facts
from events.models import Session
from events.views import conference_frame
from registration.figures import words
from registration.figures.words import Label
from registration.models import Category
from registration.models.figure import Breakdown, LiveMeasure, PublicFigure


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a public table. value: None where it is not shown. name: a label in several languages."""

    label: Label
    value: int | None
    name: Any = None


@dataclass(frozen=True, slots=True)
class Table:
    """A public table. is_partial: whatever may not be shown has no line."""

    code: str
    title: Label
    lines: list[Line]
    is_partial: bool = False


def labels() -> dict[str, dict[str, Label]]:
    """The lines of tables that name all of them, whether or not there is a number to show."""
    return {
        Breakdown.REPORT_CATEGORY: words.REPORT_LABELS,
        Breakdown.CATEGORY: {category.value: category.label for category in Category},
        Breakdown.STANDING: words.STANDING_LABELS,
        Breakdown.COUNTRIES: {"": gettext_lazy("All countries"), **words.COUNTRY_GROUP_LABELS},
        Breakdown.LANGUAGE: dict(words.languages()),
        Breakdown.MODE: words.MODE_LABELS,
    }


def public_rows(rows: Any) -> Any:
    """Of released figures those whose session strangers may see now, with what they name. rows: a queryset."""
    seen = rows.filter(session__isnull=True) | rows.filter(session__in=Session.objects.public())
    return seen.select_related("country", "session__conference", "conference")


def tables(released: Sequence[PublicFigure]) -> list[Table]:
    """The tables that have something to show."""
    numbers = {(row.breakdown, row.group): row.value for row in released}
    named = labels()
    found = []
    for breakdown, title in words.TITLES.items():
        if breakdown in named:
            lines = [Line(label, numbers.get((breakdown, code))) for code, label in named[breakdown].items()]
        else:
            places = [(row.value, row.country or row.session) for row in released if row.breakdown == breakdown]
            lines = [
                Line("", value, place.title if isinstance(place, Session) else place.name)
                for value, place in places
                if place is not None
            ]
        if any(line.value is not None for line in lines):
            found.append(Table(str(breakdown), title, lines, breakdown not in named))
    return found


@require_safe
@cache_control(public=True, no_cache=True)
def public_figures(request: HttpRequest, slug: str) -> HttpResponse:
    """The released figures; 404 as long as there are none, like any page that is not there."""
    context = conference_frame(request, slug)
    conference = context["conference"]
    released = list(public_rows(PublicFigure.objects.filter(conference=conference)).order_by("position"))
    if not released:
        raise Http404
    first = released[0]
    measure = LiveMeasure(first.measure)
    local = first.counted_at.astimezone(conference.zone)
    return render(
        request,
        "registration/figures.html",
        {
            **context,
            "crumbs": [*context["crumbs"], (str(conference.title), conference.get_absolute_url())],
            "measure": measure.label,
            "measure_note": words.MEASURE_NOTES[measure],
            "total": next((row.value for row in released if row.breakdown == Breakdown.TOTAL), None),
            "counted_at": f"{formats.date_format(local)}, {local:%H:%M} ({local:%Z})",
            "tables": tables(released),
            "imported": facts.figures(conference),
        },
    )
