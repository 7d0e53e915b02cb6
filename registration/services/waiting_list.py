"""The waiting list: strict order, promoted in the transaction that frees the place."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

import outbox.services
from accounts import actors
from accounts.models import ActorKind, AuditEntry
from events.releases.reading import published
from registration.letters import messages
from registration.models import Admission, Participant, Places, Registration, RegistrationStatus, WaitingMode
from registration.seating import clashes, seats


def promote_locked(admission: Admission, *, now: datetime) -> int:
    """Give free places to the first in line who may take them and queue their mails. Returns how many moved up.

    The caller holds the lock on the places row. Admission.may_promote says until when a place helps somebody. A place
    is offered for a time instead of given where the admission says so, and to whom it would clash with another seat:
    they are asked which to keep (services.offers).
    """
    places = Places.objects.get(admission_id=admission.pk)
    if not places.waiting or not admission.may_promote(now):
        return 0
    served = seats.serve(admission, seats.free(places), waiting=places.waiting)
    if not served:
        return 0
    for registration, _reserve in served:
        registration.admission = admission
    settled = _nobody_else_moves({registration.participant_id for registration, _reserve in served})
    asked = clashes.of(registration for registration, _reserve in served)
    unsure = {one.pk for one, _reserve in served if one.participant_id not in settled or one.pk in asked}
    for first, companion in seats.companions(one for one, _reserve in served).items():
        if {first, companion.pk} & unsure:
            unsure |= {first, companion.pk}  # two who come together are asked together
    for registration, reserve in served:
        registration.status = RegistrationStatus.CONFIRMED
        if admission.waiting == WaitingMode.OFFER or registration.pk in unsure:
            registration.status = RegistrationStatus.OFFERED
            registration.offer_expires_at = admission.offer_expires_at(now)
        registration.reserve = reserve
        registration.position = None
        registration.version += 1
        registration.promoted_at = registration.decided_at = now
        registration.decided_by_kind = ActorKind.SYSTEM
    moved = [registration for registration, _reserve in served]
    Registration.objects.bulk_update(
        moved,
        [
            "status",
            "position",
            "reserve",
            "offer_expires_at",
            "version",
            "promoted_at",
            "decided_at",
            "decided_by_kind",
        ],
    )
    AuditEntry.objects.bulk_create(_audited(registration, now=now) for registration in moved)
    outbox.services.queue(message for registration in moved for message in messages.about_change(registration, now=now))
    return len(moved)


def _nobody_else_moves(people: set[int]) -> set[int]:
    """Hold the people for whom nothing else happens at this instant until the commit; their keys.

    Two promotions of one person at once would each miss the other's seat, and so overlook a clash. Waiting for the row
    could block both for good, since others lock the person before the places; so whoever is busy is asked, not given.
    """
    held = Participant.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=people)
    return set(held.order_by("pk").values_list("pk", flat=True))


def _audited(registration: Registration, *, now: datetime) -> AuditEntry:
    is_offer = registration.status == RegistrationStatus.OFFERED
    details = {"reserve": str(registration.reserve.public_id)} if registration.reserve is not None else {}
    if is_offer and registration.offer_expires_at is not None:
        details["until"] = registration.offer_expires_at.isoformat()
    return actors.audit_entry(
        at=now,
        by=actors.SYSTEM,
        action="registration.offered" if is_offer else "registration.promoted",
        about_kind="registration",
        about_id=registration.public_id,
        details=details,
    )


@published
def promote_into_free_places(*, now: datetime) -> int:
    """Fill every place that is free while somebody waits. Returns how many were promoted.

    A place is normally filled by whatever freed it; this sweep repairs what another path left, such as raw SQL. It also
    serves whoever an organiser has corrected, and who thereby gets a place that is kept for others.
    """
    waiting = Places.objects.filter(waiting__gt=0).filter(Q(capacity__isnull=True) | Q(taken__lt=F("capacity")))
    return sum(
        _promote_alone(admission_id, now=now) for admission_id in waiting.order_by("pk").values_list("pk", flat=True)
    )


def _promote_alone(admission_id: int, *, now: datetime) -> int:
    with transaction.atomic(durable=True):
        Places.objects.select_for_update(no_key=True).get(pk=admission_id)
        return promote_locked(Admission.objects.with_meeting().get(pk=admission_id), now=now)
