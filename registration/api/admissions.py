"""How many places are left, for programs. No names, no numbers of people beyond what the pages show."""

from __future__ import annotations

from django.db.models import Case, F, IntegerField, Prefetch, QuerySet, Value, When
from django.utils.decorators import method_decorator
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework import serializers

from alliance.api.fields import CodeField, IdField, InstantField, TextField
from alliance.api.filters import Choice, Filters, Id, Number, SlugOrId
from alliance.api.paging import Key
from alliance.api.views import PublicViewSet
from events import api as events_api
from registration.models import Admission, ApprovalMode, AttendanceMode, Category, Reserve, WaitingMode


class ReserveSerializer(serializers.ModelSerializer[Reserve]):
    """Places kept for some categories. How many of them are taken is told to nobody."""

    categories = serializers.ListField(child=CodeField(Category), help_text="Who may have them.")
    returns_at = InstantField(
        zone="admission.conference.zone", help_text="When what is left returns to everybody. Null: never."
    )

    class Meta:
        model = Reserve
        fields = ["categories", "places", "returns_at"]
        ref_name = "Reserve"


class AdmissionSerializer(serializers.ModelSerializer[Admission]):
    """The right to attend a conference or a session in one way, and how many places are left."""

    id = IdField()
    conference = events_api.ConferenceRefSerializer(read_only=True)
    session = events_api.SessionRefSerializer(
        read_only=True, allow_null=True, help_text="Null: the conference as a whole."
    )
    mode = CodeField(AttendanceMode)
    capacity = serializers.IntegerField(
        source="places.capacity", read_only=True, allow_null=True, help_text="Null: no limit."
    )
    places_left = serializers.IntegerField(
        source="places.left",
        read_only=True,
        allow_null=True,
        help_text="Null: no limit. 0 while others wait, since the next free place is theirs.",
    )
    waiting = serializers.IntegerField(source="places.waiting", read_only=True, help_text="People on the waiting list.")
    waiting_list = CodeField(WaitingMode, source="waiting", help_text="What happens when all places are taken.")
    claim_hours = serializers.IntegerField(
        read_only=True, help_text="How long an offered place waits for an answer, where waiting_list is offer."
    )
    reserves = ReserveSerializer(many=True, read_only=True, help_text="Not among places_left.")
    approval = CodeField(ApprovalMode, help_text="Who decides.")
    is_open = serializers.SerializerMethodField(help_text="Whether one can register now.")
    opens_at = InstantField(zone="conference.zone", help_text="Null: open until closes_at.")
    closes_at = InstantField(zone="conference.zone", help_text="Null: when what is attended ends.")
    note = TextField(allow_null=True, help_text="Note for participants.")

    class Meta:
        model = Admission
        fields = [
            "id",
            "conference",
            "session",
            "mode",
            "capacity",
            "places_left",
            "waiting",
            "waiting_list",
            "claim_hours",
            "reserves",
            "approval",
            "is_open",
            "opens_at",
            "closes_at",
            "note",
        ]
        ref_name = "Admission"

    def get_is_open(self, admission: Admission) -> bool:
        """At the instant of the request."""
        return admission.is_open(self.context["now"])


class AdmissionFilters(Filters):
    """Filters of the list of admissions."""

    conference = SlugOrId("Id or slug of the conference.", field_name="conference")
    edition = Number("Number of the conference in its series.", field_name="conference__edition")
    session = Id("Id of the session.", field_name="session")
    mode = Choice("How one attends.", AttendanceMode.values, field_name="mode")


@method_decorator([cache_control(public=True, no_cache=True), conditional_page], name="dispatch")
class AdmissionViewSet(PublicViewSet[Admission]):
    """What one can register for and the places left now: the conference first, then its sessions as printed."""

    serializer_class = AdmissionSerializer
    filterset_class = AdmissionFilters
    expansions = {"conference": events_api.whole_conference("conference__")}
    orderings = {
        "programme": (
            Key("conference__starts_on", "date", descending=True),
            Key("conference__public_id", "id"),
            Key("first_day", "number"),
            Key("first_position", "number"),
            Key("mode", "text"),
        )
    }

    def get_queryset(self) -> QuerySet[Admission]:
        """Admissions to what strangers may see."""
        return (
            Admission.objects.public()
            .select_related("conference", "session__conference", "places")
            .prefetch_related(Prefetch("reserves", Reserve.objects.holding()))
            .annotate(
                # The conference as a whole comes first; what has no day comes last.
                first_day=Case(
                    When(session__isnull=True, then=Value(-1)),
                    default=F("session__day__number"),
                    output_field=IntegerField(),
                ),
                first_position=Case(
                    When(session__isnull=True, then=Value(-1)),
                    default=F("session__position"),
                    output_field=IntegerField(),
                ),
            )
        )
