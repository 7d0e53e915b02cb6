"""Changes to meetings, and the door through which people go in.

The address of a meeting is a secret: it is taken in by save_address, encrypted at rest, and comes out only in an
OpenDoor at the moment of the redirect. It stands in no message, log line, audit row or repr.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, audit_entry
from alliance.exceptions import DomainError
from video import adapters
from video.adapters.errors import VideoError
from video.adapters.static import check_address
from video.models import Fallback, Meeting, MeetingState, Platform
from video.services import people, rooms
from video.services.people import Guest

log = structlog.get_logger("video")
PATIENCE = 2.0  # seconds that somebody at the door waits for a platform
_ADDRESS = re.compile(r"\S*://\S*")


class MeetingIsCancelled(DomainError):
    """A cancelled meeting is over for good; plan a new one."""

    code = "meeting_is_cancelled"
    message = _("This meeting has been cancelled.")


# --- the door -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenDoor:
    """Go in. url: redirect to it, and do nothing else with it."""

    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NotYet:
    """Too early."""

    opens_at: datetime


@dataclass(frozen=True, slots=True)
class Over:
    """Too late."""

    closed_at: datetime


@dataclass(frozen=True, slots=True)
class NotReady:
    """It is time, but organisers have no working meeting yet: wait a little."""


@dataclass(frozen=True, slots=True)
class TimeUnknown:
    """Nobody has said yet when it takes place."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It does not take place."""


Door = OpenDoor | NotYet | Over | NotReady | TimeUnknown | Cancelled


def open_door(
    *,
    meeting: Meeting | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
    guest: Guest,
    now: datetime,
    joining: bool = True,
) -> Door:
    """Whether somebody may go in at the instant, and where to; the caller has checked the registration.

    meeting: None while organisers have planned none, which is like one that is not ready. starts_at, ends_at: the span
    of the session or conference (aware). guest: people.attendee() says what of it the platform learns.
    joining: they go in now: the platform may be asked for their address, for two seconds at most. Otherwise nothing is
    asked and nothing changed, and an open door may lack its address.
    Trouble with the platform is what the meeting's fallback says, else NotReady, and a line in the log for organisers.
    """
    meeting = meeting or Meeting()
    if meeting.state == MeetingState.CANCELLED:
        return Cancelled()
    window = meeting.window(starts_at=starts_at, ends_at=ends_at)
    if window is None:
        return TimeUnknown()
    opens_at, closes_at = window
    if now < opens_at:
        return NotYet(opens_at)
    if now >= closes_at:
        return Over(closes_at)
    if meeting.state != MeetingState.READY:
        return NotReady()
    try:
        if meeting.platform != Platform.STATIC and not joining:
            adapters.adapter_for(meeting.platform, meeting.account)  # asks nobody, but knows what is missing
            return OpenDoor("")
        return OpenDoor(_address(meeting, guest, now=now))
    except VideoError as error:
        log.error("meeting_has_no_way_in", meeting=str(meeting.public_id), code=error.code)
    if meeting.fallback == Fallback.SHARED and meeting.platform != Platform.STATIC:
        try:
            check_address(meeting.address, allowed_hosts=[])
        except VideoError:
            return NotReady()
        return OpenDoor(meeting.address)
    return NotReady()


def _address(meeting: Meeting, guest: Guest, *, now: datetime) -> str:
    """Where to redirect somebody to. Raises VideoError."""
    if meeting.has_registrants:
        return people.address_of(meeting, guest, now=now, within=PATIENCE)
    adapter = adapters.adapter_for(meeting.platform, meeting.account, within=PATIENCE)
    return adapter.join_url(meeting, people.attendee(meeting, guest), now=now)


# --- changes --------------------------------------------------------------------------------------------------------


def save_address(
    meeting_id: int, address: str, *, by: Actor, now: datetime, allowed_hosts: Sequence[str] | None = None
) -> Meeting:
    """Set the address people are redirected to; the meeting is ready then.

    allowed_hosts: replaces the list of hosts we may redirect to; None keeps it, and an empty list becomes the host of
    the address. The address must be on a host of the list.
    Raises video.adapters.static.UnsafeAddress, MeetingIsCancelled.
    """
    with transaction.atomic():
        meeting = _locked(meeting_id)
        if meeting.state == MeetingState.CANCELLED:
            raise MeetingIsCancelled
        hosts = list(meeting.allowed_hosts if allowed_hosts is None else allowed_hosts)
        host = check_address(address.strip(), allowed_hosts=hosts)
        meeting.address = address.strip()
        meeting.allowed_hosts = hosts or [host]
        meeting.state = MeetingState.READY
        meeting.last_error = ""
        meeting.save(update_fields=["address", "allowed_hosts", "state", "last_error", "updated_at"])
        _account(meeting, "meeting.address_saved", by=by, now=now)
    return meeting


def mark_broken(meeting_id: int, *, reason: str, by: Actor, now: datetime) -> Meeting:
    """Stop letting people in: the door says "not ready" until an address is saved again.

    reason: a code or a short text for organisers, at most 200 characters are kept. Raises MeetingIsCancelled.
    """
    with transaction.atomic():
        meeting = _locked(meeting_id)
        if meeting.state == MeetingState.CANCELLED:
            raise MeetingIsCancelled
        meeting.state = MeetingState.BROKEN
        # Reasons come from error texts as well; an address in one of them would stand here readably.
        meeting.last_error = _ADDRESS.sub("…", reason)[:200]
        meeting.save(update_fields=["state", "last_error", "updated_at"])
        _account(meeting, "meeting.marked_broken", by=by, now=now)
    return meeting


def cancel(meeting_id: int, *, by: Actor, now: datetime) -> Meeting:
    """The meeting does not take place. Doing it twice changes nothing."""
    with transaction.atomic():
        meeting = _locked(meeting_id)
        if meeting.state == MeetingState.CANCELLED:
            return meeting
        meeting.state = MeetingState.CANCELLED
        meeting.save(update_fields=["state", "updated_at"])
        _account(meeting, "meeting.cancelled", by=by, now=now)
        rooms.order(meeting.pk, now=now)
    return meeting


def _locked(meeting_id: int) -> Meeting:
    """The meeting without its secrets: changing them must not need the key that they were encrypted with."""
    secrets = ("address", "host_address", "passcode", "dial_in")
    return Meeting.objects.select_for_update(of=["self"]).defer(*secrets).get(pk=meeting_id)


def _account(meeting: Meeting, action: str, *, by: Actor, now: datetime) -> None:
    audit_entry(at=now, by=by, action=action, about_kind="meeting", about_id=meeting.public_id).save()
