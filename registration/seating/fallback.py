"""Where somebody who waits for a place in the room may attend on-line meanwhile (services.attend_online does it)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from registration.models import (
    Admission,
    ApprovalMode,
    AttendanceMode,
    Registration,
    RegistrationStatus,
)
from registration.models.registration import ENDED, REASON_FULL
from registration.seating import origins, seats


def ways(registrations: Iterable[Registration], *, now: datetime) -> dict[int, Admission]:
    """The open on-line admission to the same thing for each who waits for the room or was refused it, by primary key.

    Only where the person has no registration on-line, was not refused there, and would get a place or an organiser's
    look at it now. No query for anybody else. Needs admission with session and conference, and participant loaded.
    """
    wishes = [one for one in registrations if _wants_the_room(one)]
    if not wishes:
        return {}
    things = Q()
    for wish in wishes:
        things |= Q(conference_id=wish.admission.conference_id, session_id=wish.admission.session_id)
    online = list(
        Admission.objects.public()
        .filter(things, mode=AttendanceMode.ONLINE)
        .exclude(approval=ApprovalMode.INVITATION)
        .with_meeting()
        .select_related("places")
        .prefetch_related("audience_organisations")
    )
    if not online:
        return {}
    people = {wish.participant_id for wish in wishes}
    known = Registration.objects.filter(participant_id__in=people, admission__in=online)
    blocked = {
        (participant_id, admission_id)
        for participant_id, admission_id, status, reason in known.values_list(
            "participant_id", "admission_id", "status", "reason"
        )
        if status not in ENDED or (status == RegistrationStatus.REJECTED and reason != REASON_FULL)
    }
    found = {}
    come_from = origins.of(wish.participant for wish in wishes)
    for wish in wishes:
        for admission in online:
            is_same = (admission.conference_id, admission.session_id) == (
                wish.admission.conference_id,
                wish.admission.session_id,
            )
            if is_same and (wish.participant_id, admission.pk) not in blocked and admission.is_open(now):
                person = wish.participant
                if (
                    not origins.admits(admission, person, come_from)
                    or seats.for_newcomer(admission, admission.places, seats.reserves_for(person))[0]
                ):
                    found[wish.pk] = admission
    return found


def _wants_the_room(registration: Registration) -> bool:
    if registration.admission.mode != AttendanceMode.IN_PERSON:
        return False
    if registration.status == RegistrationStatus.WAITLISTED:
        return True
    return registration.status == RegistrationStatus.REJECTED and registration.was_full
