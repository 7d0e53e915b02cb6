"""Conferences that strangers may see: the list of them, the page of one, and what all pages of one share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alliance.languages import Translations, translations
from events import facts
from events.models import Conference, ConferenceDay, ConferenceState, Material, Session
from events.selectors.lines import Footnotes


@dataclass(frozen=True, slots=True)
class ConferenceList:
    """Conferences that strangers may see: those to come, soonest first, and those past, latest first."""

    coming: list[Conference]
    past: list[Conference]


def conference_list(*, now: datetime) -> ConferenceList:
    """All public conferences. One without a date, or still under way, has not passed."""
    coming: list[Conference] = []
    past: list[Conference] = []
    for conference in Conference.objects.public().newest_first().select_related("series", "venue__country"):
        over = conference.ends_at is not None and conference.ends_at <= now
        (past if over else coming).append(conference)
    return ConferenceList(coming[::-1], past)


_OFFICES = 5  # conferences whose office the accessibility statement names


def offices() -> list[Conference]:
    """The newest public conferences that name an address to write to, each address once."""
    found: dict[str, Conference] = {}
    for conference in Conference.objects.public().exclude(contact_email="").newest_first():
        found.setdefault(conference.contact_email, conference)
        if len(found) == _OFFICES:
            break
    return list(found.values())


def public_conference(slug: str) -> Conference:
    """A public conference with everything its pages name. Raises Conference.DoesNotExist for strangers' guesses."""
    return (
        Conference.objects.public()
        .select_related("series", "venue__country", "organiser", "chairmanship")
        .defer("internal_note", "report", "archive_text")
        .get(slug=slug)
    )


def is_registration_open(conference: Any, *, now: datetime) -> bool:
    """Whether somebody may register for the conference or for any of its sessions at the instant."""
    if conference.state in (ConferenceState.CANCELLED, ConferenceState.ARCHIVED):
        return False
    return any(admission.is_open(now) for admission in conference.admissions.select_related("session"))


@dataclass(frozen=True, slots=True)
class ConferencePage:
    """Everything the page of one conference prints beside its own facts."""

    days: list[tuple[ConferenceDay | None, list[Session]]]
    side_events: list[Session]
    materials: list[tuple[str, list[Material]]]  # by heading
    references: list[Any]
    figures: list[Any]  # registration.models.Figure, which stands above us
    has_released_figures: bool
    anniversaries: list[Translations]
    footnotes: Footnotes
    venue_mark: int | None


def conference_page(conference: Conference, *, now: datetime) -> ConferencePage:
    """The outline of the programme, the side events and the papers of a conference."""
    by_day: dict[ConferenceDay | None, list[Session]] = {day: [] for day in conference.days.order_by("number")}
    sessions = list(conference.sessions.public().select_related("day").in_programme_order())
    for session in sessions:
        session.conference = conference
        if session.is_in_agenda:
            by_day.setdefault(session.day, []).append(session)
    materials = list(conference.materials.filter(session=None).visible_at(now).order_by("position", "pk"))
    footnotes = Footnotes()
    mark = None
    if conference.venue is not None:
        mark = footnotes.mark("venue", conference.venue.footnote) or footnotes.mark_country(conference.venue.country)
    return ConferencePage(
        days=list(by_day.items()),
        side_events=[session for session in sessions if session.is_side_event],
        materials=facts.by_kind(materials),
        references=list(facts.cited(conference.references.filter(session=None))),
        figures=facts.figures(conference),
        has_released_figures=facts.has_released_figures(conference),
        anniversaries=[translations(text) for text in conference.anniversaries if isinstance(text, str | dict)],
        footnotes=footnotes,
        venue_mark=mark,
    )
