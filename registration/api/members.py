"""Members of a delegation for its own programs: reading, nominating, correcting, replacing, withdrawing.

Every rule stands in the services; here is how they are asked and how the answer is written. Answers to writes name
nobody, so that they can be kept for a repeat (registration/services/once.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    extend_schema,
    extend_schema_view,
)
from rest_framework import exceptions
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from alliance.api.filters import Choice, Filters
from alliance.api.paging import Key
from alliance.problems import Fault, InvalidParameters, Refused
from registration import private_pages
from registration.api import member_bodies, member_places, member_shapes
from registration.api.access import TokenViewSet
from registration.api.delegations import WRITES, answers
from registration.api.member_places import Place, Seat
from registration.api.member_shapes import SHOWN_STATES
from registration.api.writes import (
    CsvParser,
    StrictJsonParser,
    body_of,
    check_etag,
    etag_of,
    expected_etags,
    idempotency_key,
    sent,
)
from registration.delegations import lists as delegation_lists
from registration.delegations.lists import NomineeForm, ReplaceForm
from registration.models import AttendanceMode, DelegationCapacity, Membership, Scope, Verification
from registration.services import corrections, delegations, once
from registration.services.delegations import NominationRefused, Nominee, NotAMember

Standings = Sequence[once.Standing] | None


def _refused(error: NominationRefused, name_of: Callable[[int], str]) -> Refused:
    """409 with what is wrong by row."""
    return Refused(
        status=409,
        kind=error.code.replace("_", "-"),
        title=_("The rules do not allow this"),
        detail=str(error.message),
        faults=[Fault("body", name_of(problem.row), problem.text) for problem in error.problems],
    )


class ParticipantFilters(Filters):
    """Filters of the list of members. None by name: what is searched for stands in addresses, and so in logs."""

    state = Choice("Whether the member has answered, and what.", SHOWN_STATES, field_name="state")
    capacity = Choice("As what they belong to the delegation.", DelegationCapacity.values, field_name="capacity")
    mode = Choice("How they attend.", AttendanceMode.values, field_name="mode")
    verification = Choice("What the secretariat says.", Verification.values, field_name="verification")
    place = Choice("Whether there is a place.", Place.values, method="by_place")

    def by_place(self, members: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
        """Those whose place stands so."""
        return member_places.with_place(members, Place(value))


@extend_schema_view(
    list=extend_schema(responses=answers({200: member_shapes.ParticipantSerializer(many=True)})),
    retrieve=extend_schema(responses=answers({200: member_shapes.ParticipantSerializer}, 404)),
)
class ParticipantViewSet(TokenViewSet[Membership]):
    """The members of the token's delegation: those who stand, and those who declined."""

    serializer_class = member_shapes.ParticipantSerializer
    filterset_class = ParticipantFilters
    parser_classes = [StrictJsonParser]
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
        return private_pages.in_even_time(answer)(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Membership]:
        """The delegation's own."""
        found = Membership.objects.shown().filter(delegation=self.grant.delegation_id)
        return found.select_related("participant__identity_key", "delegation__conference").defer(
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
        return etag_of(member_shapes.ParticipantSerializer(member, context=self.get_serializer_context()).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One member with the ETag that changes need."""
        member = self.get_object()
        etag = self._etag(member)
        return self.seen(self.get_serializer(member).data, etag=etag)

    # --- writing ------------------------------------------------------------------------------------------------------

    @extend_schema(
        request=member_shapes.NomineeSerializer,
        parameters=[member_shapes.KEY],
        examples=[member_shapes.EXAMPLE, member_shapes.OUTCOME_EXAMPLE],
        responses=answers({201: member_shapes.OutcomeSerializer}, *WRITES),
    )
    def create(self, request: Request) -> Response:
        """Nominate one person. A place is claimed at once, and the person gets a mail to answer."""
        data = body_of(request)
        nominee, faults = member_bodies.nominee_of(data, NomineeForm, "", row=1)
        if nominee is None:
            raise InvalidParameters(faults)
        return self._nominate(data, [nominee], lambda row: "", is_list=False)

    @extend_schema(
        request={"application/json": member_shapes.NomineesSerializer, "text/csv": OpenApiTypes.STR},
        parameters=[member_shapes.KEY],
        examples=[member_shapes.LIST_EXAMPLE, member_shapes.CSV_EXAMPLE, member_shapes.OUTCOMES_EXAMPLE],
        responses=answers({201: member_shapes.OutcomesSerializer}, *WRITES),
    )
    @action(detail=False, methods=["post"], parser_classes=[StrictJsonParser, CsvParser])
    def bulk(self, request: Request) -> Response:
        """Nominate up to a hundred people: all of them, or nobody. Refused rows are named, and then nothing is done.

        A list may be CSV with headings, as on the page for lists; mails are then in the language of ?lang=.
        """
        if request.content_type.partition(";")[0].strip().lower() == CsvParser.media_type:
            text = sent(request) or ""  # nothing at all is read as an object
            found = delegation_lists.read(delegation_lists.pasted(text), language=self.language)
            if found.problems:
                raise InvalidParameters(
                    [Fault("body", member_bodies.csv_row(one.row), one.text) for one in found.problems]
                )
            return self._nominate(text, found.nominees, member_bodies.csv_row, is_list=True)
        data = body_of(request)
        nominees, faults = member_bodies.nominees_of(data)
        if faults:
            raise InvalidParameters(faults)
        return self._nominate(data, nominees, member_bodies.json_row, is_list=True)

    def _nominate(
        self, data: Any, nominees: Sequence[Nominee], name_of: Callable[[int], str], *, is_list: bool
    ) -> Response:
        assert self.grant.delegation_id is not None  # noqa: S101 - its scopes are given to delegations alone

        def answer(members: Sequence[Membership], standings: Standings) -> dict[str, Any]:
            outcomes = self._outcomes(members, standings, [nominee.row for nominee in nominees])
            if is_list:
                return _answer(201, {"outcomes": outcomes})
            return _answer(201, outcomes[0], Location=outcomes[0]["address"])

        during = self._once(data, answer)
        try:
            delegations.nominate(
                delegation_id=self.grant.delegation_id,
                nominees=nominees,
                by=self.actor,
                now=self.now,
                during=during,
                known=self.grant.delegation,
            )
        except once.DoneBefore as before:
            return _said(before.answer)
        except NominationRefused as error:
            raise _refused(error, name_of) from error
        return _said(during.said)

    @extend_schema(
        request=member_shapes.CorrectionSerializer,
        parameters=[member_shapes.KEY, member_shapes.MATCH],
        examples=[member_shapes.CORRECTION_EXAMPLE],
        responses=answers({204: None}, 404, 412, 428, *WRITES),
    )
    def partial_update(self, request: Request, **captured: Any) -> Response:
        """Correct function or capacity; the name until the member has answered. Another address is another person."""
        data = body_of(request)
        change = member_bodies.correction_of(data)
        member, during = self._find(data, lambda members, standings: _answer(204, None))
        try:
            corrections.correct(membership_id=member.pk, change=change, by=self.actor, now=self.now, during=during)
        except once.DoneBefore as before:
            return _said(before.answer)
        except NotAMember as error:
            raise exceptions.NotFound from error
        return _said(during.said)

    @extend_schema(
        request=member_shapes.SuccessorSerializer,
        parameters=[member_shapes.KEY, member_shapes.MATCH],
        examples=[member_shapes.OUTCOME_EXAMPLE],
        responses=answers({201: member_shapes.OutcomeSerializer}, 404, 412, 428, *WRITES),
    )
    @action(detail=True, methods=["post"])
    def substitute(self, request: Request, **captured: Any) -> Response:
        """Name somebody else in a member's place. The place is not free in between; both are told by mail."""
        data = body_of(request)

        def answer(members: Sequence[Membership], standings: Standings) -> dict[str, Any]:
            outcome = self._outcomes(members, standings)[0]
            return _answer(201, outcome, Location=outcome["address"])

        member, during = self._find(data, answer)
        nominee, faults = member_bodies.nominee_of(
            data, ReplaceForm, "", row=1, capacity=member.capacity, mode=member.mode
        )
        if nominee is None:
            raise InvalidParameters(faults)
        try:
            delegations.replace(membership_id=member.pk, nominee=nominee, by=self.actor, now=self.now, during=during)
        except once.DoneBefore as before:
            return _said(before.answer)
        except NotAMember as error:
            raise exceptions.NotFound from error
        except NominationRefused as error:
            raise _refused(error, lambda row: "") from error
        return _said(during.said)

    @extend_schema(
        parameters=[member_shapes.KEY, member_shapes.MATCH], responses=answers({204: None}, 404, 409, 412, 428)
    )
    def destroy(self, request: Request, **captured: Any) -> Response:
        """Withdraw a nomination. The place goes to the first in line, and the person is told."""
        member, during = self._find(None, lambda members, standings: _answer(204, None))
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

    def _outcomes(
        self, members: Sequence[Membership], standings: Standings, rows: Sequence[int] = (1,)
    ) -> list[dict[str, Any]]:
        """What each row led to. standings: None where they must be looked up."""
        if standings is None:
            seats = member_places.seats_of(members)
            found = [(seats[member.pk].place, seats[member.pk].rank) for member in members]
        else:
            found = [(member_places.place_of(one.status), one.rank) for one in standings]
        return [
            {
                "row": row,
                "participant": str(member.public_id),
                "address": f"{settings.SITE_URL}{reverse('api:participants-detail', args=[member.public_id])}",
                "place": place.value,
                "place_in_line": rank,
            }
            for row, member, (place, rank) in zip(rows, members, found, strict=True)
        ]


def _answer(status: int, body: Any, **headers: str) -> dict[str, Any]:
    """What is kept of an answer. The body as text: the database sorts the members of objects."""
    return {"status": status, "body": json.dumps(body), "headers": headers}


def _said(answer: dict[str, Any]) -> Response:
    return Response(json.loads(answer["body"]), status=answer["status"], headers=answer["headers"])
