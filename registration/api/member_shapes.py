"""How members, nominations and their outcomes are written in the API, with examples for its documentation."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema_field,
)
from rest_framework import serializers

from alliance.api.fields import LANGUAGES, CodeField, IdField, InstantField, WrittenField
from registration.api.member_places import Place, Seat
from registration.models import AttendanceMode, DelegationCapacity, Membership, MemberState, Verification
from registration.services.delegations import MOST_AT_ONCE

NOT_SHOWN = (MemberState.WITHDRAWN, MemberState.REPLACED)  # as Membership.objects.shown()
SHOWN_STATES = [state for state in MemberState.values if state not in NOT_SHOWN]

# --- as they are shown ------------------------------------------------------------------------------------------------


class ParticipantSerializer(serializers.ModelSerializer[Membership]):
    """A member of the delegation: what it said itself, the person's answer, and whether there is a place.

    People who registered on their own are not here, whatever their country: nobody is told about them.
    """

    id = IdField()
    delegation = serializers.UUIDField(source="delegation.public_id", read_only=True)
    name = WrittenField(source="as_written.name")
    function = WrittenField(source="as_written.function")
    capacity = CodeField(DelegationCapacity)
    mode = CodeField(AttendanceMode)
    state = CodeField(MemberState, never=NOT_SHOWN)
    place = serializers.SerializerMethodField()
    place_in_line = serializers.SerializerMethodField(help_text="From 1, on the waiting list.")
    nominated_at = InstantField(zone="delegation.conference.zone")
    answered_at = InstantField(zone="delegation.conference.zone", help_text="Null: no answer yet.")
    verification = CodeField(Verification, help_text="What the secretariat says about the credentials.")
    verification_reason = WrittenField()

    class Meta:
        model = Membership
        fields = [
            "id",
            "delegation",
            "name",
            "function",
            "capacity",
            "mode",
            "state",
            "place",
            "place_in_line",
            "nominated_at",
            "answered_at",
            "verification",
            "verification_reason",
        ]
        ref_name = "Participant"

    def _seat(self, member: Membership) -> Seat:
        seat: Seat = self.context["seats"][member.pk]
        return seat

    @extend_schema_field(serializers.ChoiceField(choices=Place.choices))
    def get_place(self, member: Membership) -> str:
        """Held, in line, awaiting, or none."""
        return self._seat(member).place.value

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_place_in_line(self, member: Membership) -> int | None:
        """On the waiting list only."""
        return self._seat(member).rank


# --- as they are sent: for the schema; NomineeForm reads them ---------------------------------------------------------


class NomineeSerializer(serializers.Serializer[Any]):
    """Somebody to nominate."""

    given_name = serializers.CharField(max_length=90, required=False, allow_blank=True)
    family_name = serializers.CharField(max_length=90, help_text="Or the only name there is.")
    email = serializers.EmailField(max_length=254, help_text="The person's own; never shown again.")
    function = serializers.CharField(max_length=200, required=False, allow_blank=True)
    capacity = serializers.ChoiceField(choices=DelegationCapacity.choices, default=DelegationCapacity.ADVISER.value)
    mode = serializers.ChoiceField(choices=AttendanceMode.choices, default=AttendanceMode.IN_PERSON.value)
    language = serializers.ChoiceField(choices=LANGUAGES, default="en", help_text="Of mails to the person.")

    class Meta:
        ref_name = "Nominee"


class SuccessorSerializer(serializers.Serializer[Any]):
    """Who comes in a member's place. Capacity and attendance stay as they are."""

    given_name = serializers.CharField(max_length=90, required=False, allow_blank=True)
    family_name = serializers.CharField(max_length=90)
    email = serializers.EmailField(max_length=254)
    function = serializers.CharField(max_length=200, required=False, allow_blank=True)
    language = serializers.ChoiceField(choices=LANGUAGES, default="en", help_text="Of mails to the person.")

    class Meta:
        ref_name = "Successor"


class CorrectionSerializer(serializers.Serializer[Any]):
    """What is to be different; what is left out stays. Both names are sent together, until the member has answered."""

    given_name = serializers.CharField(max_length=90, required=False, allow_blank=True)
    family_name = serializers.CharField(max_length=90, required=False)
    function = serializers.CharField(max_length=200, required=False, allow_blank=True)
    capacity = serializers.ChoiceField(choices=DelegationCapacity.choices, required=False)

    class Meta:
        ref_name = "Correction"


class NomineesSerializer(serializers.Serializer[Any]):
    """A list of people to nominate: all of them, or nobody."""

    members = serializers.ListField(child=NomineeSerializer(), min_length=1, max_length=MOST_AT_ONCE)

    class Meta:
        ref_name = "Nominees"


class OutcomeSerializer(serializers.Serializer[Any]):
    """What a nomination led to. It names nobody: read the participant for the rest."""

    row = serializers.IntegerField(
        help_text="Where the person stands in what was sent, from 1; in CSV with its headings."
    )
    participant = serializers.UUIDField()
    address = serializers.URLField(help_text="Where to read the participant.")
    place = serializers.ChoiceField(choices=Place.choices)
    place_in_line = serializers.IntegerField(allow_null=True, help_text="From 1, on the waiting list.")

    class Meta:
        ref_name = "Outcome"


class OutcomesSerializer(serializers.Serializer[Any]):
    """What a list of nominations led to, in the order that was sent."""

    outcomes = OutcomeSerializer(many=True)

    class Meta:
        ref_name = "Outcomes"


# --- for the documentation --------------------------------------------------------------------------------------------

KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="New for each request, such as a UUID. A repeat within 24 hours does nothing and gets the same answer.",
)
MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The ETag of the participant as it was read."
)
EXAMPLE = OpenApiExample(
    "A nominee",
    value={
        "given_name": "Lena",
        "family_name": "Example",
        "email": "lena@state.example",
        "function": "Adviser",
        "capacity": "adviser",
        "mode": "in_person",
        "language": "fr",
    },
    request_only=True,
)
LIST_EXAMPLE = OpenApiExample(
    "A list", value={"members": [EXAMPLE.value]}, request_only=True, media_type="application/json"
)
CSV_EXAMPLE = OpenApiExample(
    "A list as CSV",
    value="given_name,family_name,email,function,capacity,mode\nLena,Example,lena@state.example,Adviser,adviser,in_person\n",
    request_only=True,
    media_type="text/csv",
)
CORRECTION_EXAMPLE = OpenApiExample("Another function", value={"function": "First Secretary"}, request_only=True)
_OUTCOME = {
    "row": 1,
    "participant": "6f1a7f0e-6c0f-4a5e-9f0a-3f1f5a0c2b11",
    "address": "https://alliance.example.org/api/v1/participants/6f1a7f0e-6c0f-4a5e-9f0a-3f1f5a0c2b11/",
    "place": "held",
    "place_in_line": None,
}
OUTCOME_EXAMPLE = OpenApiExample("A place is held", value=_OUTCOME, response_only=True, status_codes=["201"])
OUTCOMES_EXAMPLE = OpenApiExample(
    "Places are held", value={"outcomes": [_OUTCOME]}, response_only=True, status_codes=["201"]
)
