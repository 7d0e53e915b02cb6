"""The public programme as pages print it: what may be shown now, in printed order, in a constant number of queries.

Contributions and admissions are reached through their relations to sessions and conferences, because speakers and
registration import events and not the other way round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from django.db import models
from django.db.models import F, Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy

from alliance.languages import Translations, translations
from events import choices, facts
from events import results as outcomes
from events import timeline as timelines
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    ConvenorRelation,
    Convenorship,
    Country,
    Material,
    Reference,
    RegistrationMode,
    Segment,
    SegmentKind,
    Session,
    SessionKind,
    SessionState,
    TextSection,
)
from events.models.session import session_end

Contribution: TypeAlias = Any  # speakers.models.Contribution, which stands above us

# Roles that need no word of their own, because the printed heading of the block says it already.
_SAID_BY_HEADING = {
    SegmentKind.WELCOMING_REMARKS: {"welcoming_remarks"},
    SegmentKind.OPENING_REMARKS: {"opening_remarks"},
    SegmentKind.KEYNOTE_ADDRESSES: {"keynote"},
    SegmentKind.PRESENTATION: {"presentation"},
    SegmentKind.PANEL: {"panel_presentation", "contribution"},
    SegmentKind.TESTIMONY: {"testimony"},
    SegmentKind.VIDEO_MESSAGE: {"video_message"},
    SegmentKind.CLOSING_REMARKS: {"closing_remarks"},
}


# --- footnotes ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Footnotes:
    """The notes at the foot of a page, each generated once: changed names, and what must stand by a country's name."""

    has_pseudonyms: bool = False
    places: dict[str, tuple[int, Translations]] = field(default_factory=dict)  # key: (number, text)

    def mark_country(self, country: Country | None) -> int | None:
        """The number of the country's footnote on this page; None where it has none."""
        if country is None or not country.footnote:
            return None
        return self.mark(country.iso2, country.footnote)

    def mark(self, key: str, text: Translations) -> int | None:
        """The number of a footnote on this page; None for an empty text."""
        if not text:
            return None
        if key not in self.places:
            self.places[key] = (len(self.places) + 1, text)
        return self.places[key][0]

    def __bool__(self) -> bool:
        return self.has_pseudonyms or bool(self.places)


# --- speakers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeakerLine:
    """One line of the programme: who speaks, as approved for this occasion."""

    contribution: Contribution
    role: Translations | str  # what is printed before the name; empty where the heading says it
    country_mark: int | None

    @property
    def is_unnamed(self) -> bool:
        """Whether the seat has no name yet."""
        return self.contribution.person_id is None

    @property
    def role_title(self) -> Translations | str:
        """The approved title; nothing where an unnamed seat would only repeat its label."""
        wording = self.contribution.wording
        return "" if self.is_unnamed and wording.role_title == wording.unnamed_label else wording.role_title


def speaker_line(contribution: Contribution, *, role: Translations | str, footnotes: Footnotes) -> SpeakerLine:
    """A contribution ready to print; notes the footnotes that it needs."""
    if contribution.is_under_pseudonym:
        footnotes.has_pseudonyms = True
    return SpeakerLine(contribution, role, footnotes.mark_country(contribution.wording.country))


def role_under_heading(contribution: Contribution, segment: Segment | None) -> Translations | str:
    """The role as it stands before a name in the programme; empty where the heading of the block says it already."""
    printed = contribution.wording.heading
    if printed:
        return "" if segment is not None and str(printed) == str(segment.heading) else printed
    said = _SAID_BY_HEADING.get(SegmentKind(segment.kind), set()) if segment is not None else set()
    return "" if contribution.role == "speaker" or contribution.role in said else contribution.get_role_display()


@dataclass(frozen=True, slots=True)
class SegmentBlock:
    """A block of a session with its heading and its lines. segment is None for lines that stand in no block."""

    segment: Segment | None
    heading: Translations | str
    lines: list[SpeakerLine]


@dataclass(frozen=True, slots=True)
class ConvenorGroup:
    """Bodies with the same relation to a session, in printed order."""

    label: str
    convenorships: list[Convenorship]


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session with everything the programme prints of it."""

    session: Session
    blocks: list[SegmentBlock]
    convenors: list[ConvenorGroup]
    is_over: bool


def _related(model: Any, name: str) -> Any:
    """The manager of the model at the other end of a reverse relation."""
    return model._meta.get_field(name).related_model._default_manager


# What lines of the programme print. Naming the columns saves a third of the work of a cold page.
_PRINTED = [
    "session_id",
    "segment_id",
    "agenda_position",
    "unnamed_label",
    "role",
    "heading_printed",
    "status",
    "honorific",
    "name_printed",
    "post_nominals",
    "role_title",
    "country_meaning",
    "topic",
    "delivery",
    "took_part",
    "is_announced",
    "person__public_id",
    "person__display_name",
    "person__is_pseudonym",
    "organisation__name",
    "organisation__abbreviation",
    "organisation__aliases",
    "organisation__is_name_derived",
    "country__iso2",
    "country__name",
    "country__footnote",
]


_PRINTED_OF_CONVENORS = [
    "session_id",
    "relation",
    "position",
    "organisation__name",
    "organisation__public_id",
    "with_unit__name",
]


def _contributions(now: datetime, *, with_all_organisations: bool) -> QuerySet[Any]:
    rows: QuerySet[Any] = (
        _related(Session, "contributions")
        .visible_at(now)
        .select_related("person", "organisation", "country")
        .only(*_PRINTED)
        .order_by(F("segment__position").asc(nulls_last=True), "position", "pk")
    )
    return rows.prefetch_related("other_organisations") if with_all_organisations else rows


def _entries(
    sessions: QuerySet[Session], *, now: datetime, footnotes: Footnotes, with_all_organisations: bool = False
) -> list[SessionEntry]:
    rows: QuerySet[Any] = (
        sessions.annotate(over_at=session_end())
        .select_related("day", "room")
        .defer("internal_note", "archive_text")
        .prefetch_related(
            Prefetch("segments", Segment.objects.visible_at(now).order_by("position", "pk")),
            Prefetch("contributions", _contributions(now, with_all_organisations=with_all_organisations)),
            Prefetch(
                "convenorships",
                Convenorship.objects.select_related("organisation", "with_unit")
                .only(*_PRINTED_OF_CONVENORS)
                .order_by("position", "pk"),
            ),
        )
    )
    return [
        SessionEntry(
            session=session,
            blocks=_blocks(session, footnotes),
            convenors=_convenor_groups(session.convenorships.all()),
            is_over=session.over_at is not None and session.over_at <= now,
        )
        for session in rows
    ]


def _texts() -> Prefetch[Any]:
    return Prefetch("text_sections", TextSection.objects.order_by("position", "pk"))


def _blocks(session: Any, footnotes: Footnotes) -> list[SegmentBlock]:
    by_segment: dict[int | None, list[Contribution]] = {}
    for contribution in session.contributions.all():
        by_segment.setdefault(contribution.segment_id, []).append(contribution)
    blocks = []
    for segment in [*session.segments.all(), None]:
        heading = segment.heading if segment else Translations()
        lines = [
            speaker_line(contribution, role=role_under_heading(contribution, segment), footnotes=footnotes)
            for contribution in by_segment.get(segment.pk if segment else None, [])
        ]
        if segment is not None:
            blocks.append(SegmentBlock(segment, heading or segment.get_kind_display(), lines))
        elif lines:
            blocks.append(SegmentBlock(None, "", lines))
    return blocks


def _convenor_groups(convenorships: Iterable[Convenorship]) -> list[ConvenorGroup]:
    by_relation: dict[str, list[Convenorship]] = {}
    for convenorship in convenorships:
        by_relation.setdefault(convenorship.relation, []).append(convenorship)
    return [
        ConvenorGroup(str(ConvenorRelation(relation).label), by_relation[relation])
        for relation in ConvenorRelation.values
        if relation in by_relation
    ]


# --- conferences ----------------------------------------------------------------------------------------------------


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


# --- the programme --------------------------------------------------------------------------------------------------


class Show(models.TextChoices):
    """A choice of programme items."""

    SESSIONS = "sessions", gettext_lazy("Sessions")
    SIDE_EVENTS = "side-events", gettext_lazy("Side events")


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the programme; day is None for items whose day is not known."""

    day: ConferenceDay | None
    entries: list[SessionEntry]
    timeline: timelines.Timeline | None = None  # only where items run in parallel


@dataclass(frozen=True, slots=True)
class Programme:
    """The programme of a conference, or one day of it."""

    days: list[Day]
    all_days: list[ConferenceDay]
    footnotes: Footnotes
    has_choice: bool  # whether it is worth offering only the sessions or only the side events
    choices: choices.Choices

    @property
    def item_count(self) -> int:
        """How many sessions and side events are shown."""
        return sum(len(day.entries) for day in self.days)


def programme(
    conference: Conference,
    *,
    now: datetime,
    number: int | None = None,
    show: Show | None = None,
    wanted: Mapping[str, str] | None = None,
    with_texts: bool = False,
) -> Programme:
    """Days, sessions, blocks and speakers in printed order: 5 queries whatever the size.

    number: one day only. show: only sessions of the conference itself, or only side events. wanted: filters by name
    (events.choices.NAMES); what the programme does not have is left out. with_texts: also the texts, references and
    further organisations that a document prints, for 3 more queries. Raises ConferenceDay.DoesNotExist for a day the
    conference does not have.
    """
    all_days = list(choices.with_options(conference.days.order_by("number"), conference))
    filters = choices.choices(all_days, conference, wanted or {}, number=number)
    footnotes = Footnotes()
    sessions: QuerySet[Session] = conference.sessions.public().filter(is_in_agenda=True).in_programme_order()
    shown: list[ConferenceDay] = all_days
    if number is not None:
        shown = [day for day in all_days if day.number == number]
        if not shown:
            raise ConferenceDay.DoesNotExist
        sessions = sessions.filter(day=shown[0])
    if show is not None:
        is_side_event = Q(kind=SessionKind.SIDE_EVENT)
        sessions = sessions.filter(is_side_event if show == Show.SIDE_EVENTS else ~is_side_event)
    sessions = choices.narrowed(sessions, conference, filters.chosen)
    entries: dict[int | None, list[SessionEntry]] = {}
    has_choice = show is not None or bool(filters.chosen)
    if with_texts:
        sessions = sessions.prefetch_related(_texts(), Prefetch("references", facts.cited(Reference.objects.all())))
    for entry in _entries(sessions, now=now, footnotes=footnotes, with_all_organisations=with_texts):
        entry.session.conference = conference
        has_choice = has_choice or entry.session.is_side_event
        entries.setdefault(entry.session.day_id, []).append(entry)
    days = [
        Day(day, (found := entries.get(day.pk, [])), timelines.timeline([entry.session for entry in found], conference))
        for day in shown
        if day.pk in entries or number or not filters.chosen
    ]
    if None in entries:
        days.append(Day(None, entries[None]))
    return Programme(days, all_days, footnotes, has_choice, filters)


@dataclass(frozen=True, slots=True)
class SessionPage:
    """Everything the page of one session prints."""

    entry: SessionEntry
    footnotes: Footnotes
    materials: list[tuple[str, list[Material]]]  # by heading
    references: list[Any]
    results: list[outcomes.Group]
    is_registration_open: bool

    @property
    def session(self) -> Session:
        """The session itself."""
        return self.entry.session

    @property
    def results_note(self) -> Translations:
        """What is printed below results."""
        return outcomes.disclaimer(self.session.conference)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.entry.is_over

    @property
    def is_external(self) -> bool:
        """Whether people sign up with another body, outside our house."""
        return self.session.has_external_registration

    @property
    def has_own_form(self) -> bool:
        """Whether people sign up with our own form, alone or together with the conference."""
        return self.session.registration_mode in (RegistrationMode.OWN_FORM, RegistrationMode.WITH_CONFERENCE)


def session_page(conference: Conference, slug: str, *, now: datetime) -> SessionPage:
    """One session of a conference. Raises Session.DoesNotExist for drafts and for what strangers may not see.

    Papers and videos marked "after" wait for the end of the session. References without a citation and the notes of
    organisers are left out.
    """
    footnotes = Footnotes()
    found = conference.sessions.public().filter(slug=slug)
    entries = _entries(
        found.prefetch_related(_texts()),
        now=now,
        footnotes=footnotes,
        with_all_organisations=True,
    )
    if not entries:
        raise Session.DoesNotExist
    entry = entries[0]
    session: Any = entry.session
    session.conference = conference
    materials = list(session.materials.visible_at(now).order_by("position", "pk"))
    return SessionPage(
        entry=entry,
        footnotes=footnotes,
        materials=facts.by_kind(materials),
        results=outcomes.public(session.recommendations.all(), now=now),
        references=list(facts.cited(session.references)),
        is_registration_open=session.state == SessionState.SCHEDULED
        and any(admission.is_open(now) for admission in session.admissions.select_related("conference", "session")),
    )


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
