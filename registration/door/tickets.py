"""What a participant has on the own page for the door: the code, and the certificate afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from registration.door import certificates
from registration.door import codes as door_codes
from registration.door.codes import Picture
from registration.models import AttendanceMode, Participant, RegistrationStatus
from registration.selectors import OwnChoice

_SEATED = frozenset({RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED})


@dataclass(frozen=True, slots=True)
class Ticket:
    """code: as printed, empty when there is no door to pass. has_certificate: whether it can be downloaded."""

    code: str
    picture: Picture | None
    has_certificate: bool


def of(participant: Participant, choices: Iterable[OwnChoice], *, now: datetime) -> Ticket:
    """The ticket of a participant with these choices. Makes the code when it is shown for the first time.

    Needs the conference loaded. At most four queries.
    """
    has_door = any(
        choice.registration.status in _SEATED
        and choice.registration.admission.mode == AttendanceMode.IN_PERSON
        and not choice.registration.admission.is_cancelled
        and not choice.is_over
        for choice in choices
    )
    has_certificate = certificates.is_due(participant, now=now)
    if not has_door:
        return Ticket("", None, has_certificate)
    code = door_codes.ensure([participant])[participant.pk]
    return Ticket(door_codes.shown(code), door_codes.picture(code), has_certificate)
