"""Figures that are imported by hand."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy

from alliance.admin import HouseAdmin, explain
from events.admin import OfConferenceForm, conference_slug
from registration.models import Figure

explain("figure_stands_once", gettext_lazy("This figure is there already."), field="measure")
explain("figure_is_not_negative", gettext_lazy("Figures are not negative."), field="value")


class FigureAdmin(HouseAdmin[Figure]):
    """Numbers with measure, qualifier and source."""

    form = OfConferenceForm
    list_display = ["measure", "qualifier", "value", "group", conference_slug, "session", "source", "is_derived"]
    list_filter = ["measure", "qualifier", "is_derived", "conference"]
    list_select_related = ["conference", "session"]
    ordering = ["-conference__starts_on", "conference", "measure", "pk"]
    search_fields = ["group", "source"]
    autocomplete_fields = ["conference", "session"]
    fields = [
        "conference",
        "session",
        ("measure", "group"),
        ("qualifier", "value"),
        "printed_as",
        ("source", "is_derived"),
    ]


admin.site.register(Figure, FigureAdmin)
