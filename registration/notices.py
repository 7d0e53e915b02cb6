"""Telling registered people what a release of the programme changes for them: one message per person and release."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

import outbox.services
from events.models import RegistrationMode, Release, Session
from events.releases import publishing
from events.releases.changes import Change
from registration.models import Participant, Registration
from registration.models.registration import ENDED

TOPIC = "registration.programme_changed"

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


def concerned(release: Release) -> QuerySet[Registration]:
    """The registrations that still stand for what the release moved, cancelled or brought to another platform.

    Who comes to a session with the conference, without a registration of its own, is concerned by the registration for
    the conference. What is over when the release is made concerns nobody.
    """
    conference = release.conference
    if conference.ends_at is not None and conference.ends_at <= release.made_at:
        return Registration.objects.none()
    sessions = dict(Session.objects.filter(conference=conference).in_bulk())
    changes = [change for change in told(release.changes) if not _is_past(change, sessions, release.made_at)]
    moved = {change["session"] for change in changes if "session" in change}
    with_conference = {
        key for key in moved if key in sessions and sessions[key].registration_mode == RegistrationMode.WITH_CONFERENCE
    }
    fits = Q(admission__session__in=moved)
    if with_conference or any(change["kind"] in _ABOUT_CONFERENCE for change in changes):
        fits |= Q(admission__conference=conference, admission__session=None)
    if any(change["kind"] in _ABOUT_CONFERENCE for change in changes):
        fits |= Q(admission__conference=conference)
    return Registration.objects.filter(fits, participant__identity_key__isnull=False).exclude(status__in=ENDED)


def queue(release: Release) -> None:
    """Queue one message for everybody concerned, in the transaction that publishes."""
    found = concerned(release).order_by().values_list("participant__public_id", flat=True).distinct()
    outbox.services.queue(
        outbox.services.message(
            topic=TOPIC,
            about_kind="participant",
            about_id=participant,
            key=f"programme:{release.public_id}:{participant}",
            now=release.made_at,
            order_key=f"participant:{participant}",
            details={"release": str(release.public_id)},
        )
        for participant in found
    )


def _is_past(change: Change, sessions: dict[int, Session], now: datetime) -> bool:
    session = sessions.get(change.get("session", 0))
    ends: list[Any] = [session.ends_at if session else None]
    if change["kind"] == "session_moved":
        before = change["before"]["ends_at"]
        ends.append(datetime.fromisoformat(before) if before else None)
    return all(end is not None and end <= now for end in ends)


def of_participant(release: Release, participant: Participant) -> tuple[list[Registration], list[Change]]:
    """What of a release concerns one participant: their registrations that still stand, and the changes about these."""
    mine = list(
        Registration.objects.with_all()
        .filter(pk__in=concerned(release).filter(participant=participant).values("pk"))
        .order_by("pk")
    )
    sessions = {registration.admission.session_id for registration in mine}
    has_conference = None in sessions
    with_conference = set(
        Session.objects.filter(conference_id=release.conference_id, registration_mode=RegistrationMode.WITH_CONFERENCE)
        .values_list("pk", flat=True)
    )  # fmt: skip
    changes = [
        change
        for change in told(release.changes)
        if "session" not in change
        or change["session"] in sessions
        or (has_conference and change["session"] in with_conference)
    ]
    return mine, changes


def register() -> None:
    """Act whenever a programme is published. Called when the app is ready."""
    publishing.on_published(queue)
