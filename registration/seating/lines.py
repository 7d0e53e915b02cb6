"""A waiting list as organisers look at it: who stands where, why nobody before somebody has a seat, and open offers.

All of it is computed from how things stand; nothing about it is stored.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registration.models import Admission, Places, Registration, RegistrationStatus, Reserve
from registration.models.registration import TAKING
from registration.seating import clashes, seats

SHOWN = 200  # people of a line on one page


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody in line. rank: counted from 1. why: in words, why there is no seat for them now, and who passed them."""

    registration: Registration
    rank: int
    why: Sequence[str]


@dataclass(frozen=True, slots=True)
class Offer:
    """A place that is offered. seats: what the person holds at the same time and is asked about."""

    registration: Registration
    in_the_way: Sequence[Registration]


@dataclass(frozen=True, slots=True)
class Line:
    """The waiting list of an admission at an instant. more: how many wait behind those shown."""

    admission: Admission
    places: Places
    reserves: Sequence[Reserve]
    offers: Sequence[Offer]
    waiting: Sequence[Waiting]
    more: int


def read(admission: Admission, *, now: datetime) -> Line:
    """The line of an admission. Needs session and conference loaded.

    The queries do not grow with its length, only with the delegations that have a quota and a member in line.
    """
    places = Places.objects.get(pk=admission.pk)
    free = seats.free(places)
    bars = seats.Bars(admission)
    rows = seats.in_line(admission, Q(), at_most=SHOWN, with_companions=True)
    bars.read(rows)
    seats.keep_for_pairs(free, rows)
    offered = list(
        Registration.objects.filter(admission=admission, status=RegistrationStatus.OFFERED)
        .select_related("participant")
        .order_by("offer_expires_at", "pk")
    )
    for registration in offered:
        registration.admission = admission
    asked = clashes.of(offered)
    is_late = not admission.may_promote(now)
    given = _Given(admission)
    return Line(
        admission=admission,
        places=places,
        reserves=list(admission.reserves.order_by("pk")),
        offers=[Offer(registration, asked.get(registration.pk, ())) for registration in offered],
        waiting=[
            Waiting(row, rank, [*_why(row, free, bars, is_late=is_late), *given.before(row)])
            for rank, row in enumerate(rows, 1)
        ],
        more=max(places.waiting - len(rows), 0),
    )


def _why(registration: Registration, free: seats.Seats, bars: seats.Bars, *, is_late: bool) -> list[str]:
    """Why somebody has no seat at present."""
    match bars.why(registration):
        case seats.Skip.AUDIENCE:
            return [_("Not in the audience: it has been narrowed since, or the person's data were corrected.")]
        case seats.Skip.QUOTA:
            return [_("Delegation quota full: all its seats are taken.")]
    if is_late:
        return [_("Nobody moves up any more: it has begun, or is cancelled.")]
    person = registration.participant
    if free.find(seats.reserves_for(person, decided_by=registration.decided_by_kind)):
        return [_("A seat is free and is given within a minute.")]
    if free.find(person.category):
        return [
            _("Reserved seats are free, but the person changed the category since: an organiser must have decided.")
        ]
    kept = [reserve.whom for reserve in free.reserves if reserve.left]
    if kept and (free.total is None or free.total > 0):
        return [_("The free seats are reserved for others: %(whom)s.") % {"whom": "; ".join(kept)}]
    return [_("All places are taken.")]


class _Given:
    """Seats that went to people who joined after somebody, while that somebody waited."""

    def __init__(self, admission: Admission) -> None:
        given = Registration.objects.filter(admission=admission, status__in=TAKING).order_by("created_at")
        self._reserved = list(given.filter(reserve__isnull=False).values_list("created_at", flat=True))
        promoted = given.filter(reserve__isnull=True, promoted_at__isnull=False)
        self._others = list(promoted.values_list("created_at", flat=True))

    def before(self, registration: Registration) -> list[str]:
        """In words, how many who came later have a seat."""
        told = []
        if reserved := _later(self._reserved, registration.created_at):
            text = ngettext(
                "Passed by %(count)d person with a seat reserved for others.",
                "Passed by %(count)d people with seats reserved for others.",
                reserved,
            )
            told.append(text % {"count": reserved})
        if others := _later(self._others, registration.created_at):
            text = ngettext(
                "Passed by %(count)d person while no seat could go to this one.",
                "Passed by %(count)d people while no seat could go to this one.",
                others,
            )
            told.append(text % {"count": others})
        return told


def _later(instants: Sequence[datetime], instant: datetime) -> int:
    return len(instants) - bisect_right(instants, instant)
