"""Random lives of three admissions, step by step beside a model in plain Python that knows nothing of the database.

Registering, cancelling, changing capacities and reserves, offers accepted, declined and run out, keep or swap, moving
to the top: after every step, who has which seat, who waits in which order and what the counters say must be the same on
both sides. SEAT_MACHINE_EXAMPLES=300 tries more lives, and other ones each time; without it they are always the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from accounts import actors
from accounts.models import ActorKind
from outbox.models import Message, MessageState
from registration import services
from registration.models import Admission, AskedFor, Places, Registration, Reserve
from registration.services import confirming, offers, queueing, reserves
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, SideEventFactory
from tests.registration.people import register

PEOPLE = range(7)
THINGS = range(3)  # the first is given, the second offered, and they overlap; the third is given and stands alone
OFFERED = 1
CLASHES = {0: {1}, 1: {0}, 2: set()}
HOURS = 24  # until an offer runs out
MOST_WAITS = 8  # times that a day goes by; the things are two weeks away

people = st.sampled_from(PEOPLE)
things = st.sampled_from(THINGS)
picks = st.integers(0, len(PEOPLE) - 1)  # one of those that something can happen to


def category(person: int) -> str:
    """Every other one is of a delegation, for whom reserves are."""
    return "delegation" if person % 2 else "civil_society"


# --- the model --------------------------------------------------------------------------------------------------------


@dataclass
class Kept:
    """A reserve for delegations."""

    places: int
    taken: int = 0


@dataclass
class Seat:
    """What somebody holds or waits for."""

    status: str
    kept: Kept | None = None
    until: datetime | None = None
    was_offered: bool = False


@dataclass
class Thing:
    """One admission."""

    capacity: int | None = 3
    live: dict[int, Seat] = field(default_factory=dict)
    line: list[int] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def taken(self) -> int:
        """Who has a seat or an offer of one."""
        return sum(seat.status != "waitlisted" for seat in self.live.values())

    def held(self) -> int:
        """What reserves hold back."""
        return sum(max(kept.places - kept.taken, 0) for kept in self.kept)

    def free_for(self, person: int) -> list[Kept | None]:
        """The seats somebody may take, best first."""
        found: list[Kept | None] = []
        left = None if self.capacity is None else self.capacity - self.taken()
        if (left is None or left > 0) and category(person) == "delegation":
            found += [kept for kept in self.kept if kept.taken < kept.places]
        if left is None or left > self.held():
            found.append(None)
        return found


class Model:
    """The rules as docs/admissions.md tells them."""

    def __init__(self) -> None:
        self.things = [Thing() for _number in THINGS]
        self.now = NOW

    def pick(self, number: int, which: int, status: str = "") -> int | None:
        """One of those who are registered, of that status where anybody is."""
        live = self.things[number].live
        fitting = sorted(person for person, seat in live.items() if seat.status == status) or sorted(live)
        return fitting[which % len(fitting)] if fitting else None

    def register(self, person: int, chosen: set[int]) -> None:
        """A seat that nobody in line could take, else the end of the line."""
        for number in sorted(chosen):
            thing = self.things[number]
            if person in thing.live:
                continue
            for kept in thing.free_for(person):
                rivals = thing.line if kept is None else [one for one in thing.line if category(one) == "delegation"]
                if not rivals:
                    self.sit(thing, person, Seat("confirmed", kept))
                    break
            else:
                thing.live[person] = Seat("waitlisted")
                thing.line.append(person)

    @staticmethod
    def sit(thing: Thing, person: int, seat: Seat) -> None:
        """Give somebody a seat."""
        thing.live[person] = seat
        if seat.kept is not None:
            seat.kept.taken += 1

    def leave(self, number: int, person: int) -> None:
        """Give a seat or a place in line up, without serving the next."""
        thing = self.things[number]
        seat = thing.live.pop(person)
        if seat.kept is not None:
            seat.kept.taken -= 1
        if person in thing.line:
            thing.line.remove(person)

    def promote(self, number: int) -> None:
        """Serve the line: the first who may take a free seat, as long as there is one."""
        thing = self.things[number]
        for person in list(thing.line):
            free = thing.free_for(person)
            if not free:
                continue
            thing.line.remove(person)
            has_clash = any(
                (other := self.things[clash].live.get(person)) is not None and other.status == "confirmed"
                for clash in CLASHES[number]
            )
            is_offer = number == OFFERED or has_clash
            until = self.now + timedelta(hours=HOURS) if is_offer else None
            self.sit(thing, person, Seat("offered" if is_offer else "confirmed", free[0], until, is_offer))

    def clashing(self, number: int, person: int) -> list[int]:
        """The things at the same time that somebody has a seat for."""
        return [
            clash
            for clash in sorted(CLASHES[number])
            if (seat := self.things[clash].live.get(person)) is not None and seat.status == "confirmed"
        ]


# --- the machine ------------------------------------------------------------------------------------------------------


class SeatMachine(RuleBasedStateMachine):
    """Does everything twice: by the services and by the model."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.sent = 0
        self.waits = 0
        conference = ConferenceFactory()
        start = datetime.fromisoformat("2030-07-15T09:00:00+00:00")
        self.admissions: list[Admission] = []
        for number, (begins, waiting) in enumerate(((0, "direct"), (1, "offer"), (4, "direct"))):
            event = SideEventFactory(
                conference=conference,
                starts_at=start + timedelta(hours=begins),
                ends_at=start + timedelta(hours=begins + 2),
            )
            self.admissions.append(AdmissionFactory(session=event, waiting=waiting, claim_hours=HOURS, capacity=3))
            self.reserve_is_made(number, 1)

    @property
    def now(self) -> datetime:
        return self.model.now

    def of(self, number: int, person: int) -> Registration:
        """The live registration of somebody who has one."""
        return Registration.objects.live().get(
            admission=self.admissions[number], participant__display_name=f"Guest {person}"
        )

    # --- what can happen

    @rule(person=people, chosen=st.sets(things, min_size=1, max_size=3))
    def registers(self, person: int, chosen: set[int]) -> None:
        self.sent += 1
        register(
            *[self.admissions[number] for number in sorted(chosen)],
            token=f"{self.admissions[0].pk}-{self.sent}",
            email=f"guest{person}@mail.example",
            given_name="Guest",
            family_name=str(person),
            category=category(person),
            now=self.now,
        )
        # What a form asks for with an address that is known waits for its owner, who confirms it at once.
        waiting = list(AskedFor.objects.filter(participant__display_name=f"Guest {person}"))
        if waiting:
            wishes = [wish.public_id for wish in waiting]
            confirming.confirm(participant_id=waiting[0].participant_id, public_ids=wishes, now=self.now)
        self.model.register(person, chosen)

    @rule(first=picks, number=things)
    def all_the_others_register(self, first: int, number: int) -> None:
        for step in PEOPLE:
            self.registers(person=(first + step) % len(PEOPLE), chosen={number})

    @rule(which=picks, number=things)
    def cancels(self, which: int, number: int) -> None:
        if (person := self.model.pick(number, which)) is None:
            return
        services.cancel(registration_id=self.of(number, person).pk, by=actors.PARTICIPANT, now=self.now)
        self.model.leave(number, person)
        self.model.promote(number)

    @rule(which=picks, number=things, other=st.none() | picks, gone=st.booleans())
    def is_cancelled_by_mistake(self, which: int, number: int, other: int | None, gone: bool) -> None:
        """And it is undone, when somebody else has been moved to the top meanwhile, or has gone."""
        thing = self.model.things[number]
        if (person := self.model.pick(number, which)) is None:
            return
        before, behind = thing.live[person], set(thing.line[thing.line.index(person) :] if person in thing.line else ())
        registration = self.of(number, person)
        services.cancel(registration_id=registration.pk, by=actors.Actor(ActorKind.ORGANISER), now=self.now)
        self.model.leave(number, person)
        self.model.promote(number)
        if other is not None:
            line = list(thing.line)
            (self.cancels if gone else self.moves_to_the_top)(which=other, number=number)
            behind -= set(thing.line[:1]) if thing.line != line and not gone else set()
        Message.objects.filter(about_id=registration.public_id).update(state=MessageState.SENT, finished_at=self.now)
        try:
            services.take_back(registration_id=registration.pk, by=actors.Actor(ActorKind.ORGANISER), now=self.now)
        except services.TooLate:
            assert before.status == "offered"
            assert before.until is not None
            assert before.until <= self.now
            return
        free = thing.free_for(person)
        if before.status == "waitlisted":
            thing.live[person] = Seat("waitlisted")
            place = next((place for place, one in enumerate(thing.line) if one in behind), len(thing.line))
            thing.line.insert(place, person)
        elif free:
            self.model.sit(thing, person, Seat(before.status, free[0], before.until, before.was_offered))
        else:
            thing.live[person] = Seat("waitlisted")
            thing.line.insert(0, person)
        self.model.promote(number)

    @rule(number=things, capacity=st.sampled_from([2, 3, 4, 1, None, 0]))
    def capacity_changes(self, number: int, capacity: int | None) -> None:
        services.change_capacity(
            admission_id=self.admissions[number].pk, capacity=capacity, by=actors.SYSTEM, now=self.now
        )
        self.model.things[number].capacity = capacity
        self.model.promote(number)

    @rule(number=things, places=st.integers(1, 3))
    def reserve_is_made(self, number: int, places: int) -> None:
        thing = self.model.things[number]
        fits = thing.capacity is None or sum(kept.places for kept in thing.kept) + places <= thing.capacity
        try:
            reserves.set_reserve(
                admission_id=self.admissions[number].pk,
                categories=["delegation"],
                places=places,
                returns_at=None,
                by=actors.SYSTEM,
                now=self.now,
            )
        except reserves.ReserveTooLarge:
            assert not fits
            return
        assert fits
        thing.kept.append(Kept(places))
        self.model.promote(number)

    @precondition(lambda self: any(thing.kept for thing in self.model.things))
    @rule(number=things)
    def reserve_goes(self, number: int) -> None:
        thing = self.model.things[number]
        if not thing.kept:
            return
        first = Reserve.objects.holding().filter(admission=self.admissions[number]).first()
        assert first is not None
        reserves.remove_reserve(reserve_id=first.pk, by=actors.SYSTEM, now=self.now)
        gone = thing.kept.pop(0)
        for seat in thing.live.values():
            if seat.kept is gone:
                seat.kept = None
        self.model.promote(number)

    @rule(which=picks, number=things, is_swap=st.booleans())
    def accepts(self, which: int, number: int, is_swap: bool) -> None:
        if (person := self.model.pick(number, which, "offered")) is None:
            return
        registration = self.of(number, person)
        seat = self.model.things[number].live[person]
        clashing = self.model.clashing(number, person)
        seats = [self.of(other, person) for other in clashing] if is_swap else []
        try:
            offers.accept(
                registration_id=registration.pk,
                by=actors.PARTICIPANT,
                now=self.now,
                giving_up=[one.public_id for one in seats],
            )
        except offers.OfferAnswered:
            assert seat.status == "waitlisted" or (seat.status == "confirmed" and not seat.was_offered)
        except offers.OfferExpired:
            assert seat.status == "offered"
            assert seat.until is not None
            assert seat.until <= self.now
        except offers.ClashChanged:
            assert clashing
            assert not is_swap
        else:
            if seat.status == "confirmed":
                return  # accepting twice is fine
            for other in clashing:
                self.model.leave(other, person)
            seat.status = "confirmed"
            for other in clashing:
                self.model.promote(other)

    @rule(which=picks, number=things)
    def declines(self, which: int, number: int) -> None:
        if (person := self.model.pick(number, which, "offered")) is None:
            return
        registration = self.of(number, person)
        seat = self.model.things[number].live[person]
        try:
            offers.decline(registration_id=registration.pk, by=actors.PARTICIPANT, now=self.now)
        except offers.OfferAnswered:
            assert seat.status != "offered"
        else:
            assert seat.status == "offered"
            self.model.leave(number, person)
            self.model.promote(number)

    @precondition(lambda self: self.waits < MOST_WAITS)
    @rule(sweeps=st.booleans())
    def a_day_goes_by(self, sweeps: bool) -> None:
        self.waits += 1
        self.model.now += timedelta(hours=HOURS)
        if not sweeps:
            return
        offers.expire_offers(now=self.now)
        for number in THINGS:
            live = self.model.things[number].live
            late = [
                person
                for person, seat in live.items()
                if seat.status == "offered" and seat.until is not None and seat.until <= self.now
            ]
            for person in late:
                self.model.leave(number, person)
            if late:
                self.model.promote(number)

    @rule(which=picks, number=things)
    def moves_to_the_top(self, which: int, number: int) -> None:
        line = self.model.things[number].line
        if (person := self.model.pick(number, which, "waitlisted")) is None:
            return
        registration = self.of(number, person)
        try:
            queueing.move_to_top(registration_id=registration.pk, by=actors.SYSTEM, now=self.now, reason="A mistake")
        except queueing.NotWaiting:
            assert person not in line
        except queueing.FirstAlready:
            assert line[0] == person
        else:
            line.remove(person)
            line.insert(0, person)

    @rule()
    def the_sweep_finds_nothing_to_do(self) -> None:
        assert services.promote_into_free_places(now=self.now) == 0

    # --- what must hold after every step

    @invariant()
    def both_sides_are_the_same(self) -> None:
        for number in THINGS:
            thing = self.model.things[number]
            rows = Registration.objects.live().filter(admission=self.admissions[number])
            found = {
                int(name.split()[1]): (status, bool(reserve) and released is None)
                for name, status, reserve, released in rows.values_list(
                    "participant__display_name", "status", "reserve", "reserve__released_at"
                )
            }
            assert found == {person: (seat.status, seat.kept is not None) for person, seat in thing.live.items()}
            line = rows.in_waiting_order().values_list("participant__display_name", flat=True)
            assert [int(name.split()[1]) for name in line] == thing.line
            places = Places.objects.get(pk=self.admissions[number].pk)
            assert (places.capacity, places.taken, places.waiting, places.held) == (
                thing.capacity,
                thing.taken(),
                len(thing.line),
                thing.held(),
            )

    @invariant()
    def whoever_moved_up_is_told(self) -> None:
        told = set(Message.objects.filter(topic="registration.status").values_list("about_id", "about_version"))
        moved = Registration.objects.filter(promoted_at__isnull=False).values_list("public_id", "version")
        assert set(moved) <= told


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_seats_do_what_the_model_says() -> None:
    more = int(os.environ.get("SEAT_MACHINE_EXAMPLES", "0"))
    run_state_machine_as_test(
        SeatMachine,
        settings=settings(
            max_examples=more or 12,
            stateful_step_count=30,
            derandomize=not more,
            database=None,
            phases=tuple(Phase) if more else (Phase.generate,),  # making a failure small takes minutes
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
