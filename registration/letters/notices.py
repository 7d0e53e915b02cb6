"""Telling registered people what a release of the programme changes for them: one message per person and release."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

import outbox.services
from accounts.actors import SYSTEM, Actor
from events.models import RegistrationMode, Release, Session
from events.releases import publishing
from events.releases.changes import Change
from registration.letters import organiser_mails
from registration.models import Announcement, AnnouncementKind, Participant, Registration
from registration.models.registration import ENDED
from registration.services import announcements

TOPIC = "registration.programme_changed"
_AT_ONCE = 500

_ABOUT_SESSION = {
    "session_moved",
    "session_cancelled",
    "session_withdrawn",
    "session_reinstated",
    "session_platform",
    "session_room",
}
_ABOUT_CONFERENCE = {"conference_moved", "conference_cancelled", "conference_venue", "conference_format"}


def told(changes: Iterable[Change]) -> list[Change]:
    """The changes that registered people are told of: when, where, on which platform, and whether at all."""
    return [change for change in changes if change["kind"] in _ABOUT_SESSION | _ABOUT_CONFERENCE]


@dataclass(frozen=True, slots=True)
class _News:
    """What of a release is told. with_conference: the sessions of it that people come to with the conference."""

    conference_id: int
    changes: list[Change]
    with_conference: set[int]

    @property
    def registrations(self) -> QuerySet[Registration]:
        """The registrations concerned: those that still stand, of people who are not erased."""
        changed = {change["session"] for change in self.changes if "session" in change}
        fits = Q(admission__session__in=changed)
        if any("session" not in change for change in self.changes):
            fits |= Q(admission__conference=self.conference_id)
        elif self.with_conference:
            fits |= Q(admission__conference=self.conference_id, admission__session=None)
        return Registration.objects.filter(fits, participant__identity_key__isnull=False).exclude(status__in=ENDED)


def _news(release: Release) -> _News:
    """What is over when the release is made is no news."""
    conference = release.conference
    changes = told(release.changes)
    if conference.ends_at is not None and conference.ends_at <= release.made_at:
        changes = []
    ids = {change["session"] for change in changes if "session" in change}
    sessions = {
        key: (ends_at, mode)
        for key, ends_at, mode in Session.objects.filter(pk__in=ids).values_list("pk", "ends_at", "registration_mode")
    }
    changes = [
        change
        for change in changes
        if not _is_past(change, sessions.get(change.get("session", 0), (None, ""))[0], release.made_at)
    ]
    with_conference = {
        change["session"]
        for change in changes
        if "session" in change
        and not change.get("quiet")  # organisers' own, or by invitation: only for those registered for it
        and sessions.get(change["session"], (None, ""))[1] == RegistrationMode.WITH_CONFERENCE
    }
    return _News(conference.pk, changes, with_conference)


def concerned(release: Release) -> QuerySet[Registration]:
    """The registrations that still stand for what the release moved, cancelled or brought to another platform.

    Who comes to a session with the conference, without a registration of its own, is concerned by the registration for
    the conference.
    """
    return _news(release).registrations


def queue(release: Release) -> None:
    """Queue one message for everybody concerned, in the transaction that publishes.

    To more people than one organiser may write to alone they leave when a second one has released them.
    """
    found = _people(release)
    if announcements.needs_second(len(found)):
        announcements.wait_for_second(
            kind=AnnouncementKind.PROGRAMME,
            conference=release.conference,
            count=len(found),
            by=Actor.organiser(release.made_by) if release.made_by else SYSTEM,
            now=release.made_at,
            release=release,
        )
    else:
        _queue(release, found, key=f"programme:{release.public_id}:", now=release.made_at, due_at=release.made_at)


def _people(release: Release) -> list[UUID]:
    return list(concerned(release).order_by().values_list("participant__public_id", flat=True).distinct())


def _queue_released(announcement: Announcement, now: datetime) -> int:
    """A second organiser has agreed; until the letters are due they can be recalled."""
    release = announcement.release
    if release is None:
        return 0
    found = _people(release)
    _queue(release, found, key=organiser_mails.key_of(announcement), now=now, due_at=now + organiser_mails.RECALL_FOR)
    return len(found)


def _queue(release: Release, found: list[UUID], *, key: str, now: datetime, due_at: datetime) -> None:
    # In portions: one statement for ten thousand rows would leave the transaction, and who waits for it, idle too long.
    for start in range(0, len(found), _AT_ONCE):
        outbox.services.queue(
            outbox.services.message(
                topic=TOPIC,
                about_kind="participant",
                about_id=participant,
                key=f"{key}{participant}",
                now=now,
                due_at=due_at,
                order_key=f"participant:{participant}",
                details={"release": str(release.public_id)},
            )
            for participant in found[start : start + _AT_ONCE]
        )


def _is_past(change: Change, ends_at: datetime | None, now: datetime) -> bool:
    ends: list[datetime | None] = [ends_at]
    if change["kind"] == "session_moved":
        before = change["before"]["ends_at"]
        ends.append(datetime.fromisoformat(before) if before else None)
    return all(end is not None and end <= now for end in ends)


def of_participant(release: Release, participant: Participant) -> tuple[list[Registration], list[Change]]:
    """What of a release concerns one participant: their registrations that still stand, and the changes about these."""
    news = _news(release)
    mine = list(
        news.registrations.filter(participant=participant)
        .select_related("admission__session__day", "admission__session__room")
        .order_by("pk")
    )
    for registration in mine:
        registration.participant = participant
        registration.admission.conference = participant.conference  # with its venue, where the caller has read that
        if registration.admission.session is not None:
            registration.admission.session.conference = participant.conference
    sessions = {registration.admission.session_id for registration in mine}
    changes = [
        change
        for change in news.changes
        if "session" not in change
        or change["session"] in sessions
        or (None in sessions and change["session"] in news.with_conference)
    ]
    return mine, changes


def register() -> None:
    """Act whenever a programme is published. Called when the app is ready."""
    publishing.on_published(queue)
    announcements.register_house(AnnouncementKind.PROGRAMME, _queue_released)
