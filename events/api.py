"""The public programme for programs: conferences, countries, and the shape of sessions without their speakers.

speakers.api adds who speaks (imports point that way); its session views are the ones that have addresses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers

from alliance.api.fields import (
    AddressField,
    CodeField,
    IdField,
    InstantField,
    PageField,
    TextField,
    WrittenField,
)
from alliance.api.filters import (
    Choice,
    CountryCode,
    Date,
    Day,
    Filters,
    Flag,
    Id,
    Instant,
    Language,
    Number,
    Search,
    SlugOrId,
)
from alliance.api.paging import Key
from alliance.api.shape import Expansion
from alliance.api.views import M, PublicViewSet
from events import results, results_api
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceKind,
    ConferenceState,
    ConvenorRelation,
    Convenorship,
    Country,
    CountryStatus,
    DatePrecision,
    Format,
    Organisation,
    OrganisationKind,
    Recommendation,
    RegistrationMode,
    SectionKind,
    Segment,
    SegmentKind,
    Session,
    SessionKind,
    SessionState,
    TextSection,
    Venue,
)
from events.page_cache import cached_page

PUBLIC_CONFERENCE_STATES = [choice for choice in ConferenceState.choices if choice[0] != ConferenceState.DRAFT]
PUBLIC_SESSION_STATES = [choice for choice in SessionState.choices if choice[0] != SessionState.DRAFT]


class ProgrammeViewSet(PublicViewSet[M]):
    """Answers depend on the address, the content and the minute alone, so they are kept with the pages."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and let the page cache keep it."""
        return cached_page(super().dispatch)(request, *args, **kwargs)


# --- bodies and places ----------------------------------------------------------------------------------------------


class CountryRefSerializer(serializers.ModelSerializer[Country]):
    """A country by name."""

    id = IdField()
    code = serializers.CharField(source="iso2", read_only=True, help_text="ISO 3166, two letters.")
    name = TextField()

    class Meta:
        model = Country
        fields = ["id", "code", "name"]
        ref_name = "CountryRef"


class CountrySerializer(CountryRefSerializer):
    """A country with its standing in the organisation."""

    status = CodeField(CountryStatus)
    footnote = TextField(allow_null=True, help_text="To be printed wherever the name is printed.")

    class Meta(CountryRefSerializer.Meta):
        fields = [*CountryRefSerializer.Meta.fields, "status", "footnote"]
        ref_name = "Country"


class OrganisationRefSerializer(serializers.ModelSerializer[Organisation]):
    """An organisation by name."""

    id = IdField()
    name = TextField()
    abbreviation = WrittenField()

    class Meta:
        model = Organisation
        fields = ["id", "name", "abbreviation"]
        ref_name = "OrganisationRef"


class OrganisationSerializer(OrganisationRefSerializer):
    """A body that convenes, organises or speaks at something public, or a partner of the Alliance."""

    kind = CodeField(OrganisationKind)
    country = CountryRefSerializer(read_only=True, allow_null=True)
    part_of = OrganisationRefSerializer(read_only=True, allow_null=True)
    is_alliance_partner = serializers.BooleanField(read_only=True)
    web = AddressField()

    class Meta(OrganisationRefSerializer.Meta):
        fields = [
            *OrganisationRefSerializer.Meta.fields,
            "kind",
            "country",
            "part_of",
            "is_alliance_partner",
            "web",
        ]
        ref_name = "Organisation"


class VenueSerializer(serializers.ModelSerializer[Venue]):
    """A place. The city is known, the house may not be."""

    name = TextField(allow_null=True)
    address = WrittenField()
    city = TextField()
    country = CountryRefSerializer(read_only=True, allow_null=True)
    footnote = TextField(allow_null=True, help_text="To be printed wherever the place is named.")

    class Meta:
        model = Venue
        fields = ["name", "address", "city", "country", "footnote"]
        ref_name = "Venue"


# --- conferences ----------------------------------------------------------------------------------------------------


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
    materials = results_api.MaterialSerializer(
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
    papers = results_api.shown_materials(now).filter(session=None)
    return [
        Prefetch(f"{prefix}days", ConferenceDay.objects.order_by("number"), to_attr="days_in_order"),
        Prefetch(f"{prefix}materials", papers, to_attr="shown_materials"),
    ]


def whole_conference(prefix: str) -> Expansion:
    """The conference whole. prefix: the path that leads to it, such as session__conference__."""
    joined = [f"{prefix}{name}" for name in ("series", "venue__country", "organiser", "chairmanship")]
    return Expansion(ConferenceSerializer, lambda now: [*joined, *conference_lists(now, prefix)])


def whole_organisation(prefix: str) -> Expansion:
    """An organisation whole. prefix: the path that leads to it."""
    return Expansion(OrganisationSerializer, lambda now: [f"{prefix}country", f"{prefix}part_of"])


WHOLE_COUNTRY = Expansion(CountrySerializer)


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


# --- countries ------------------------------------------------------------------------------------------------------


class CountryFilters(Filters):
    """Filters of the list of countries."""

    code = CountryCode("Two letters of ISO 3166.", field_name="iso2")
    status = Choice("Standing in the organisation.", CountryStatus.values, field_name="status")
    search = Search("Words in the name.", texts=["name"])


class CountryViewSet(ProgrammeViewSet[Country]):
    """Countries and their standing in the organisation, in the order in which it prints them."""

    serializer_class = CountrySerializer
    filterset_class = CountryFilters
    orderings = {
        "protocol": (Key("protocol_order", "number"), Key("iso2", "text")),
        "code": (Key("iso2", "text"),),
    }

    def get_queryset(self) -> QuerySet[Country]:
        """All."""
        return Country.objects.all()


# --- sessions, as far as this app knows them ------------------------------------------------------------------------


class SessionRefSerializer(serializers.ModelSerializer[Session]):
    """A session by name."""

    id = IdField()
    slug = serializers.CharField(read_only=True)
    kind = CodeField(SessionKind)
    title = TextField()
    starts_at = InstantField(zone="conference.zone")
    ends_at = InstantField(zone="conference.zone")

    class Meta:
        model = Session
        fields = ["id", "slug", "kind", "title", "starts_at", "ends_at"]
        ref_name = "SessionRef"


class ConvenorSerializer(serializers.ModelSerializer[Convenorship]):
    """A body's relation to a session."""

    relation = CodeField(ConvenorRelation)
    organisation = OrganisationRefSerializer(read_only=True)
    with_unit = OrganisationRefSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Convenorship
        fields = ["relation", "organisation", "with_unit"]
        ref_name = "Convenor"


class SegmentSerializer(serializers.ModelSerializer[Segment]):
    """A block of a session, in order."""

    position = serializers.IntegerField(read_only=True, help_text="Contributions name their segment by it.")
    kind = CodeField(SegmentKind)
    heading = TextField(allow_null=True)
    starts_at = InstantField(zone="session.conference.zone")
    ends_at = InstantField(zone="session.conference.zone")

    class Meta:
        model = Segment
        fields = ["position", "kind", "heading", "starts_at", "ends_at"]
        ref_name = "Segment"


class TextSectionSerializer(serializers.ModelSerializer[TextSection]):
    """A titled text about a session."""

    kind = CodeField(SectionKind)
    heading = TextField(allow_null=True)
    text = TextField(allow_null=True)

    class Meta:
        model = TextSection
        fields = ["kind", "heading", "text"]
        ref_name = "Section"


class SignUpSerializer(serializers.ModelSerializer[Session]):
    """Where people sign up for a session."""

    mode = CodeField(RegistrationMode, source="registration_mode")
    address = serializers.SerializerMethodField(help_text="The form of another body; null where it is ours or broken.")

    class Meta:
        model = Session
        fields = ["mode", "address"]
        ref_name = "SignUp"

    @extend_schema_field(AddressField(read_only=True))
    def get_address(self, session: Session) -> str | None:
        """Only an address outside our house, and only one that works."""
        if not session.has_external_registration or session.registration_url_is_broken:
            return None
        return session.registration_url or None


class SessionSerializer(serializers.ModelSerializer[Session]):
    """An item of the programme. Where times are unknown, day and position order it."""

    id = IdField()
    conference = ConferenceRefSerializer(read_only=True)
    slug = serializers.CharField(read_only=True)
    kind = CodeField(SessionKind)
    number = serializers.IntegerField(read_only=True, allow_null=True, help_text="Such as 2 of “Panel 2”.")
    title = TextField()
    state = CodeField(SessionState, never=[SessionState.DRAFT])
    day = ConferenceDaySerializer(read_only=True, allow_null=True)
    position = serializers.IntegerField(read_only=True, help_text="Place in the day.")
    starts_at = InstantField(zone="conference.zone")
    ends_at = InstantField(zone="conference.zone")
    time_zone = serializers.CharField(source="conference.time_zone", read_only=True, help_text="IANA name.")
    format = CodeField(Format, allow_null=True)
    room = TextField(source="room.name", allow_null=True)
    room_id = IdField(source="room.public_id", allow_null=True, default=None)
    platform = WrittenField(source="platform_label", help_text="The video platform as announced.")
    working_languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    interpretation_languages = serializers.ListField(child=serializers.CharField(), read_only=True)
    summary = TextField(allow_null=True)
    audience = TextField(allow_null=True, help_text="Who may come, as announced.")
    sections = TextSectionSerializer(many=True, read_only=True, source="sections_in_order")
    convenors = ConvenorSerializer(many=True, read_only=True, source="convenors_in_order")
    registration = SignUpSerializer(source="*", read_only=True)
    segments = SegmentSerializer(many=True, read_only=True, source="visible_segments")
    results = serializers.SerializerMethodField(help_text="Once the session is over; null before, and without any.")
    materials = results_api.MaterialSerializer(many=True, read_only=True, source="shown_materials")
    page = PageField(help_text="The page about the session on this site.")

    class Meta:
        model = Session
        fields = [
            "id",
            "conference",
            "slug",
            "kind",
            "number",
            "title",
            "state",
            "day",
            "position",
            "starts_at",
            "ends_at",
            "time_zone",
            "format",
            "room",
            "room_id",
            "platform",
            "working_languages",
            "interpretation_languages",
            "summary",
            "audience",
            "sections",
            "convenors",
            "registration",
            "segments",
            "results",
            "materials",
            "page",
        ]
        ref_name = "PlainSession"

    @extend_schema_field(results_api.ResultsSerializer(allow_null=True))
    def get_results(self, session: Any) -> Any:
        """The items with the note below them."""
        if not session.shown_results:
            return None
        items = results.tree(session.shown_results, self.context["topics"])
        shown = {"conference": session.conference, "items": items}
        return results_api.ResultsSerializer(shown, context=self.context).data


class SessionFilters(Filters):
    """Filters of the list of sessions, without those about speakers."""

    conference = SlugOrId("Id or slug of the conference.", field_name="conference")
    edition = Number("Number of the conference in its series.", field_name="conference__edition")
    day = Day("Number or date of a day of the conference.", field_name="day")
    starts_after = Instant(
        "Starts at this instant or later. Leaves out unknown times.",
        field_name="starts_at",
        lookup_expr="gte",
    )
    starts_before = Instant(
        "Starts before this instant. Leaves out unknown times.", field_name="starts_at", lookup_expr="lt"
    )
    kind = Choice("Kind of session.", SessionKind.values, field_name="kind")
    state = Choice("Scheduled or cancelled.", dict(PUBLIC_SESSION_STATES), field_name="state")
    format = Choice("How people take part.", Format.values, field_name="format")
    language = Language("A working language, written as in working_languages.", field_name="working_languages")
    interpretation = Language(
        "A language it is interpreted into, written as in interpretation_languages.",
        field_name="interpretation_languages",
    )
    convenor = Id("Id of an organisation that convenes it, in whatever relation.", method="by_convenor")
    search = Search("Words in title or summary.", texts=["title", "summary"])

    def by_convenor(self, sessions: QuerySet[Session], name: str, value: Any) -> QuerySet[Session]:
        """Sessions of the organisation, or of the unit named with it; each once."""
        mine = Convenorship.objects.filter(Q(organisation__public_id=value) | Q(with_unit__public_id=value))
        return sessions.filter(pk__in=mine.values("session"))


SESSION_ORDERINGS = {
    "programme": (
        Key("conference__starts_on", "date", descending=True),
        Key("conference__public_id", "id"),
        Key("day__number", "number"),
        Key("position", "number"),
    ),
    "starts_at": (Key("starts_at", "instant"), Key("position", "number")),
    "-starts_at": (Key("starts_at", "instant", descending=True), Key("position", "number")),
}


def session_lists(now: datetime, prefix: str = "") -> list[Prefetch[Any]]:
    """What is shown of sessions at the instant, for a queryset of them or of what leads to them by the prefix."""
    convenors = Convenorship.objects.select_related("organisation", "with_unit").order_by("position", "pk")
    segments = Segment.objects.visible_at(now).order_by("position")
    sections = TextSection.objects.order_by("position", "pk")
    found = Recommendation.objects.public(now).in_printed_order()
    return [
        Prefetch(f"{prefix}convenorships", convenors, to_attr="convenors_in_order"),
        Prefetch(f"{prefix}segments", segments, to_attr="visible_segments"),
        Prefetch(f"{prefix}text_sections", sections, to_attr="sections_in_order"),
        Prefetch(f"{prefix}recommendations", found, to_attr="shown_results"),
        Prefetch(f"{prefix}materials", results_api.shown_materials(now), to_attr="shown_materials"),
    ]


class SessionViewSet(ProgrammeViewSet[Session]):
    """The programme as printed: newest conference first, then day and position."""

    serializer_class: type[SessionSerializer] = SessionSerializer
    filterset_class = SessionFilters
    orderings = SESSION_ORDERINGS
    expansions = {
        "conference": whole_conference("conference__"),
        "convenors.organisation": whole_organisation("convenors_in_order__organisation__"),
        "convenors.with_unit": whole_organisation("convenors_in_order__with_unit__"),
    }

    def get_queryset(self) -> QuerySet[Session]:
        """What strangers may see, with what is shown of it at this instant."""
        joined = Session.objects.public().select_related("conference", "day", "room")
        return joined.prefetch_related(*session_lists(self.now))

    def get_serializer_context(self) -> dict[str, Any]:
        """Serializers know the topics."""
        return results_api.with_topics(super().get_serializer_context())


# --- organisations, likewise ----------------------------------------------------------------------------------------


class OrganisationFilters(Filters):
    """Filters of the list of organisations."""

    kind = Choice("Kind of body.", OrganisationKind.values, field_name="kind")
    country = CountryCode("Country of the body.", field_name="country__iso2")
    convenes = SlugOrId("Id or slug of a conference at which it convenes something.", method="by_conference")
    is_alliance_partner = Flag("Partner of the Alliance.", field_name="is_alliance_partner")
    search = Search("Words in name or abbreviation.", texts=["name"], names=["abbreviation"])

    def by_conference(self, organisations: QuerySet[Organisation], name: str, value: Any) -> QuerySet[Organisation]:
        """Bodies that convene a public session of the conference."""
        by = {"slug": value} if isinstance(value, str) else {"public_id": value}
        sessions = Session.objects.public().filter(conference__in=Conference.objects.filter(**by))
        return organisations.filter(named_by(Convenorship.objects.filter(session__in=sessions)))


def named_by(convenorships: QuerySet[Convenorship]) -> Q:
    """Organisations that stand in the rows, themselves or as the unit named with another one."""
    return Q(pk__in=convenorships.values("organisation")) | Q(pk__in=convenorships.values("with_unit"))
