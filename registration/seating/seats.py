"""Which free seat somebody may take, and who in line is passed over: the one place where that is decided.

Everything here is read under the lock of the places row, or for a page that only looks. A seat is one of a reserve for
the person's category, or one for everybody; a reserve's own seats go first. The line is strict: nobody gets a seat that
somebody before them could take (docs/decisions/0016-reserves-and-offers.md).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects

from accounts.models import ActorKind
from registration.models import (
    Admission,
    ApprovalMode,
    AttendanceMode,
    Delegation,
    Participant,
    Places,
    Registration,
    Reserve,
    SeatPair,
)
from registration.models.registration import TAKING
from registration.seating import origins

_BATCH = 500  # people of a line that are read at once
_BOTH = 2


def reserves_for(person: Participant, *, decided_by: str = "") -> str:
    """The category by which somebody may have reserved seats; empty for none.

    What people correct about themselves opens no door (docs/personal-page.md): from then on only an organiser's own
    decision about the registration lets them have a reserved seat. decided_by: the kind of actor who decided about it.
    """
    if person.audience_changed_at is not None and decided_by != ActorKind.ORGANISER:
        return ""
    return person.category


def _category(registration: Registration) -> str:
    return reserves_for(registration.participant, decided_by=registration.decided_by_kind)


class Skip(StrEnum):
    """Why somebody in line is passed over."""

    RESERVED = "reserved"  # the free seats are kept for others
    AUDIENCE = "audience"  # outside the audience as it is announced now, and no organiser let them in
    QUOTA = "quota"  # their delegation has all the seats of its quota


@dataclass(slots=True)
class Seats:
    """The free seats of an admission; taking one counts it off. None: no limit. Below zero: more are taken or held."""

    total: int | None
    everybody: int | None
    reserves: list[Reserve] = field(default_factory=list)
    capacity: int | None = None

    @property
    def can_hold_two(self) -> bool:
        """Whether two who come together could ever have seats; else no seat is kept for them."""
        return self.capacity is None or self.capacity >= _BOTH

    def find(self, category: str) -> list[Reserve | None]:
        """The free seats somebody of the category may take, best first; None is a seat for everybody."""
        found: list[Reserve | None] = []
        if self.total is None or self.total > 0:
            found += [reserve for reserve in self.reserves if reserve.left and category in reserve.categories]
        if self.everybody is None or self.everybody > 0:
            found.append(None)
        return found

    def take(self, reserve: Reserve | None) -> None:
        """Count a seat off."""
        if self.total is not None:
            self.total -= 1
        if reserve is not None:
            reserve.taken += 1
        elif self.everybody is not None:
            self.everybody -= 1

    def open_to(self) -> Q | None:
        """Whom in line a free seat may serve; None: nobody."""
        if self.everybody is None or self.everybody > 0:
            return Q()
        served = {category for reserve in self.reserves if reserve.left for category in reserve.categories}
        return Q(participant__category__in=served) if served and (self.total is None or self.total > 0) else None


def free(places: Places) -> Seats:
    """The free seats as the places row and the reserves say. One query where seats are held back, else none."""
    reserves = list(Reserve.objects.holding().filter(admission_id=places.pk)) if places.held else []
    if places.capacity is None:
        return Seats(None, None, reserves)
    left = places.capacity - places.taken
    return Seats(left, left - places.held, reserves, places.capacity)


class Bars:
    """Who in the line of an admission cannot have any seat at present, whatever is free."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._quotas: dict[int, int | None] = {}  # seats left, by delegation
        self._has_invited: bool | None = None
        self._origins: dict[int, origins.Origin | None] = {}

    def read(self, registrations: Iterable[Registration]) -> None:
        """Read at once what why() has to know about each of them. Three queries at most."""
        if self._admission.approval == ApprovalMode.AUDIENCE:
            prefetch_related_objects([self._admission], "audience_organisations")
            self._origins.update(origins.of(one.participant for one in registrations if not _was_let_in(one)))

    def why(self, registration: Registration) -> Skip | None:
        """What bars somebody, if anything. Needs the participant with the country loaded; read() saves queries."""
        if not self._is_in_audience(registration):
            return Skip.AUDIENCE
        delegation_id = registration.participant.delegation_id
        if delegation_id is not None and self._admission.session_id is None:
            left = self._quota_left(delegation_id)
            if left is not None and left <= 0:
                return Skip.QUOTA
        return None

    def count(self, registration: Registration) -> None:
        """Somebody gets a seat: their delegation has one less."""
        delegation_id = registration.participant.delegation_id
        if delegation_id is not None and (left := self._quotas.get(delegation_id)) is not None:
            self._quotas[delegation_id] = left - 1

    def _is_in_audience(self, registration: Registration) -> bool:
        """Whether the audience still admits somebody whom it let into the line; whom an organiser let in, stays in.

        Where people were invited, nobody is barred: who of the line was invited is known to nobody, on purpose.
        """
        if self._admission.approval != ApprovalMode.AUDIENCE:
            return True
        if _was_let_in(registration):
            return True
        if origins.admits(self._admission, registration.participant, self._origins):
            return True
        if self._has_invited is None:
            self._has_invited = self._admission.invitations.exists()
        return self._has_invited

    def _quota_left(self, delegation_id: int) -> int | None:
        """Seats of the delegation that nobody has: a quota may have been lowered below its members since."""
        if delegation_id not in self._quotas:
            delegation = Delegation.objects.get(pk=delegation_id)
            seated = Registration.objects.filter(
                participant__delegation_id=delegation_id,
                admission__conference_id=delegation.conference_id,
                admission__session=None,
                status__in=TAKING,
            )
            modes = list(seated.values_list("admission__mode", flat=True))
            mode = self._admission.mode
            in_mode = delegation.quota_in_person if mode == AttendanceMode.IN_PERSON else delegation.quota_online
            limits = [
                limit - used
                for limit, used in ((delegation.quota, len(modes)), (in_mode, modes.count(mode)))
                if limit is not None
            ]
            self._quotas[delegation_id] = min(limits, default=None)
        return self._quotas[delegation_id]


def _was_let_in(registration: Registration) -> bool:
    """Whether somebody decided about it: whom the audience let into the line, the audience may bar again."""
    return registration.decided_by_kind not in {"", ActorKind.SYSTEM}


def in_line(
    admission: Admission, whom: Q, *, after: int | None = None, at_most: int = _BATCH, with_companions: bool = False
) -> list[Registration]:
    """The next people in line, in order, with what decides about them. after: the position to go on from.

    with_companions: also those who come along with somebody (models.pair). They are served with that person only.
    """
    waiting = Registration.objects.in_waiting_order().filter(whom, admission=admission)
    if not with_companions:
        along = SeatPair.objects.standing().filter(companion=OuterRef("pk"))
        waiting = waiting.exclude(Exists(along))
    if after is not None:
        waiting = waiting.filter(position__gt=after)
    return list(waiting.select_related("participant__country")[:at_most])


def _line(admission: Admission, whom: Q, bars: Bars) -> Iterator[Registration]:
    after: int | None = None
    while batch := in_line(admission, whom, after=after):
        bars.read(batch)
        yield from batch
        after = batch[-1].position


def companions(registrations: Iterable[Registration]) -> dict[int, Registration]:
    """Who comes along with whom, by the primary key of the first. One query."""
    pairs = SeatPair.objects.standing().filter(registration__in=[one.pk for one in registrations])
    return {pair.registration_id: pair.companion for pair in pairs.select_related("companion__participant")}


def keep_for_pairs(seats: Seats, line: Iterable[Registration]) -> None:
    """Take off the seats that wait for a second one, for whoever says why somebody has none yet."""
    line = list(line)
    pairs = companions(line)
    for registration in line:
        found = seats.find(_category(registration)) if registration.pk in pairs and seats.can_hold_two else []
        if found:
            trial = copy.deepcopy(seats)
            trial.take(found[0])
            if not trial.find(_category(registration)):
                seats.take(found[0])


def serve(admission: Admission, seats: Seats, *, waiting: int) -> list[tuple[Registration, Reserve | None]]:
    """Who gets the free seats, in the order of the line, and from which reserve. waiting: how many wait.

    Reads no more of the line than it needs to: where only reserved seats are free, those they are reserved for.
    Two who come together get two seats or none. When there is only one for them it is kept until another comes free:
    given to the next in line each time, they would never move up.
    """
    served: list[tuple[Registration, Reserve | None]] = []
    bars = Bars(admission)
    after: int | None = None
    while (whom := seats.open_to()) is not None:
        most = min(waiting if seats.total is None else seats.total, _BATCH)
        batch = in_line(admission, whom, after=after, at_most=most)
        if not batch:
            break
        pairs = companions(batch)
        bars.read(batch)
        for registration in batch:
            after = registration.position
            found = seats.find(_category(registration))
            if not found or bars.why(registration) is not None:
                continue
            companion = pairs.get(registration.pk)
            if companion is not None and not seats.can_hold_two:
                continue  # the capacity was lowered since they came
            seats.take(found[0])
            if companion is not None:
                second = seats.find(_category(registration))
                if not second:
                    continue  # the seat taken off above is kept for the two
                seats.take(second[0])
                served.append((companion, second[0]))
            bars.count(registration)
            served.append((registration, found[0]))
    return served


def for_newcomer(admission: Admission, places: Places, category: str) -> tuple[bool, Reserve | None]:
    """Whether who comes now gets a seat, and from which reserve: never one that somebody in line could take."""
    found = for_newcomers(admission, places, category, many=1)
    return (True, found[0]) if found is not None else (False, None)


def for_newcomers(admission: Admission, places: Places, category: str, *, many: int) -> list[Reserve | None] | None:
    """The same for several who come together: a reserve or none for each, or None when there are not seats for all."""
    left = free(places)
    found: list[Reserve | None] = []
    for _each in range(many):
        for reserve in left.find(category):
            if not places.waiting or not _somebody_may_have(admission, reserve, left):
                left.take(reserve)
                found.append(reserve)
                break
        else:
            return None
    return found


def _somebody_may_have(admission: Admission, reserve: Reserve | None, left: Seats) -> bool:
    bars = Bars(admission)
    whom = Q()
    if not left.can_hold_two:
        whom = Q(~Exists(SeatPair.objects.standing().filter(registration=OuterRef("pk"))))
    if reserve is None:
        return any(bars.why(registration) is None for registration in _line(admission, whom, bars))
    return any(
        _category(registration) in reserve.categories and bars.why(registration) is None
        for registration in _line(admission, whom & Q(participant__category__in=reserve.categories), bars)
    )
