"""Conferences for programs, and how other rows name them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers

from alliance.api.fields import AddressField, CodeField, IdField, PageField, TextField, WrittenField
from alliance.api.filters import Choice, CountryCode, Date, Filters, Language, Number, Search
from alliance.api.paging import Key
from alliance.api.shape import Expansion
from events.api import results as shapes
from events.api.base import ProgrammeViewSet
from events.api.bodies import WHOLE_COUNTRY, OrganisationRefSerializer, whole_organisation
from events.api.rooms import VenueSerializer
from events.models import Conference, ConferenceDay, ConferenceKind, ConferenceState, DatePrecision, Format

PUBLIC_CONFERENCE_STATES = [choice for choice in ConferenceState.choices if choice[0] != ConferenceState.DRAFT]


class ConferenceDaySerializer(serializers.ModelSerializer[ConferenceDay]):
    """A numbered calendar day at the venue."""

    class Meta:
        model = ConferenceDay
        fields = ["number", "date"]
        read_only_fields = fields
        ref_name = "Day"


class ConferenceRefSerializer(serializers.ModelSerializer[Conference]):
    """A conference by name."""

    id = IdField()
    slug = serializers.CharField(read_only=True)
    title = TextField()
    edition = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = Conference
        fields = ["id", "slug", "title", "edition"]
        ref_name = "ConferenceRef"


class ConferenceSerializer(ConferenceRefSerializer):
    """A meeting with dates of its own: an edition of a series, a workshop, a training, a launch."""

    series = TextField(source="series.name", allow_null=True, help_text="The row of meetings the edition counts in.")
    kind = CodeField(ConferenceKind)
    state = CodeField(ConferenceState, never=[ConferenceState.DRAFT])
    format = CodeField(Format)
    level = TextField(allow_null=True)
    theme = TextField(allow_null=True)
    theme_subtitle = TextField(allow_null=True)
    goal = TextField(allow_null=True)
    description = TextField(allow_null=True)
    starts_on = serializers.DateField(read_only=True, allow_null=True)
    ends_on = serializers.DateField(read_only=True, allow_null=True)
    date_precision = CodeField(DatePrecision, help_text="How exactly the dates are known.")
    time_zone = serializers.CharField(read_only=True, help_text="IANA name; the clock of all times here.")
    days = ConferenceDaySerializer(many=True, read_only=True, source="days_in_order")
    venue = VenueSerializer(read_only=True, allow_null=True)
    organiser = OrganisationRefSerializer(read_only=True, allow_null=True)
    chairmanship = OrganisationRefSerializer(read_only=True, allow_null=True)
    working_languages = serializers.ListField(
        child=serializers.CharField(), read_only=True, allow_null=True, help_text="Null: not stated. Empty: none."
    )
    interpretation_languages = serializers.ListField(
        child=serializers.CharField(), read_only=True, allow_null=True, help_text="Null: not stated. Empty: none."
    )
    hashtag = WrittenField()
    is_livestreamed = serializers.BooleanField(read_only=True)
    livestream = AddressField(source="livestream_url", help_text="The public stream; never a way into a meeting.")
    event_page = AddressField(source="event_page_url", help_text="The page of the event on another site.")
    materials = shapes.MaterialSerializer(
        many=True,
        read_only=True,
        source="shown_materials",
        help_text="Of the whole conference; sessions have their own.",
    )
    page = PageField(help_text="The page about the conference on this site.")

    class Meta(ConferenceRefSerializer.Meta):
        fields = [
            *ConferenceRefSerializer.Meta.fields,
            "series",
            "kind",
            "state",
            "format",
            "level",
            "theme",
            "theme_subtitle",
            "goal",
            "description",
            "starts_on",
            "ends_on",
            "date_precision",
            "time_zone",
            "days",
            "venue",
            "organiser",
            "chairmanship",
            "working_languages",
            "interpretation_languages",
            "hashtag",
            "is_livestreamed",
            "livestream",
            "event_page",
            "materials",
            "page",
        ]
        ref_name = "Conference"


def conference_lists(now: datetime, prefix: str = "") -> list[Prefetch[Any]]:
    """Days and papers of conferences, for a queryset of them or of what leads to them by the prefix."""
    papers = shapes.shown_materials(now).filter(session=None)
    return [
        Prefetch(f"{prefix}days", ConferenceDay.objects.order_by("number"), to_attr="days_in_order"),
        Prefetch(f"{prefix}materials", papers, to_attr="shown_materials"),
    ]


def whole_conference(prefix: str) -> Expansion:
    """The conference whole. prefix: the path that leads to it, such as session__conference__."""
    joined = [f"{prefix}{name}" for name in ("series", "venue__country", "organiser", "chairmanship")]
    return Expansion(ConferenceSerializer, lambda now: [*joined, *conference_lists(now, prefix)])


class ConferenceFilters(Filters):
    """Filters of the list of conferences."""

    edition = Number("Number of the edition in its series.", field_name="edition")
    kind = Choice("Kind of meeting.", ConferenceKind.values, field_name="kind")
    state = Choice("Where it stands in its life.", dict(PUBLIC_CONFERENCE_STATES), field_name="state")
    format = Choice("How people take part.", Format.values, field_name="format")
    starts_after = Date("First day on this day or later.", field_name="starts_on", lookup_expr="gte")
    starts_before = Date("First day before this day.", field_name="starts_on", lookup_expr="lt")
    country = CountryCode("Country of the venue.", field_name="venue__country__iso2")
    language = Language("A working language, written as in working_languages.", field_name="working_languages")
    interpretation = Language(
        "A language it is interpreted into, written as in interpretation_languages.",
        field_name="interpretation_languages",
    )
    search = Search("Words in title, theme or description.", texts=["title", "theme", "theme_subtitle", "description"])


_BY_SLUG_OR_ID = OpenApiParameter(
    "id", OpenApiTypes.STR, OpenApiParameter.PATH, description="The id or the slug of the conference."
)


@extend_schema_view(list=extend_schema(), retrieve=extend_schema(parameters=[_BY_SLUG_OR_ID]))
class ConferenceViewSet(ProgrammeViewSet[Conference]):
    """Conferences, workshops and other meetings, newest first."""

    serializer_class = ConferenceSerializer
    filterset_class = ConferenceFilters
    expansions = {
        "organiser": whole_organisation("organiser__"),
        "chairmanship": whole_organisation("chairmanship__"),
        "venue.country": WHOLE_COUNTRY,
    }
    orderings = {
        "-starts_on": (Key("starts_on", "date", descending=True),),
        "starts_on": (Key("starts_on", "date"),),
    }
    lookup_value_converter = "slug"

    def get_queryset(self) -> QuerySet[Conference]:
        """What strangers may see."""
        joined = Conference.objects.public().select_related("series", "venue__country", "organiser", "chairmanship")
        return joined.prefetch_related(*conference_lists(self.now))

    def get_object(self) -> Conference:
        """By id or slug."""
        wanted = self.kwargs["id"]
        try:
            found = {"public_id": str(UUID(wanted))} if len(wanted) == 36 else {"slug": wanted}
        except ValueError:
            found = {"slug": wanted}
        conference: Conference = get_object_or_404(self.filter_queryset(self.get_queryset()), **found)
        return conference
