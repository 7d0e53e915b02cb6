"""What the page behind a link to join says while it does not lead in, and when it looks again by itself."""

from __future__ import annotations

from datetime import datetime
from math import ceil
from typing import Any

from django.utils.timesince import timeuntil

import video.services
from events.models import Material, MaterialKind, SessionState
from events.releases.reading import published
from outbox.models import Message, MessageState
from registration.letters import messages
from registration.models import AttendanceMode, Registration, RegistrationStatus
from registration.services import access

_SOON = 15  # seconds between two looks while it is time
_LATER = 300  # the most between two looks before
_MAY_CHANGE = frozenset({RegistrationStatus.PENDING, RegistrationStatus.WAITLISTED, RegistrationStatus.OFFERED})


def words(registration: Registration, door: access.Door | None, *, now: datetime) -> dict[str, Any]:
    """What the template needs. It must not get the door itself: an open one holds the address."""
    admission = registration.admission
    state = "closed" if door is None else type(door).__name__
    found: dict[str, Any] = {
        "registration": registration,
        "session": admission.session,
        "admission": admission,
        "state": state,
        "in_person": admission.mode == AttendanceMode.IN_PERSON,
        "opens_at": None,
        "looks_again": 0,
    }
    match door:
        case video.services.NotYet(opens_at=opens_at):
            seconds = ceil((opens_at - now).total_seconds())
            found |= {
                "opens_at": opens_at,
                "opens_day": opens_at.astimezone(admission.conference.zone).date(),
                "left": timeuntil(opens_at, now) if seconds >= 60 else "",
                "was_moved": _was_moved(registration, opens_at),
                "looks_again": min(max(seconds, 2), _LATER),
            }
        case video.services.NotReady():
            found["looks_again"] = _SOON
        case video.services.Over():
            found["recordings"] = _recordings(registration, now=now)
        case video.services.TimeUnknown():
            found["looks_again"] = _LATER
        case None if registration.status in _MAY_CHANGE:
            found["looks_again"] = _LATER
    return found


def _was_moved(registration: Registration, opens_at: datetime) -> bool:
    """Whether the mail that brought the link spoke of another time."""
    told = Message.objects.filter(
        topic=messages.JOIN_LINK, about_id=registration.public_id, state=MessageState.SENT
    ).order_by("-created_at")
    last = told.first()
    return last is not None and last.details.get("opens_at") != opens_at.isoformat()


@published
def _recordings(registration: Registration, *, now: datetime) -> list[Material]:
    """What can be looked at afterwards and is public."""
    admission = registration.admission
    if admission.session is not None and admission.session.state != SessionState.SCHEDULED:
        return []
    found = Material.objects.filter(
        conference=admission.conference_id, session=admission.session_id, kind=MaterialKind.RECORDING
    ).visible_at(now)
    return [one for one in found.order_by("position", "pk") if one.url.startswith("https://")]
