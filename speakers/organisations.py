"""Pages of organisations: what a body convened and who spoke for it, conference by conference.

Nobody under a pseudonym is found by a body, and a name that we made ourselves is not printed beside a person
(docs/design.md section 4.6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.utils.translation import gettext as _

from alliance.db import each_table_once
from events.models import Conference, ConvenorRelation, Convenorship, Organisation, Session
from events.models.session import session_end
from events.selectors import Footnotes
from speakers import selectors
from speakers.models import ContributionQuerySet
from speakers.selectors import Speaker


@dataclass(frozen=True, slots=True)
class Convened:
    """A session and how the body stands to it."""

    session: Session
    relation: str
    is_over: bool


@dataclass(slots=True)
class AtConference:
    """What a body did at one conference."""

    conference: Conference
    roles: list[str] = field(default_factory=list)  # organiser, Chairmanship
    convened: list[Convened] = field(default_factory=list)
    speakers: list[Speaker] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrganisationPage:
    """A body with all that is public of it, latest conference first."""

    organisation: Organisation
    conferences: list[AtConference]


def _spoken_for(now: datetime) -> ContributionQuerySet:
    return selectors.public(now).under_their_own_name()


def organisation(public_id: UUID, *, now: datetime, footnotes: Footnotes) -> OrganisationPage:
    """One body: 4 queries whatever the size. Raises Organisation.DoesNotExist where nothing of it may be shown."""
    body = Organisation.objects.select_related("part_of", "country").get(public_id=public_id)
    found: dict[int, AtConference] = {}

    def at(conference: Conference) -> AtConference:
        return found.setdefault(conference.pk, AtConference(conference))

    held = Conference.objects.public().filter(Q(organiser=body) | Q(chairmanship=body)).select_related("venue")
    for conference in held:
        if conference.organiser_id == body.pk:
            at(conference).roles.append(_("Organiser"))
        if conference.chairmanship_id == body.pk:
            at(conference).roles.append(_("Chairmanship"))
    convened = (
        Convenorship.objects.filter(Q(organisation=body) | Q(with_unit=body), session__in=Session.objects.public())
        .annotate(over_at=session_end("session__"))
        .select_related("session__conference__venue", "session__day")
        .order_by(F("session__day__number").asc(nulls_last=True), "session__position", "session_id", "position", "pk")
    )
    for row in convened:
        here = at(row.session.conference)
        if all(other.session.pk != row.session.pk for other in here.convened):
            is_over = row.over_at is not None and row.over_at <= now
            here.convened.append(Convened(row.session, str(ConvenorRelation(row.relation).label), is_over))
    if not body.is_name_derived:
        through = body.contributions.model.other_organisations.through
        also = through.objects.filter(organisation=body).values("contribution")
        rows = _spoken_for(now).filter(Q(organisation=body) | Q(pk__in=also))
        for speaker in selectors.by_person(rows, now=now, footnotes=footnotes):
            for appearances in _by_conference(speaker).values():
                at(appearances[0].session.conference).speakers.append(Speaker(speaker.person, appearances))
    if not found:
        raise Organisation.DoesNotExist
    return OrganisationPage(body, sorted(found.values(), key=_latest_first))


def _by_conference(speaker: Speaker) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for appearance in speaker.appearances:
        found.setdefault(appearance.session.conference_id, []).append(appearance)
    return found


def _latest_first(row: AtConference) -> tuple[bool, int, int]:
    starts_on = row.conference.starts_on
    return (starts_on is None, -starts_on.toordinal() if starts_on else 0, -row.conference.pk)


@dataclass(frozen=True, slots=True)
class TakesPart:
    """A body and the sessions of a conference that it convenes or that somebody speaks at for it."""

    organisation: Organisation
    sessions: list[Session]


@each_table_once()
def organisations(conference: Conference, *, now: datetime) -> list[TakesPart]:
    """The bodies that take part in a conference, by first appearance in the programme; never by the alphabet."""
    found: dict[int, TakesPart] = {}
    places: dict[int, tuple[Any, ...]] = {}

    def add(body: Organisation, session: Session) -> None:
        session.conference = conference
        day = session.day.number if session.day else 10**6
        place = (day, session.position, session.pk)
        row = found.setdefault(body.pk, TakesPart(body, []))
        places[body.pk] = min(places.get(body.pk, place), place)
        if all(other.pk != session.pk for other in row.sessions):
            row.sessions.append(session)

    order = (F("session__day__number").asc(nulls_last=True), "session__position", "session_id", "position", "pk")
    sessions = conference.sessions.public()
    links = Convenorship.objects.filter(session__in=sessions).select_related("organisation", "session__day")
    for link in links.order_by(*order):
        add(link.organisation, link.session)
    for row in _spoken_for(now).filter(session__in=sessions).prefetch_related("other_organisations"):
        for body in [row.organisation, *row.further_organisations()]:
            if body is not None and not body.is_name_derived:
                add(body, row.session)
    return [found[key] for key in sorted(found, key=lambda key: places[key])]
