"""Figures of a conference for organisers: a tab with every number, the list behind each, files, and their release."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from alliance.admin import clock_time, list_url
from events.admin import long_work, pages
from events.models import Conference
from registration.exports import work as exports
from registration.figures import behind, editions, words
from registration.figures import chart as figure_chart
from registration.figures import counting as figures
from registration.figures import release as figure_release
from registration.figures.counting import Figures
from registration.models import Figure, Registration
from registration.models.figure import Breakdown, LiveMeasure, PublicFigure

_VIEW, _RELEASE, _LISTS = "registration.view_figure", "registration.change_figure", "registration.view_registration"
_PARAMETER = "figure"
_MOST_EDITIONS = 20


def _parts(value: str) -> tuple[str, str, str]:
    """Measure, breakdown and code of a figure from an address."""
    measure, _dot, rest = value.partition(".")
    breakdown, _dot, code = rest.partition(".")
    return measure, breakdown, code


class FigureFilter(admin.SimpleListFilter):
    """The registrations behind one figure; it is there only when somebody comes from the figure."""

    title = gettext_lazy("figure")
    parameter_name = _PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The figure that was chosen."""
        chosen = request.GET.get(_PARAMETER, "")
        parts = _parts(chosen)
        if not chosen:
            return []
        # An unknown one is shown, too: without a choice Django would not filter, and everybody would be listed.
        return [(chosen, "?" if behind.registrations(*parts) is None else words.describe(*parts))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Registration]) -> QuerySet[Registration]:
        """Those of the people whom the figure counts."""
        if not self.value():
            return queryset
        found = behind.registrations(*_parts(self.value() or ""))
        return queryset.none() if found is None else queryset.filter(found)


def _behind(conference: Conference, measure: str, breakdown: str, code: str) -> str:
    query = {"admission__conference__id__exact": conference.pk, _PARAMETER: f"{measure}.{breakdown}.{code}"}
    return f"{list_url(Registration)}?{urlencode(query)}"


def _cells(found: Figures, row_numbers: figures.Numbers, breakdown: str, code: str, *, linked: bool) -> list[Any]:
    return [
        {
            "value": row_numbers[measure],
            "measure": measure.label,
            "url": _behind(found.conference, measure, breakdown, code) if linked and row_numbers[measure] else "",
        }
        for measure in words.MEASURES
    ]


def _tables(found: Figures, *, linked: bool) -> list[dict[str, Any]]:
    return [
        {
            "code": table.breakdown.value,
            "title": table.title,
            "adds_up": table.adds_up,
            "is_of_countries": table.breakdown == Breakdown.COUNTRIES,
            "rows": [
                {
                    "label": row.label,
                    "cells": _cells(found, row.numbers, table.breakdown, row.code, linked=linked),
                }
                for row in table.rows
            ],
        }
        for table in found.tables
        if table.rows
    ]


def _imported(conference: Conference) -> list[Figure]:
    return list(Figure.objects.filter(conference=conference).select_related("session").order_by("measure", "pk"))


def _editions(request: HttpRequest, conference: Conference) -> list[dict[str, Any]]:
    """This conference beside others of its series, as far as the user may see them."""
    if conference.series_id is None:
        return []
    of_series = Conference.objects.filter(series_id=conference.series_id)
    visible = cast("Any", request.user).access.rows(of_series, _VIEW)
    rows = list(visible.order_by("-edition", "-starts_on", "pk")[:_MOST_EDITIONS])
    if len(rows) < 2:
        return []
    return [
        {
            "conference": edition.conference,
            "is_this": edition.conference.pk == conference.pk,
            "url": pages.url("figures", edition.conference),
            "numbers": [edition.total[measure] for measure in words.MEASURES],
            "countries": edition.countries[LiveMeasure.REGISTERED],
            "imported": edition.imported,
        }
        for edition in editions.read(rows)
    ]


def figures_page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Every figure as it is now."""
    found = figures.count(conference, now=timezone.now())
    linked = request.user.has_perm(_LISTS, conference)
    released = PublicFigure.objects.filter(conference=conference).order_by("position").first()
    context = pages.context(request, conference, "figures", _("Figures")) | {
        "figures": found,
        "counted_at": clock_time(found.counted_at, conference.zone),
        "released_at": clock_time(released.counted_at, conference.zone) if released is not None else "",
        "measures": [{"label": measure.label, "note": words.MEASURE_NOTES[measure]} for measure in words.MEASURES],
        "total": _cells(found, found.total, Breakdown.TOTAL, "", linked=linked),
        "tables": _tables(found, linked=linked),
        "is_linked": linked,
        "chart": figure_chart.chart(found.over_time),
        "imported": _imported(conference),
        "imported_url": f"{list_url(Figure)}?{urlencode({'conference__id__exact': conference.pk})}",
        "editions": _editions(request, conference),
        "files": [
            (label, pages.url("figure-file", conference, kind=kind))
            for kind, label in (
                ("xlsx", ".xlsx"),
                ("csv-mark", _(".csv for Excel")),
                ("csv", ".csv"),
            )
        ],
        "released": released,
        "released_label": LiveMeasure(released.measure).label if released is not None else "",
        "may_release": request.user.has_perm(_RELEASE, conference),
        "release_url": pages.url("figure-release", conference),
        "release_measures": [{"code": measure.value, "label": measure.label} for measure in words.MEASURES],
        "public_url": reverse("registration:figures", args=[conference.slug]),
    }
    return TemplateResponse(request, "admin/registration/figures/page.html", context)


def figure_file(request: HttpRequest, conference: Conference, kind: str) -> HttpResponse:
    """All figures as a file, counted now."""
    if kind not in exports.SHEETS:
        raise Http404
    return long_work.now_or_later(
        request,
        exports.FIGURES,
        conference,
        {"kind": kind},
        is_large=Registration.objects.filter(admission__conference=conference).count() > exports.LARGE_REGISTRATIONS,
        back=pages.url("figures", conference),
    )


def release(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Publish the figures of one measure as they stand, or withdraw them."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    measure = request.POST.get("measure", "")
    if "withdraw" in request.POST:
        if figure_release.withdraw(conference, by=actor(request), now=timezone.now()):
            messages.success(request, _("The public figures are withdrawn."))
    elif measure in LiveMeasure.values:
        lines = figure_release.release(conference, measure=LiveMeasure(measure), by=actor(request), now=timezone.now())
        if lines:
            messages.success(request, _("The figures are public as they stand now."))
        else:
            messages.warning(request, _("Fewer than five people are counted: nothing is public."))
    else:
        messages.error(request, _("Choose what is measured."))
    return HttpResponseRedirect(pages.url("figures", conference))


pages.register(
    "figures", figures_page, permission=_VIEW, label=gettext_lazy("Figures"), order=90, group=pages.Group.REGISTRATION
)
pages.register("figure-file", figure_file, permission=_VIEW, route="figures/file/<slug:kind>/", of="figures")
pages.register("figure-release", release, permission=_RELEASE, route="figures/release/", of="figures")
