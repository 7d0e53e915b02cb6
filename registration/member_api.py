"""Members of a delegation for its own programs: reading, nominating, correcting, replacing, withdrawing.

Every rule stands in the services; here is how they are asked and how the answer is written. Answers to writes name
nobody, so that they can be kept for a repeat (registration/services/once.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from alliance.api.fields import LANGUAGES, CodeField, IdField, InstantField, WrittenField
from alliance.api.paging import Key
from alliance.problems import Fault, InvalidParameters, Refused
from registration import member_places, views
from registration.delegation_lists import NomineeForm, ReplaceForm
from registration.member_places import Place, Seat
from registration.models import AttendanceMode, DelegationCapacity, Membership, MemberState, Scope, Verification
from registration.services import corrections, delegations, once
from registration.services.corrections import Correction
from registration.services.delegations import MOST_AT_ONCE, NominationRefused, Nominee, NotAMember
from registration.token_access import (
    TokenViewSet,
    body_of,
    check_etag,
    etag_of,
    expected_etags,
    idempotency_key,
)
from registration.token_api import WRITES, answers

# --- as they are shown ------------------------------------------------------------------------------------------------


class ParticipantSerializer(serializers.ModelSerializer[Membership]):
    """A member of the delegation: what it said itself, the person's answer, and whether there is a place.

    People who registered on their own are not here, whatever their country: nobody is told about them.
    """

    id = IdField()
    delegation = serializers.UUIDField(source="delegation.public_id", read_only=True)
    name = WrittenField(source="participant.display_name")
    function = WrittenField(source="participant.function")
    capacity = CodeField(DelegationCapacity)
    mode = CodeField(AttendanceMode)
    state = CodeField(MemberState, never=[MemberState.WITHDRAWN, MemberState.REPLACED])
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

    row = serializers.IntegerField(help_text="Where the person stands in what was sent, from 1.")
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


# --- reading what was sent --------------------------------------------------------------------------------------------


def _texts(data: Any, known: Sequence[str], where: str) -> tuple[dict[str, str], list[Fault]]:
    """The texts of an object. Unknown names, other types and what no database can keep are faults."""
    if not isinstance(data, dict):
        return {}, [Fault("body", where, _("Expected an object."))]
    prefix = f"{where}." if where else ""
    texts, faults = {}, []
    for name, value in data.items():
        shown = prefix + name[:40].encode("ascii", "replace").decode()
        if name not in known:
            there = _("There is no such field here. Known: %(names)s.") % {"names": ", ".join(known)}
            faults.append(Fault("body", shown, there))
        elif not isinstance(value, str):
            faults.append(Fault("body", shown, _("Expected a text.")))
        elif not _can_be_kept(value):
            faults.append(Fault("body", shown, _("It has characters that cannot be read.")))
        else:
            texts[name] = value
    return texts, faults


def _can_be_kept(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return "\x00" not in text


def _checked(
    form_class: type[NomineeForm], texts: dict[str, str], where: str, *, only: Sequence[str] | None = None
) -> tuple[dict[str, Any], list[Fault]]:
    """What the form of the pages makes of the texts, and its faults by field."""
    form = form_class(texts)
    for name in list(form.fields):
        if only is not None and name not in only:
            del form.fields[name]
    form.full_clean()
    prefix = f"{where}." if where else ""
    faults = [
        Fault("body", f"{prefix}{name}" if name in form.fields else where, str(error))
        for name, errors in form.errors.items()
        for error in errors
    ]
    return form.cleaned_data, faults


def _nominee(
    data: Any, form_class: type[NomineeForm], where: str, *, row: int, **fixed: str
) -> tuple[Nominee | None, list[Fault]]:
    known = [*form_class.base_fields, "language"]
    if form_class is ReplaceForm:
        known = [name for name in known if name not in {"capacity", "mode"}]
    texts, faults = _texts(data, known, where)
    if not isinstance(data, dict):
        return None, faults
    language = texts.pop("language", "en")
    codes = [code for code, _name in settings.LANGUAGES]
    if language not in codes:
        expected = _("Expected one of: %(choices)s.") % {"choices": ", ".join(codes)}
        faults.append(Fault("body", f"{where}.language" if where else "language", expected))
    told = {fault.name for fault in faults}
    defaults = {"capacity": DelegationCapacity.ADVISER.value, "mode": AttendanceMode.IN_PERSON.value}
    values, more = _checked(form_class, defaults | texts, where)
    faults += [fault for fault in more if fault.name not in told]
    if faults:
        return None, faults
    return Nominee(**(values | fixed), language=language, row=row), []


def _refused(error: NominationRefused, *, in_list: bool) -> Refused:
    """409 with what is wrong by row."""
    return Refused(
        status=409,
        kind=error.code.replace("_", "-"),
        title=_("The rules do not allow this"),
        detail=str(error.message),
        faults=[
            Fault("body", f"members.{problem.row - 1}" if in_list and problem.row else "", problem.text)
            for problem in error.problems
        ],
    )


# --- the resource -----------------------------------------------------------------------------------------------------

_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="New for each request, such as a UUID. A repeat within 24 hours does nothing and gets the same answer.",
)
_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The ETag of the participant as it was read."
)
_EXAMPLE = OpenApiExample(
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
_LIST_EXAMPLE = OpenApiExample("A list", value={"members": [_EXAMPLE.value]}, request_only=True)
_CORRECTION_EXAMPLE = OpenApiExample("Another function", value={"function": "First Secretary"}, request_only=True)
_OUTCOME = {
    "row": 1,
    "participant": "6f1a7f0e-6c0f-4a5e-9f0a-3f1f5a0c2b11",
    "address": "https://alliance.example.org/api/v1/participants/6f1a7f0e-6c0f-4a5e-9f0a-3f1f5a0c2b11/",
    "place": "held",
    "place_in_line": None,
}
_OUTCOME_EXAMPLE = OpenApiExample("A place is held", value=_OUTCOME, response_only=True, status_codes=["201"])
_OUTCOMES_EXAMPLE = OpenApiExample(
    "Places are held", value={"outcomes": [_OUTCOME]}, response_only=True, status_codes=["201"]
)


@extend_schema_view(
    list=extend_schema(responses=answers({200: ParticipantSerializer(many=True)})),
    retrieve=extend_schema(responses=answers({200: ParticipantSerializer}, 404)),
)
class ParticipantViewSet(TokenViewSet[Membership]):
    """The members of the token's delegation: those who stand, and those who declined."""

    serializer_class = ParticipantSerializer
    orderings: ClassVar[Mapping[str, Any]] = {
        "nominated_at": (Key("nominated_at", "instant"),),
        "-nominated_at": (Key("nominated_at", "instant", descending=True),),
    }
    scopes: ClassVar[Mapping[str, Scope]] = {
        "list": Scope.MEMBERS_READ,
        "retrieve": Scope.MEMBERS_READ,
        "create": Scope.MEMBERS_WRITE,
        "bulk": Scope.MEMBERS_WRITE,
        "partial_update": Scope.MEMBERS_WRITE,
        "substitute": Scope.MEMBERS_WRITE,
        "destroy": Scope.MEMBERS_WRITE,
    }
    seats: dict[int, Seat]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What is sent is answered after whole steps of time, like the form (docs/decisions/0010-neutral-answer.md)."""
        answer: Any = super().dispatch
        return views._in_even_time(answer)(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Membership]:
        """The delegation's own."""
        found = Membership.objects.shown().filter(delegation=self.grant.delegation_id)
        return found.select_related("participant", "delegation__conference").defer(
            "participant__sealed_identity", "participant__accessibility_needs"
        )

    def get_serializer_context(self) -> dict[str, Any]:
        """With the places."""
        return {**super().get_serializer_context(), "seats": getattr(self, "seats", {})}

    def paginate_queryset(self, queryset: Any) -> Any:
        """A page, and the places of its rows."""
        rows = super().paginate_queryset(queryset)
        self.seats = member_places.seats_of(rows or [])
        return rows

    def _etag(self, member: Membership) -> str:
        """Of the whole row, however much of it is asked for."""
        self.seats = member_places.seats_of([member])
        return etag_of(ParticipantSerializer(member, context=self.get_serializer_context()).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One member with the ETag that changes need."""
        member = self.get_object()
        etag = self._etag(member)
        return Response(self.get_serializer(member).data, headers={"ETag": etag})

    # --- writing ------------------------------------------------------------------------------------------------------

    @extend_schema(
        request=NomineeSerializer,
        parameters=[_KEY],
        examples=[_EXAMPLE, _OUTCOME_EXAMPLE],
        responses=answers({201: OutcomeSerializer}, *WRITES),
    )
    def create(self, request: Request) -> Response:
        """Nominate one person. A place is claimed at once, and the person gets a mail to answer."""
        data = body_of(request)
        nominee, faults = _nominee(data, NomineeForm, "", row=1)
        if nominee is None:
            raise InvalidParameters(faults)
        return self._nominate(data, [nominee], in_list=False)

    @extend_schema(
        request=NomineesSerializer,
        parameters=[_KEY],
        examples=[_LIST_EXAMPLE, _OUTCOMES_EXAMPLE],
        responses=answers({201: OutcomesSerializer}, *WRITES),
    )
    @action(detail=False, methods=["post"])
    def bulk(self, request: Request) -> Response:
        """Nominate up to a hundred people: all of them, or nobody. Refused rows are named, and then nothing is done."""
        data = body_of(request)
        rows = data.get("members")
        if set(data) - {"members"} or not isinstance(rows, list) or not rows:
            raise InvalidParameters(_faults_of_list(data))
        if len(rows) > MOST_AT_ONCE:
            told = _("A list has at most %(limit)d people.") % {"limit": MOST_AT_ONCE}
            raise InvalidParameters([Fault("body", "members", told)])
        nominees, faults = [], []
        for place, row in enumerate(rows):
            nominee, wrong = _nominee(row, NomineeForm, f"members.{place}", row=place + 1)
            faults += wrong
            if nominee is not None:
                nominees.append(nominee)
        if faults:
            raise InvalidParameters(faults)
        return self._nominate(data, nominees, in_list=True)

    def _nominate(self, data: Any, nominees: Sequence[Nominee], *, in_list: bool) -> Response:
        assert self.grant.delegation_id is not None  # noqa: S101 - its scopes are given to delegations alone

        def answer(members: Sequence[Membership]) -> dict[str, Any]:
            outcomes = self._outcomes(members)
            if in_list:
                return _answer(201, {"outcomes": outcomes})
            return _answer(201, outcomes[0], Location=outcomes[0]["address"])

        during = self._once(data, answer)
        try:
            delegations.nominate(
                delegation_id=self.grant.delegation_id, nominees=nominees, by=self.actor, now=self.now, during=during
            )
        except once.DoneBefore as before:
            return _said(before.answer)
        except NominationRefused as error:
            raise _refused(error, in_list=in_list) from error
        return _said(during.said)

    @extend_schema(
        request=CorrectionSerializer,
        parameters=[_KEY, _MATCH],
        examples=[_CORRECTION_EXAMPLE],
        responses=answers({204: None}, 404, 412, 428, *WRITES),
    )
    def partial_update(self, request: Request, **captured: Any) -> Response:
        """Correct function or capacity; the name until the member has answered. Another address is another person."""
        data = body_of(request)
        change = _correction(data)
        member, during = self._find(data, lambda members: _answer(204, None))
        try:
            corrections.correct(membership_id=member.pk, change=change, by=self.actor, now=self.now, during=during)
        except once.DoneBefore as before:
            return _said(before.answer)
        except NotAMember as error:
            raise exceptions.NotFound from error
        return _said(during.said)

    @extend_schema(
        request=SuccessorSerializer,
        parameters=[_KEY, _MATCH],
        examples=[_OUTCOME_EXAMPLE],
        responses=answers({201: OutcomeSerializer}, 404, 412, 428, *WRITES),
    )
    @action(detail=True, methods=["post"])
    def substitute(self, request: Request, **captured: Any) -> Response:
        """Name somebody else in a member's place. The place is not free in between; both are told by mail."""
        data = body_of(request)

        def answer(members: Sequence[Membership]) -> dict[str, Any]:
            outcome = self._outcomes(members)[0]
            return _answer(201, outcome, Location=outcome["address"])

        member, during = self._find(data, answer)
        nominee, faults = _nominee(data, ReplaceForm, "", row=1, capacity=member.capacity, mode=member.mode)
        if nominee is None:
            raise InvalidParameters(faults)
        try:
            delegations.replace(membership_id=member.pk, nominee=nominee, by=self.actor, now=self.now, during=during)
        except once.DoneBefore as before:
            return _said(before.answer)
        except NotAMember as error:
            raise exceptions.NotFound from error
        except NominationRefused as error:
            raise _refused(error, in_list=False) from error
        return _said(during.said)

    @extend_schema(parameters=[_KEY, _MATCH], responses=answers({204: None}, 404, 409, 412, 428))
    def destroy(self, request: Request, **captured: Any) -> Response:
        """Withdraw a nomination. The place goes to the first in line, and the person is told."""
        member, during = self._find(None, lambda members: _answer(204, None))
        try:
            delegations.withdraw(membership_id=member.pk, by=self.actor, now=self.now, during=during)
        except once.DoneBefore as before:
            return _said(before.answer)
        except NotAMember as error:
            raise exceptions.NotFound from error
        return _said(during.said)

    def _find(self, data: Any, answer: Any) -> tuple[Membership, once.Once]:
        """The member of the address, in whatever state (a repeat may come later), and what guards the write.

        Raises NotFound for those of others, Refused without If-Match.
        """
        own = Membership.objects.filter(delegation=self.grant.delegation_id, public_id=self.kwargs["id"])
        member = own.select_related("participant").first()
        if member is None:
            raise exceptions.NotFound
        expected = expected_etags(self.request)

        def check(locked: Membership) -> None:
            check_etag(expected, self._etag(self.get_queryset().get(pk=locked.pk)))

        return member, self._once(data, answer, check)

    def _once(self, data: Any, answer: Any, check: Any = None) -> once.Once:
        request = json.dumps([self.request.method, self.request.path, data], sort_keys=True)
        return once.Once(
            scope=f"api:{self.grant.token.public_id}",
            key=idempotency_key(self.request),
            request=request,
            answer=answer,
            check=check,
        )

    def _outcomes(self, members: Sequence[Membership]) -> list[dict[str, Any]]:
        seats = member_places.seats_of(members)
        return [
            {
                "row": row,
                "participant": str(member.public_id),
                "address": f"{settings.SITE_URL}{reverse('api:participants-detail', args=[member.public_id])}",
                "place": seats[member.pk].place.value,
                "place_in_line": seats[member.pk].rank,
            }
            for row, member in enumerate(members, start=1)
        ]


def _answer(status: int, body: Any, **headers: str) -> dict[str, Any]:
    """What is kept of an answer. The body as text: the database sorts the members of objects."""
    return {"status": status, "body": json.dumps(body), "headers": headers}


def _said(answer: dict[str, Any]) -> Response:
    return Response(json.loads(answer["body"]), status=answer["status"], headers=answer["headers"])


def _faults_of_list(data: dict[str, Any]) -> list[Fault]:
    _texts_found, faults = _texts(dict.fromkeys(data, ""), ["members"], "")
    rows = data.get("members")
    if not isinstance(rows, list):
        faults.append(Fault("body", "members", _("Expected a list of objects.")))
    elif not rows:
        faults.append(Fault("body", "members", _("The list is empty.")))
    return faults


def _correction(data: dict[str, Any]) -> Correction:
    """Raises InvalidParameters."""
    known = ["given_name", "family_name", "function", "capacity"]
    texts, faults = _texts(data, known, "")
    if not data:
        faults.append(Fault("body", "", _("Name at least one field to correct.")))
    wanted = [name for name in known if name in texts]
    if {"given_name", "family_name"} & set(data) and not {"given_name", "family_name"} <= set(data):
        faults.append(Fault("body", "family_name", _("Send both names together.")))
    told = {fault.name for fault in faults}
    values, more = _checked(NomineeForm, texts, "", only=wanted)
    faults += [fault for fault in more if fault.name not in told]
    if faults:
        raise InvalidParameters(faults)
    names = (values["given_name"], values["family_name"]) if "family_name" in values else None
    return Correction(names=names, function=values.get("function"), capacity=values.get("capacity"))
