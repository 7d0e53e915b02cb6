"""Copies: a session beside itself, and a whole edition as the start of the next.

What happened is never copied: no consents, registrations or places taken, no reports, recordings, results, papers or
references. What was taken down stays behind, with all that belongs to it: a copy would be the same texts under another
id, which no removal knows of. Apps above this one copy what is theirs: they register a part in AppConfig.ready, as with
the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.db import models, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alliance.exceptions import DomainError
from alliance.languages import Translations
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    Convenorship,
    Segment,
    Session,
    SessionState,
    TextSection,
)
from events.models.conference import is_near
from events.models.session import SessionQuerySet

M = TypeVar("M", bound=models.Model)

# What is true of one edition only. Fields that the database fills (calendar numbers, public ids) are left out anyway.
OF_ONE_CONFERENCE = (
    "title_aliases", "anniversaries", "livestream_url", "is_livestreamed", "event_page_url", "archive_text", "report",
    "internal_note",
)  # fmt: skip
OF_ONE_SESSION = (
    "summary", "call_to_action", "takeaway_kind", "takeaway_count", "takeaway_note", "registration_url",
    "registration_url_is_broken", "archive_text", "internal_note",
)  # fmt: skip
OF_ONE_CONVENORSHIP = ("source", "internal_note")


class NoFirstDay(DomainError):
    """Dates can only move by the difference of two first days."""

    code = "first_day_unknown"
    message = _("The first day of this edition is not known, so its dates cannot be moved. Enter it first.")


class TooFarAway(DomainError):
    """No meeting is in that year."""

    code = "too_far_away"
    message = _("Look at the year: it must be from 1900 to 2199.")


@dataclass(frozen=True, slots=True)
class Copying:
    """A copy in the making: what stands for what. Keys are those of the source; what is not among them stays behind."""

    source: Conference
    target: Conference
    shift: timedelta
    sessions: dict[int, Session] = field(default_factory=dict)
    segments: dict[int, Segment] = field(default_factory=dict)

    def moved(self, instant: datetime | None) -> datetime | None:
        """The instant as many days later, at the same time on the venue's clock."""
        return None if instant is None else same_clock(instant, self.target.zone, self.shift)


@dataclass(frozen=True, slots=True)
class Part:
    """What an app copies. count: how many rows of the conference there are to copy, for the preview; without those of
    sessions that stay behind (to_copy).

    of_sessions: whether it belongs to sessions, so that it comes along when one session is duplicated.
    """

    label: str | Promise
    order: int
    count: Callable[[Conference], int]
    copy: Callable[[Copying], None]
    of_sessions: bool = False


_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    """Let an app copy what is its own. To be called in AppConfig.ready; names are given once."""
    if name in _parts and _parts[name].copy is not part.copy:
        raise ValueError(f"the part {name} is registered already")
    _parts[name] = part


def parts() -> list[Part]:
    """What the apps copy, in their order."""
    return sorted(_parts.values(), key=lambda part: part.order)


def same_clock(instant: datetime, zone: ZoneInfo, shift: timedelta) -> datetime:
    """The instant some days later at the same time on the clock of the zone, over changes of summer time too.

    A time that the new day skips becomes the one that clocks show instead, an hour later.
    """
    local = instant.astimezone(zone)
    return (local.replace(tzinfo=None) + shift).replace(tzinfo=zone).astimezone(UTC)


def to_copy(conference: Conference) -> SessionQuerySet:
    """The sessions that come along: all but those that were taken down."""
    return Session.objects.filter(conference=conference, taken_down_at=None)


def copy_of(row: M, *, without: Iterable[str] = (), **values: object) -> M:
    """An unsaved copy of a row. without: fields that start empty. values: fields that differ.

    Public ids, stamps and what the database keeps by itself are made anew.
    """
    new = type(row)()
    for column in row._meta.concrete_fields:
        is_own = column.primary_key or column.unique or getattr(column, "auto_now", False) or column.has_db_default()
        if not is_own and column.name not in without:
            setattr(new, column.attname, getattr(row, column.attname))
    for name, value in values.items():
        setattr(new, name, value)
    return new


# --- the next edition -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Preview:
    """What a copy would hold. counts: label and number. days: number, old and new date."""

    counts: list[tuple[str | Promise, int]]
    days: list[tuple[int, date, date]]
    starts_on: date
    ends_on: date


def shift_to(source: Conference, starts_on: date) -> timedelta:
    """By how many days everything moves. Raises NoFirstDay and TooFarAway."""
    if source.starts_on is None:
        raise NoFirstDay
    if not is_near(starts_on):
        raise TooFarAway
    return starts_on - source.starts_on


def preview(source: Conference, *, starts_on: date) -> Preview:
    """What clone() would copy, without copying. Raises NoFirstDay and TooFarAway."""
    shift = shift_to(source, starts_on)
    sessions = to_copy(source)
    within = {"session__in": sessions}
    counts: list[tuple[str | Promise, int]] = [
        (_("Days"), source.days.count()),
        (_("Sessions and side events"), sessions.count()),
        (_("Segments"), Segment.objects.filter(**within).count()),
        (_("Convenors"), Convenorship.objects.filter(**within).count()),
        (_("Texts"), TextSection.objects.filter(**within).count()),
    ]
    counts += [(part.label, part.count(source)) for part in parts()]
    if left := source.sessions.count() - sessions.count():
        counts.append((_("Sessions that were taken down and stay behind"), left))
    days = [(day.number, day.date, day.date + shift) for day in source.days.order_by("number")]
    return Preview(counts, days, starts_on, (source.ends_on or starts_on - shift) + shift)


@transaction.atomic
def clone(
    *, conference_id: int, slug: str, edition: int | None, starts_on: date, title: Translations | None = None
) -> Conference:
    """Make the next edition from a conference: all or nothing, everything in draft.

    All dates move by the difference of the first days; times stay what they were on the venue's clock. Rooms, bodies,
    convenors and persons are the same rows. title: None keeps the title. Raises NoFirstDay and TooFarAway; what the
    database refuses (an address or edition that is taken) comes as its IntegrityError.
    """
    source = Conference.objects.select_for_update(no_key=True).get(pk=conference_id)
    shift = shift_to(source, starts_on)
    target = copy_of(
        source,
        without=OF_ONE_CONFERENCE,
        slug=slug,
        edition=edition,
        starts_on=starts_on,
        ends_on=None if source.ends_on is None else source.ends_on + shift,
        state=ConferenceState.DRAFT,
    )
    if title:
        target.title = title
    target.save(force_insert=True)
    days = {day.pk: copy_of(day, without=["label_printed"], conference=target) for day in source.days.all()}
    for day in days.values():
        day.date += shift  # the printed label names the old date, so it starts empty
    ConferenceDay.objects.bulk_create(days.values())
    copying = Copying(source, target, shift)
    for session in to_copy(source).in_programme_order():
        copying.sessions[session.pk] = copy_of(
            session,
            without=OF_ONE_SESSION,
            conference=target,
            day=days.get(session.day_id) if session.day_id is not None else None,
            slug=session.slug,
            starts_at=copying.moved(session.starts_at),
            ends_at=copying.moved(session.ends_at),
            state=SessionState.DRAFT,
        )
    Session.objects.bulk_create(copying.sessions.values())
    copy_session_rows(copying)
    for part in parts():
        part.copy(copying)
    return target


def copy_session_rows(copying: Copying) -> None:
    """Segments, convenors and texts of the sessions of the copy, which must be saved."""
    for segment in Segment.objects.filter(session__in=copying.sessions).order_by("pk"):
        copying.segments[segment.pk] = copy_of(
            segment,
            session=copying.sessions[segment.session_id],
            starts_at=copying.moved(segment.starts_at),
            ends_at=copying.moved(segment.ends_at),
        )
    Segment.objects.bulk_create(copying.segments.values())
    Convenorship.objects.bulk_create(
        copy_of(row, without=OF_ONE_CONVENORSHIP, session=copying.sessions[row.session_id])
        for row in Convenorship.objects.filter(session__in=copying.sessions).order_by("pk")
    )
    TextSection.objects.bulk_create(
        copy_of(row, session=copying.sessions[row.session_id])
        for row in TextSection.objects.filter(session__in=copying.sessions).order_by("pk")
    )
