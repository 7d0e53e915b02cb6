"""The programme of a conference, day by day, or what of it fits a choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Prefetch, Q, QuerySet
from django.utils.translation import gettext_lazy

from events import choices, facts
from events import timeline as timelines
from events.models import Conference, ConferenceDay, Reference, Session, SessionKind
from events.selectors import entries as read
from events.selectors.entries import SessionEntry
from events.selectors.lines import Footnotes


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
        sessions = sessions.prefetch_related(read.texts(), Prefetch("references", facts.cited(Reference.objects.all())))
    for entry in read.entries(sessions, now=now, footnotes=footnotes, with_all_organisations=with_texts):
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
