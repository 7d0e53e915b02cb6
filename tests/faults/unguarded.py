"""The web server with the guard taken out: seats are counted first and taken later, as careless programs do.

Only for the control run of the rush, which must oversell.
"""

from __future__ import annotations

import time
from typing import Any

from alliance.wsgi import application
from registration.models import Places, Registration, RegistrationStatus
from registration.services import joining
from registration.services.places import Outcome


def claim(*, admission_ids: list[int], registration_ids: list[int], **rest: Any) -> tuple[Outcome, ...]:
    """Look how many are confirmed, think a little, and take the seat."""
    for admission_id in admission_ids:
        places = Places.objects.get(admission_id=admission_id)
        confirmed = Registration.objects.filter(admission_id=admission_id, status="confirmed").count()
        time.sleep(0.1)  # the rest of a request
        free = places.capacity is None or confirmed < places.capacity
        status = RegistrationStatus.CONFIRMED if free else RegistrationStatus.REJECTED
        Registration.objects.filter(pk__in=registration_ids, admission_id=admission_id).update(status=status)
    return ()


class _Careless:
    """Stands where joining expects the places service."""

    claim = staticmethod(claim)


vars(joining)["places"] = _Careless

__all__ = ["application"]
