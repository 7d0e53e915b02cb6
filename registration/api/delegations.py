"""Reading with a token: the delegation itself, and the registrations that a delegation or a convenor may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from alliance.api.fields import CodeField, IdField, TextField, WrittenField
from alliance.api.filters import Choice, Filters
from alliance.api.paging import Key
from alliance.api.schema import refusals
from events import api as events_api
from events.releases.reading import published
from registration.api import member_places
from registration.api.access import TokenViewSet
from registration.api.member_places import Place
from registration.api.writes import etag_of
from registration.models import (
    AttendanceMode,
    Category,
    Delegation,
    Membership,
    Registration,
    RegistrationStatus,
    Scope,
)

ALWAYS = (400, 401, 403, 406, 429, 503)
WRITES = (409, 413, 415)
_AT_ONCE = 500  # rows of an export in memory


def answers(found: Mapping[Any, Any], *problems: int) -> dict[Any, Any]:
    """The answers of an operation for the schema: what is found, and every problem that can stand in its place."""
    return {**found, **refusals({*ALWAYS, *problems})}


# --- delegations ------------------------------------------------------------------------------------------------------


class DelegationSerializer(serializers.ModelSerializer[Delegation]):
    """A delegation with its quotas, and how many of them are taken by members who are nominated or confirmed."""

    id = IdField()
    conference = events_api.ConferenceRefSerializer(read_only=True)
    name = TextField(source="whose.name")
    country = events_api.CountryRefSerializer(read_only=True, allow_null=True)
    organisation = events_api.OrganisationRefSerializer(read_only=True, allow_null=True)
    quota = serializers.IntegerField(read_only=True, allow_null=True, help_text="Null: no limit.")
    quota_in_person = serializers.IntegerField(read_only=True, allow_null=True, help_text="Null: no limit.")
    quota_online = serializers.IntegerField(read_only=True, allow_null=True, help_text="Null: no limit.")
    members = serializers.IntegerField(source="taken", read_only=True, help_text="Members who count against the quota.")
    members_in_person = serializers.IntegerField(source="taken_in_person", read_only=True)
    members_online = serializers.IntegerField(source="taken_online", read_only=True)

    class Meta:
        model = Delegation
        fields = [
            "id",
            "conference",
            "name",
            "country",
            "organisation",
            "quota",
            "quota_in_person",
            "quota_online",
            "members",
            "members_in_person",
            "members_online",
        ]
        ref_name = "Delegation"


class ReadsByToken(TokenViewSet[Any]):
    """Lists and single rows; a single row has an ETag."""

    http_method_names = ["get", "head", "options"]

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One row with its ETag."""
        row = self.get_object()
        whole = self.get_serializer_class()(row, context=self.get_serializer_context())
        return self.seen(self.get_serializer(row).data, etag=etag_of(whole.data))


@extend_schema_view(
    list=extend_schema(responses=answers({200: DelegationSerializer(many=True)})),
    retrieve=extend_schema(responses=answers({200: DelegationSerializer}, 404)),
)
class DelegationViewSet(ReadsByToken):
    """The delegation that the token is bound to, and no other one."""

    serializer_class = DelegationSerializer
    orderings: ClassVar[Mapping[str, Any]] = {"conference": (Key("conference__starts_on", "date", descending=True),)}
    scopes: ClassVar[Mapping[str, Scope]] = {"list": Scope.MEMBERS_READ, "retrieve": Scope.MEMBERS_READ}

    def get_queryset(self) -> QuerySet[Delegation]:
        """The token's own, with its numbers."""
        members = Membership.objects.active().filter(delegation=OuterRef("pk"))
        counts = {
            "taken": _count(members),
            "taken_in_person": _count(members.filter(mode=AttendanceMode.IN_PERSON)),
            "taken_online": _count(members.filter(mode=AttendanceMode.ONLINE)),
        }
        found = Delegation.objects.filter(api_grants=self.grant)
        return found.select_related("conference", "country", "organisation").annotate(**counts)


def _count(rows: QuerySet[Membership]) -> Coalesce:
    """By a subquery: what is published has no keys that a GROUP BY could lean on."""
    return Coalesce(Subquery(rows.order_by().values("delegation").annotate(count=Count("pk")).values("count")), 0)


# --- registrations ----------------------------------------------------------------------------------------------------


class _NameField(WrittenField):
    """A person's name for who reads: convenors know the one they appear under, a delegation what it wrote itself."""

    def to_representation(self, value: Any) -> str | None:
        """By the token: the names of a delegation's members never come from their own pages."""
        if self.context["view"].grant.delegation_id is None:
            return super().to_representation(value.participant.display_name)
        return super().to_representation(value.participant.membership.as_written.name)


class RegistrationSerializer(serializers.ModelSerializer[Registration]):
    """A registration as a delegation or a convenor may see it: no address, no link, and behind an alias nothing."""

    id = IdField()
    conference = events_api.ConferenceRefSerializer(source="admission.conference", read_only=True)
    session = events_api.SessionRefSerializer(
        source="admission.session", read_only=True, allow_null=True, help_text="Null: the conference as a whole."
    )
    mode = CodeField(AttendanceMode, source="admission.mode")
    name = _NameField(
        source="*",
        help_text="For convenors the name to use, which may be an alias; for delegations the name as they wrote it.",
    )
    category = CodeField(Category, source="participant.category", help_text="As what the person comes.")
    place = serializers.SerializerMethodField(help_text="Whether there is a place.")
    place_in_line = serializers.SerializerMethodField(help_text="From 1, on the waiting list; for delegations alone.")
    status = serializers.SerializerMethodField(help_text="For convenors; null for delegations, who see `place`.")
    participant = serializers.SerializerMethodField(help_text="The member's id under participants; for delegations.")

    class Meta:
        model = Registration
        fields = [
            "id",
            "conference",
            "session",
            "mode",
            "name",
            "category",
            "place",
            "place_in_line",
            "status",
            "participant",
        ]
        ref_name = "Registration"

    @extend_schema_field(serializers.ChoiceField(choices=Place.choices))
    def get_place(self, row: Registration) -> str:
        """Held, in line, awaiting, or none."""
        return member_places.place_of(row.status).value

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_place_in_line(self, row: Registration) -> int | None:
        """The delegation page shows it; the convenor's does not."""
        seat = self.context["seats"].get(row.pk)
        return seat.rank if seat is not None else None

    @extend_schema_field(serializers.ChoiceField(choices=RegistrationStatus.choices, allow_null=True))
    def get_status(self, row: Registration) -> str | None:
        """Whether a member came is not the delegation's business."""
        return row.status if row.pk not in self.context["seats"] else None

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_participant(self, row: Registration) -> str | None:
        """The membership: people have no id of their own here."""
        return str(row.participant.membership.public_id) if row.pk in self.context["seats"] else None


class RegistrationFilters(Filters):
    """Filters of the list of registrations. None by status: whether a member came is not the delegation's business."""

    mode = Choice("How they attend.", AttendanceMode.values, field_name="admission__mode")
    category = Choice("As what they come.", Category.values, field_name="participant__category")
    place = Choice("Whether there is a place.", Place.values, method="by_place")

    def by_place(self, rows: QuerySet[Registration], name: str, value: str) -> QuerySet[Registration]:
        """Those whose status means it."""
        return rows.filter(status__in=member_places.statuses_of(Place(value)))


class Lines(JSONRenderer):
    """JSON, a row a line."""

    media_type = "application/x-ndjson"
    format = "ndjson"


@extend_schema_view(
    list=extend_schema(responses=answers({200: RegistrationSerializer(many=True)})),
    retrieve=extend_schema(responses=answers({200: RegistrationSerializer}, 404)),
)
class RegistrationViewSet(ReadsByToken):
    """The registrations that the token may see. With a delegation's: its members' for the conference as a whole. With
    a convenor's: those for the side event. A member's registration is changed under participants.
    """

    serializer_class = RegistrationSerializer
    filterset_class = RegistrationFilters
    # No other order: a cursor shows what it is made of, and neither names nor times belong into addresses.
    orderings: ClassVar[Mapping[str, Any]] = {"id": ()}
    scopes: ClassVar[Mapping[str, Scope]] = dict.fromkeys(("list", "retrieve", "export"), Scope.REGISTRATIONS_READ)
    seats: dict[int, member_places.Seat]

    def get_queryset(self) -> QuerySet[Registration]:
        """What the token's side event, or the token's delegation, may see; nobody who was taken down."""
        found = (
            Registration.objects.shown_to_others()
            .select_related("participant", "admission__conference", "admission__session__conference")
            .defer("participant__sealed_identity", "participant__accessibility_needs")
        )
        if self.grant.session_id is not None:
            return found.filter(admission__session=self.grant.session_id)
        members = Membership.objects.active().filter(delegation=self.grant.delegation_id)
        return found.filter(participant__membership__in=members, admission__session=None).select_related(
            "participant__membership", "participant__identity_key"
        )

    @extend_schema(
        responses=answers(
            {(200, Lines.media_type): OpenApiResponse(OpenApiTypes.STR, description="JSON, a row a line.")}
        )
    )
    @action(detail=False, renderer_classes=[Lines])
    def export(self, request: Request) -> StreamingHttpResponse:
        """All of them in one answer, a JSON object on each line, without pages."""
        return StreamingHttpResponse(self._lines(), content_type=Lines.media_type)

    def _lines(self) -> Iterator[bytes]:
        """The rows in portions, so that ten thousand take no more memory than some hundred."""
        last = 0
        while portion := self._portion(last):
            rows, last = portion
            yield rows

    @published
    def _portion(self, after: int) -> tuple[bytes, int] | None:
        """Some rows as bytes, and the key of the last one. It runs after the middleware, hence the mark above."""
        rows = list(self.get_queryset().filter(pk__gt=after).order_by("pk")[:_AT_ONCE])
        if not rows:
            return None
        self._look_up(rows)
        write = Lines()
        return b"".join(write.render(row) + b"\n" for row in self.get_serializer(rows, many=True).data), rows[-1].pk

    def get_serializer_context(self) -> dict[str, Any]:
        """With the places in line."""
        return {**super().get_serializer_context(), "seats": getattr(self, "seats", {})}

    def paginate_queryset(self, queryset: Any) -> Any:
        """A page, and the seats of its rows."""
        rows = super().paginate_queryset(queryset)
        self._look_up(rows or [])
        return rows

    def get_object(self) -> Registration:
        """One row with its seat."""
        row: Registration = super().get_object()
        self._look_up([row])
        return row

    def _look_up(self, rows: Sequence[Registration]) -> None:
        self.seats = {}
        if self.grant.delegation_id is None:
            return
        for seat in member_places.seats_of([row.participant.membership for row in rows]).values():
            if seat.registration is not None:
                self.seats[seat.registration.pk] = seat
