"""Released figures, for programs: aggregated, without small groups, as they stood when an organiser released them."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework import serializers

from alliance.api.fields import CodeField, IdField, InstantField
from alliance.api.filters import Choice, Filters, Number, SlugOrId
from alliance.api.paging import Key
from alliance.api.views import PublicViewSet
from events import api as events_api
from events.models import Conference
from registration.figures import views as figure_views
from registration.models.figure import Breakdown, LiveMeasure, PublicFigure


class FigureSerializer(serializers.ModelSerializer[PublicFigure]):
    """How many people, what is measured, and of whom."""

    id = IdField()
    conference = events_api.ConferenceRefSerializer(read_only=True)
    measure = CodeField(LiveMeasure, help_text="Measures are never added to one another.")
    breakdown = CodeField(Breakdown, help_text="`countries` are numbers of countries, all others of people.")
    group = serializers.CharField(read_only=True, help_text="Which of the breakdown; empty: all.")
    country = events_api.CountryRefSerializer(read_only=True, allow_null=True)
    session = events_api.SessionRefSerializer(read_only=True, allow_null=True)
    value = serializers.IntegerField(read_only=True)
    counted_at = InstantField(zone="conference.zone")

    class Meta:
        model = PublicFigure
        fields = ["id", "conference", "measure", "breakdown", "group", "country", "session", "value", "counted_at"]
        ref_name = "Figure"


class FigureFilters(Filters):
    """Filters of the list of figures."""

    conference = SlugOrId("Id or slug of the conference.", field_name="conference")
    edition = Number("Number of the conference in its series.", field_name="conference__edition")
    measure = Choice("What is measured.", LiveMeasure.values, field_name="measure")
    breakdown = Choice("By what people are counted.", Breakdown.values, field_name="breakdown")


@method_decorator([cache_control(public=True, no_cache=True), conditional_page], name="dispatch")
class FigureViewSet(PublicViewSet[PublicFigure]):
    """Figures that an organiser released. Numbers of people under five, and what would give them away, are left out."""

    serializer_class = FigureSerializer
    filterset_class = FigureFilters
    expansions = {"conference": events_api.whole_conference("conference__"), "country": events_api.WHOLE_COUNTRY}
    orderings = {
        "printed": (
            Key("conference__starts_on", "date", descending=True),
            Key("conference__public_id", "id"),
            Key("position", "number"),
        )
    }

    def get_queryset(self) -> QuerySet[PublicFigure]:
        """Figures of conferences and sessions that strangers may see."""
        rows = PublicFigure.objects.filter(conference__in=Conference.objects.public())
        found: QuerySet[PublicFigure] = figure_views.public_rows(rows)
        return found
