"""On-line meanwhile: who waits for a place in the room attends on-line, and keeps the place in line for the room."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from alliance import crypto
from alliance.exceptions import DomainError
from events.releases.reading import published
from registration.letters import messages
from registration.models import Participant, Registration, RegistrationStatus
from registration.models.registration import REASON_AUDIENCE
from registration.seating import fallback, origins
from registration.services import places


class NoWayOnline(DomainError):
    """There is no on-line admission that is open to the person and has a place."""

    code = "no_way_online"
    message = _("There is no on-line place for you at the moment. You keep your place in line.")


@transaction.atomic(durable=True)
@published
def attend_online(*, registration_id: int, now: datetime) -> Registration:
    """Register somebody who waits for the room on-line, at once; the place in line for the room stays as it is.

    Where the on-line audience does not admit them, an organiser decides, as for everybody. When the room comes free,
    they are asked which of the two to keep. Pressing the button twice is fine: the second time finds no way any more.
    Raises NoWayOnline; then nothing has happened.
    """
    person_id = Registration.objects.values_list("participant_id", flat=True).get(pk=registration_id)
    person = Participant.objects.select_for_update(no_key=True).get(pk=person_id)
    waiting = Registration.objects.select_related("admission__session", "admission__conference").get(pk=registration_id)
    waiting.participant = person
    admission = fallback.ways([waiting], now=now).get(waiting.pk)
    if admission is None:
        raise NoWayOnline
    registration = Registration(admission=admission, participant=person, created_at=now)
    if not origins.admits(admission, person):
        registration.reason = REASON_AUDIENCE
    registration.join_hash = crypto.token_hash(registration.join_token)
    registration.save()
    actors.audit_entry(
        at=now,
        by=actors.PARTICIPANT,
        action="registration.received",
        about_kind="registration",
        about_id=registration.public_id,
        details={"meanwhile_for": str(waiting.public_id)},
    ).save()
    outbox.services.queue(messages.about_form(person, [registration], now=now))
    if not registration.reason:
        outcomes = places.claim(
            admission_ids=[admission.pk], registration_ids=[registration.pk], by=actors.SYSTEM, now=now
        )
        if [outcome.status for outcome in outcomes] != [RegistrationStatus.CONFIRMED]:  # somebody was faster
            raise NoWayOnline
        registration.refresh_from_db(fields=["status", "reserve", "decided_at", "decided_by_kind"])
    return registration
