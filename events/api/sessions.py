"""Sessions for programs, without who speaks.

speakers.api adds that (imports point that way); its session views are the ones that have addresses.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliance.api.fields import AddressField, CodeField, IdField, InstantField, PageField, TextField, WrittenField
from alliance.api.filters import Choice, Day, Filters, Id, Instant, Language, Number, Search, SlugOrId
from alliance.api.paging import Key
from events import results
from events.api import results as shapes
from events.api.base import ProgrammeViewSet
from events.api.bodies import OrganisationRefSerializer, whole_organisation
from events.api.conferences import ConferenceDaySerializer, ConferenceRefSerializer, whole_conference
from events.models import (
    ConvenorRelation,
    Convenorship,
    Format,
    Recommendation,
    RegistrationMode,
    SectionKind,
    Segment,
    SegmentKind,
    Session,
    SessionKind,
    SessionState,
    TextSection,
)

PUBLIC_SESSION_STATES = [choice for choice in SessionState.choices if choice[0] != SessionState.DRAFT]


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
    materials = shapes.MaterialSerializer(many=True, read_only=True, source="shown_materials")
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

    @extend_schema_field(shapes.ResultsSerializer(allow_null=True))
    def get_results(self, session: Any) -> Any:
        """The items with the note below them."""
        if not session.shown_results:
            return None
        items = results.tree(session.shown_results, self.context["topics"])
        shown = {"conference": session.conference, "items": items}
        return shapes.ResultsSerializer(shown, context=self.context).data


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
        Prefetch(f"{prefix}materials", shapes.shown_materials(now), to_attr="shown_materials"),
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
        return shapes.with_topics(super().get_serializer_context())
