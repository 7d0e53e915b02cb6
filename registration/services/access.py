"""Personal links: the participant's own page, sending its link again, and the door to the meeting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

import outbox.services
import video.services
from alliance import crypto
from events.models import Conference
from registration.joining import platform_handlers, rehearsals
from registration.letters import messages
from registration.models import (
    Admission,
    AttendanceMode,
    Participant,
    Registration,
    RegistrationStatus,
    RetiredLink,
)
from registration.services import delegations
from video.models import Meeting

log = structlog.get_logger("registration")


def find_personal(token: str) -> Participant | None:
    """The participant whose personal page the token opens. Only its hash is stored and compared."""
    return (
        Participant.objects.select_related(
            "conference__venue",
            "conference__consent_setting",
            "country",
            "identity_key",
            "membership",
            "address_change",
        )
        .filter(link_hash=crypto.token_hash(token))
        .first()
    )


def resend_personal_link(*, conference: Conference, email: str, now: datetime) -> None:
    """Send the personal link again to a registered address. It answers nothing: nobody learns who is registered.

    At most one mail per clock hour and address, so that a stranger cannot fill somebody's mailbox.
    """
    participant = Participant.objects.with_email(conference_id=conference.pk, email=email).first()
    # Somebody may be a member of delegations as well, or only that: each such row has a mail and a page of its own.
    letters = [delegations.link_again(member, now=now) for member in delegations.members_with(conference.pk, email)]
    if participant is not None:
        letters.append(messages.personal_link(participant, now=now))
    if letters:
        with transaction.atomic(durable=True):
            outbox.services.queue(letters)


def send_personal_link(*, participant: Participant, now: datetime) -> None:
    """Send the personal link again to a participant who has it open. At most one mail per clock hour."""
    with transaction.atomic(durable=True):
        outbox.services.queue([messages.personal_link(participant, now=now)])


@dataclass(frozen=True, slots=True)
class Replaced:
    """An organiser has replaced the link: the newest mail has the good one."""


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The person or the session was taken down. Nothing more is said about it."""


Door = video.services.Door | Replaced | Unavailable


@dataclass(frozen=True, slots=True)
class Entry:
    """What the join link of a registration leads to. door is None when the registration does not open it."""

    registration: Registration
    door: Door | None


def _replaced(token: str) -> Entry | None:
    """What a link that is not good any more says; None for one that never was."""
    retired = RetiredLink.objects.filter(join_hash=crypto.token_hash(token)).first()
    if retired is None:
        return None
    return Entry(Registration.objects.with_all().get(pk=retired.registration_id), Replaced())


def _rehearsal(token: str, *, now: datetime, joining: bool) -> Entry | None:
    """The organiser's own way in while a rehearsal runs: open as long as it does, if the room works."""
    found = rehearsals.find(token, now=now)
    if found is None:
        return None
    rehearsal, registration = found
    meeting = _meeting(registration.admission)
    if meeting is not None:
        meeting.opens_at, meeting.closes_at = rehearsal.started_at, rehearsal.until  # not saved
    door = video.services.open_door(
        meeting=meeting,
        starts_at=rehearsal.started_at,
        ends_at=rehearsal.until,
        guest=rehearsals.guest(rehearsal, registration),
        now=now,
        joining=joining,
    )
    return Entry(registration, door)


def _meeting(admission: Admission) -> Meeting | None:
    """The meeting behind an admission; none, as if there were none yet, when its secrets cannot be read."""
    try:
        return (
            Meeting.objects.for_admission(conference_id=admission.conference_id, session_id=admission.session_id)
            .select_related("account")
            .first()
        )
    except crypto.Unreadable:  # FIELD_ENCRYPTION_KEYS lacks the key it was saved under
        log.error("meeting_is_unreadable", admission=str(admission.public_id))
        return None


def enter(*, token: str, now: datetime, joining: bool) -> Entry | None:
    """Where a join link leads at this instant; None for an unknown token.

    joining: the person has pressed the button (POST); the first time is kept as their arrival. Looking (GET) changes
    nothing, so mail scanners may look as often as they like.
    """
    registration = Registration.objects.with_all().filter(join_hash=crypto.token_hash(token)).first()
    if registration is None:
        return _rehearsal(token, now=now, joining=joining) or _replaced(token)
    admission: Admission = registration.admission
    session_down = admission.session is not None and admission.session.taken_down_at is not None
    if session_down or registration.participant.taken_down_at is not None:
        return Entry(registration, Unavailable())
    has_place = registration.status in {RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED}
    if not has_place or admission.mode != AttendanceMode.ONLINE:
        return Entry(registration, None)
    if admission.is_cancelled:
        return Entry(registration, video.services.Cancelled())
    starts_at, ends_at = admission.span
    meeting = _meeting(admission)
    door = video.services.open_door(
        meeting=meeting,
        starts_at=starts_at,
        ends_at=ends_at,
        guest=platform_handlers.guest(registration),
        now=now,
        joining=joining,
    )
    if joining and isinstance(door, video.services.OpenDoor):
        Registration.objects.filter(pk=registration.pk, joined_at__isnull=True).update(joined_at=now)
    return Entry(registration, door)
