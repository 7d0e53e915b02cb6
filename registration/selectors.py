"""What registration pages read: what is on offer, the countries in the reader's language, one's own choices."""

from __future__ import annotations

import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from events import page_cache
from events.models import (
    Conference,
    ConferenceState,
    Country,
    CountryStatus,
    Organisation,
    RegistrationMode,
    Session,
    SessionState,
)
from registration.letters import offer_words
from registration.models import (
    Admission,
    ApprovalMode,
    AttendanceMode,
    Participant,
    Places,
    Question,
    Registration,
    RegistrationStatus,
    Reserve,
)
from registration.models.registration import ENDED
from registration.seating import clashes, fallback

T = TypeVar("T")

_KEPT_SECONDS = 30.0  # the meeting behind an admission is read along, and a change of it raises no version
_MOST_KEPT = 200


class _Kept(Generic[T]):
    """Results in the memory of this process, keyed by the content version, so that a rush does not ask the database."""

    def __init__(self) -> None:
        self._results: OrderedDict[str, tuple[int, float, T]] = OrderedDict()

    def get(self, key: str, read: Callable[[], T | None]) -> T | None:
        """The kept result, or what read() gives; None is not kept."""
        # Asked before reading: a change in between makes the result look older than it is, never newer.
        version = page_cache.content_version()
        kept = self._results.get(key)
        if kept and kept[0] == version and time.monotonic() - kept[1] < _KEPT_SECONDS:
            return kept[2]
        result = read()
        if result is not None:
            self._results[key] = (version, time.monotonic(), result)
            while len(self._results) > _MOST_KEPT:
                self._results.popitem(last=False)
        return result

    def forget(self) -> None:
        """Empty it (for tests)."""
        self._results.clear()


# --- what is on offer -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Thing:
    """Something to attend: the conference as a whole (session is None) or one session, in one way or in several."""

    name: str  # of the form field
    session: Session | None
    admissions: tuple[Admission, ...]

    def open_admissions(self, now: datetime, named: frozenset[int] = frozenset()) -> tuple[Admission, ...]:
        """The ways that may be chosen at the instant. named: keys of admissions that somebody is invited to."""
        return tuple(
            admission
            for admission in self.admissions
            if (admission.is_open_to_invited(now) if admission.pk in named else admission.is_open(now))
        )

    def by_invitation(self, now: datetime) -> tuple[Admission, ...]:
        """The ways that only invited people may choose at the instant."""
        return tuple(
            admission
            for admission in self.admissions
            if admission.approval == ApprovalMode.INVITATION and admission.is_open_to_invited(now)
        )


@dataclass(frozen=True, slots=True)
class Offers:
    """All that can be registered for at a conference, in form order.

    elsewhere: side events with a form of another body.
    """

    conference: Conference
    things: tuple[Thing, ...]
    elsewhere: tuple[Session, ...]
    organisations: dict[str, int]  # primary key by every known spelling, of those an audience rule names
    questions: tuple[Question, ...] = ()  # of the organisers, with their options

    def is_open(self, now: datetime) -> bool:
        """Whether anything can be chosen at the instant."""
        return any(thing.open_admissions(now) for thing in self.things)

    def find(self, admission_id: str) -> tuple[Thing, Admission] | None:
        """The thing and the admission with that public id."""
        for thing in self.things:
            for admission in thing.admissions:
                if str(admission.public_id) == admission_id:
                    return thing, admission
        return None

    def organisation_id(self, text: str) -> int | None:
        """The organisation somebody means, when an audience rule names it and it is spelled in a way we know."""
        return self.organisations.get(_folded(text))


_offers: _Kept[Offers] = _Kept()


def offers(slug: str) -> Offers | None:
    """What a public conference offers; None when strangers may not know of the conference.

    Kept in memory while the public content stays the same, at most 30 seconds: do not change what it returns.
    """
    return _offers.get(slug, lambda: _read_offers(slug))


def _read_offers(slug: str) -> Offers | None:
    secret = [f"meeting__{name}" for name in ("address", "host_address", "passcode", "dial_in")]
    conference = (
        Conference.objects.public()
        .select_related("venue", "meeting", "consent_setting")
        .defer(*secret)
        .filter(slug=slug)
        .first()
    )
    if conference is None:
        return None
    admissions: list[Admission] = []
    if conference.state != ConferenceState.CANCELLED:
        admissions = list(
            Admission.objects.filter(conference=conference)
            .public()
            .with_meeting()
            .select_related("session__day")
            .prefetch_related("audience_organisations", Prefetch("reserves", Reserve.objects.holding()))
            .in_form_order()
        )
    by_session: dict[int | None, list[Admission]] = {}
    for admission in admissions:
        admission.conference = conference
        if admission.session is not None:
            admission.session.conference = conference
            if not _takes_our_form(admission.session, by_invitation=admission.approval == ApprovalMode.INVITATION):
                continue
        by_session.setdefault(admission.session_id, []).append(admission)
    things = tuple(
        Thing(f"attend-{ways[0].session.slug}" if ways[0].session else "attend", ways[0].session, tuple(ways))
        for ways in by_session.values()
    )
    elsewhere = (
        Session.objects.public()
        .filter(conference=conference, state=SessionState.SCHEDULED, registration_mode__startswith="external_")
        .exclude(registration_url="")
        .select_related("day")
        .in_programme_order()
    )
    for session in (found := tuple(elsewhere)):
        session.conference = conference
    return Offers(conference, things, found, _spellings(things), _questions(conference, things))


def _questions(conference: Conference, things: tuple[Thing, ...]) -> tuple[Question, ...]:
    """What the form asks; not what is asked about a session that is not on offer."""
    sessions = {thing.session.pk: thing.session for thing in things if thing.session is not None}
    found = []
    rows = Question.objects.filter(conference=conference, is_asked=True).prefetch_related("options")
    for question in rows.in_form_order():
        question.conference = conference
        if question.session_id is not None:
            if question.session_id not in sessions:
                continue
            question.session = sessions[question.session_id]
        found.append(question)
    return tuple(found)


def _takes_our_form(session: Session, *, by_invitation: bool) -> bool:
    """by_invitation: whether the admission is for invited people, who accept by our form."""
    modes = {RegistrationMode.OWN_FORM, RegistrationMode.WITH_CONFERENCE}
    if by_invitation:
        modes.add(RegistrationMode.INVITATION)
    return session.state == SessionState.SCHEDULED and session.registration_mode in modes


def _spellings(things: tuple[Thing, ...]) -> dict[str, int]:
    named: dict[int, Organisation] = {}
    for thing in things:
        for admission in thing.admissions:
            if admission.approval == ApprovalMode.AUDIENCE:
                named.update({organisation.pk: organisation for organisation in admission.audience_organisations.all()})
    return {
        _folded(spelling): organisation.pk
        for organisation in named.values()
        for spelling in (*organisation.name.values(), organisation.abbreviation, *organisation.aliases)
        if spelling
    }


def live_places(offered: Offers) -> dict[int, Places]:
    """The places of what is on offer as they stand now, by primary key of the admission. One query."""
    ids = [admission.pk for thing in offered.things for admission in thing.admissions]
    return {places.pk: places for places in Places.objects.filter(pk__in=ids)}


# --- countries --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CountryGroup:
    """Countries under one heading, as (ISO code, name)."""

    label: str
    countries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Countries:
    """All countries as a reader of one language finds them."""

    groups: tuple[CountryGroup, ...]
    by_code: dict[str, Country]


_countries: _Kept[Countries] = _Kept()


def countries() -> Countries:
    """All countries with their names in the active language: participating States in protocol order first, then the
    Partners likewise, then the others by name."""
    language = (get_language() or "en").split("-")[0]
    found = _countries.get(language, lambda: _read_countries(language))
    assert found is not None  # noqa: S101 - _read_countries always answers
    return found


def _read_countries(language: str) -> Countries:
    groups: dict[str, list[Country]] = {}
    every = list(Country.objects.in_protocol_order().only("iso2", "name", "status", "protocol_order"))
    for country in every:
        groups.setdefault(country.status, []).append(country)
    if others := groups.get(CountryStatus.OTHER):
        others.sort(key=lambda country: sort_key(country.name.best(language).text))
    labels = {
        CountryStatus.PARTICIPATING_STATE: _("Participating States"),
        CountryStatus.ASIAN_PARTNER: _("Asian Partners for Co-operation"),
        CountryStatus.MEDITERRANEAN_PARTNER: _("Mediterranean Partners for Co-operation"),
        CountryStatus.OTHER: _("Other countries"),
    }
    return Countries(
        groups=tuple(
            CountryGroup(label, tuple((c.iso2, c.name.best(language).text) for c in groups[status]))
            for status, label in labels.items()
            if status in groups
        ),
        by_code={country.iso2: country for country in every},
    )


def sort_key(name: str) -> tuple[str, str]:
    """Where readers look for a name: accents and capitals do not count, "Österreich" stands at O, "Ёлка" at Е."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return plain.casefold(), name


def _folded(text: str) -> str:
    """A spelling as it is compared: accents, capitals, dots and doubled blanks do not count."""
    return " ".join(sort_key(text)[0].replace(".", "").split())


# --- a participant's own page -----------------------------------------------------------------------------------------


def places_in_line(registrations: Iterable[Registration]) -> dict[int, int]:
    """The place in line, counted from 1, of those on a waiting list, by primary key. One query."""
    waiting = [one.pk for one in registrations if one.status == RegistrationStatus.WAITLISTED]
    if not waiting:
        return {}
    # By a subquery, so that only the part of the list before each is read (index registration_list_order).
    before = (
        Registration.objects.filter(
            admission=OuterRef("admission"), status=RegistrationStatus.WAITLISTED, position__lt=OuterRef("position")
        )
        .order_by()
        .values("admission")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = Registration.objects.filter(pk__in=waiting).annotate(before=Coalesce(Subquery(before), 0))
    return {pk: count + 1 for pk, count in rows.values_list("pk", "before")}


_NEAR = timedelta(hours=1)  # before the start: people look for the way in


@dataclass(frozen=True, slots=True)
class OwnChoice:
    """One choice on the personal page, as it stands at an instant. rank: place in line, on the waiting list only.

    in_the_way: what must be given up for a place that is offered. online: where to attend meanwhile.
    """

    registration: Registration
    rank: int | None
    now: datetime
    in_the_way: tuple[Registration, ...] = ()
    online: Admission | None = None

    @property
    def is_offered(self) -> bool:
        """Whether the participant may take an offered place now. The same rule as in services.offers."""
        expires_at = self.registration.offer_expires_at
        is_late = expires_at is not None and expires_at <= self.now
        return self.registration.status == RegistrationStatus.OFFERED and not is_late

    @property
    def told(self) -> str:
        """How it stands in a sentence, where there is one."""
        if self.rank:
            return offer_words.in_line(self.registration.admission, self.rank)
        if self.registration.status in ENDED:
            return offer_words.ended(self.registration)
        return ""

    @property
    def offered_until(self) -> str:
        """Until when an offered place may be taken, in words."""
        return offer_words.until(self.registration)

    @property
    def is_over(self) -> bool:
        """Whether what was chosen has ended."""
        return self.registration.admission.is_over(self.now)

    @property
    def can_cancel(self) -> bool:
        """Whether the participant may still cancel it."""
        return self.registration.may_become(RegistrationStatus.CANCELLED) and not self.is_over

    @property
    def _has_place(self) -> bool:
        """Whether somebody is expected there, and it is not over."""
        return (
            self.registration.status in {RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED} and not self.is_over
        )

    @property
    def can_join(self) -> bool:
        """Whether a join link belongs to it."""
        return self._has_place and self.registration.admission.mode == AttendanceMode.ONLINE

    @property
    def is_near(self) -> bool:
        """Whether going there is what the participant opens the page for: from an hour before the start."""
        starts_at = self.registration.admission.span[0]
        return self._has_place and starts_at is not None and starts_at - _NEAR <= self.now

    @property
    def soon(self) -> str:
        """What the clock says of something that is near: when it begins, or that it is on."""
        starts_at = self.registration.admission.span[0]
        if not self.is_near or starts_at is None:
            return ""
        if starts_at <= self.now:
            return _("It is on now.")
        minutes = max(1, round((starts_at - self.now).total_seconds() / 60))
        return ngettext("It begins in %(number)d minute.", "It begins in %(number)d minutes.", minutes) % {
            "number": minutes
        }


def own_choices(participant: Participant, *, now: datetime) -> list[OwnChoice]:
    """A participant's registrations in programme order, the newest for each admission.

    Two queries; more only for whom a place is offered, or who waits for a room.
    """
    newest: dict[int, Registration] = {}
    rows = Registration.objects.with_all().filter(participant=participant)
    for registration in rows.order_by("pk"):
        registration.participant = participant
        newest[registration.admission_id] = registration
    ranks = places_in_line(newest.values())
    in_the_way = clashes.of(one for one in newest.values() if one.status == RegistrationStatus.OFFERED)
    online = fallback.ways(newest.values(), now=now)

    def in_programme_order(registration: Registration) -> tuple[int, int, int]:
        session = registration.admission.session
        if session is None:
            return (-1, 0, registration.pk)
        return (session.day.number if session.day else 9999, session.position, registration.pk)

    return [
        OwnChoice(
            registration,
            ranks.get(registration.pk),
            now,
            tuple(in_the_way.get(registration.pk, ())),
            online.get(registration.pk),
        )
        for registration in sorted(newest.values(), key=in_programme_order)
    ]


def forget() -> None:
    """Empty the memory of this process (for tests)."""
    _offers.forget()
    _countries.forget()
