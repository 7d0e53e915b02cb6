"""The place of each member of a delegation, as far as the delegation may see it: held, in line, awaiting, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import models
from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from registration import selectors
from registration.models import Membership, Registration, RegistrationStatus
from registration.models.delegation_member import ACTIVE_STATES
from registration.models.registration import TAKING


class Place(models.TextChoices):
    """Where a member's place stands. Whether somebody came is not the delegation's business."""

    HELD = "held", _("A place is held")
    WAITING = "waiting", _("In line for a place")
    AWAITING = "awaiting_approval", _("Awaiting approval")
    NONE = "none", _("No place")


@dataclass(frozen=True, slots=True)
class Seat:
    """A member's registration for the conference as a whole. rank: place in line, counted from 1."""

    registration: Registration | None
    place: Place
    rank: int | None


def seats_of(members: Sequence[Membership]) -> dict[int, Seat]:
    """The seat of each member by the membership's key. Two queries, whatever the number.

    Looks at the nominated person's own row alone; sessions that the person chose are not looked at.
    """
    held = {}
    rows = Registration.objects.filter(participant__membership__in=members, admission__session=None)
    for registration in rows.order_by("pk"):
        held[registration.participant_id] = registration
    ranks = selectors.places_in_line(held.values())
    return {
        member.pk: _seat(held.get(member.participant_id) if member.is_active else None, ranks) for member in members
    }


def _seat(registration: Registration | None, ranks: dict[int, int]) -> Seat:
    place = place_of(registration.status if registration is not None else "")
    rank = ranks.get(registration.pk, 1) if registration is not None and place == Place.WAITING else None
    return Seat(registration, place, rank)


def statuses_of(place: Place) -> list[str]:
    """The statuses that mean this place; the empty one stands for no registration."""
    return [status for status in ("", *RegistrationStatus.values) if place_of(status) == place]


def with_place(members: QuerySet[Membership], place: Place) -> QuerySet[Membership]:
    """Members whose place stands so, as seats_of() tells it."""
    own = Registration.objects.filter(participant=OuterRef("participant"), admission__session=None).order_by("-pk")
    status = Case(
        When(state__in=ACTIVE_STATES, then=Coalesce(Subquery(own.values("status")[:1]), Value(""))), default=Value("")
    )
    return members.annotate(seat_status=status).filter(seat_status__in=statuses_of(place))


def place_of(status: str) -> Place:
    """What a status of a registration means to others than the person."""
    if status in TAKING:
        return Place.HELD
    if status == RegistrationStatus.WAITLISTED:
        return Place.WAITING
    return Place.AWAITING if status == RegistrationStatus.PENDING else Place.NONE
