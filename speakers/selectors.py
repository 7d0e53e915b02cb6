"""The public list of speakers and what each of them contributes, in printed order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet

from alliance.db import each_table_once, one_of
from events.models import Conference, Session
from events.models.session import session_end
from events.selectors import Footnotes, SpeakerLine, speaker_line
from speakers.models import Contribution, ContributionQuerySet, Person


@dataclass(frozen=True, slots=True)
class Appearance:
    """A contribution in its session."""

    session: Session
    is_over: bool
    line: SpeakerLine


@dataclass(frozen=True, slots=True)
class Speaker:
    """A person with everything they contribute, in printed order; the first line words who they are."""

    person: Person
    appearances: list[Appearance]

    @property
    def first(self) -> SpeakerLine:
        """The line that introduces the person."""
        return self.appearances[0].line


def public(now: datetime) -> ContributionQuerySet:
    """Contributions of persons that strangers may see at the instant, in printed order, with what their lines print."""
    return (
        Contribution.objects.visible_at(now)
        .filter(one_of("session", Session.objects.public().values("pk")), person__isnull=False)
        .annotate(over_at=session_end("session__"))
        .select_related("person", "organisation", "country", "session__conference__venue", "session__day")
        .order_by(
            "session__conference__starts_on",
            "session__conference_id",
            F("session__day__number").asc(nulls_last=True),
            "session__position",
            "session_id",
            F("segment__position").asc(nulls_last=True),
            "position",
            "pk",
        )
    )


def by_person(rows: QuerySet[Any], *, now: datetime, footnotes: Footnotes) -> list[Speaker]:
    """Rows of public(), person by person in the order of their first."""
    found: dict[int, Speaker] = {}
    for row in rows:
        speaker = found.setdefault(row.person.pk, Speaker(row.person, []))
        line = speaker_line(row, role=row.get_role_display(), footnotes=footnotes)
        speaker.appearances.append(Appearance(row.session, row.over_at is not None and row.over_at <= now, line))
    return list(found.values())


@each_table_once()
def speakers(conference: Conference, *, now: datetime, footnotes: Footnotes) -> list[Speaker]:
    """Everybody who speaks at the conference, by first appearance in the programme; never by the alphabet."""
    return by_person(public(now).filter(session__conference=conference), now=now, footnotes=footnotes)


def person(public_id: UUID, *, now: datetime, footnotes: Footnotes) -> Speaker:
    """One person with everything they contribute, conference by conference.

    Raises Person.DoesNotExist for somebody hidden, unknown, or without anything that may be shown at the instant.
    """
    rows = public(now).filter(person__public_id=public_id).prefetch_related("other_organisations")
    found = by_person(rows, now=now, footnotes=footnotes)
    if not found:
        raise Person.DoesNotExist
    return found[0]
