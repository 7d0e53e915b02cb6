"""The waiting list: strict order, promoted in the transaction that frees the place."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

import outbox.services
from accounts import actors
from accounts.models import ActorKind, AuditEntry
from events.releases.reading import published
from registration import messages
from registration.models import Admission, Places, Registration, RegistrationStatus


def promote_locked(admission: Admission, *, now: datetime) -> int:
    """Give free places to the first in line and queue their mails. Returns how many moved up.

    The caller holds the lock on the places row. Admission.may_promote says until when a place helps somebody.
    """
    places = Places.objects.get(admission_id=admission.pk)
    if not places.waiting or not admission.may_promote(now):
        return 0
    free = places.waiting if places.capacity is None else places.capacity - places.taken
    if free <= 0:
        return 0
    first = list(
        Registration.objects.in_waiting_order().filter(admission=admission).select_related("participant")[:free]
    )
    for registration in first:
        registration.status = RegistrationStatus.CONFIRMED
        registration.position = None
        registration.version += 1
        registration.promoted_at = registration.decided_at = now
        registration.decided_by_kind = ActorKind.SYSTEM
        registration.admission = admission
    Registration.objects.bulk_update(
        first, ["status", "position", "version", "promoted_at", "decided_at", "decided_by_kind"]
    )
    AuditEntry.objects.bulk_create(
        actors.audit_entry(
            at=now,
            by=actors.SYSTEM,
            action="registration.promoted",
            about_kind="registration",
            about_id=registration.public_id,
        )
        for registration in first
    )
    outbox.services.queue(message for registration in first for message in messages.about_change(registration, now=now))
    return len(first)


@published
def promote_into_free_places(*, now: datetime) -> int:
    """Fill every place that is free while somebody waits. Returns how many were promoted.

    A place is normally filled by whatever freed it; this sweep repairs what another path left, such as raw SQL.
    """
    promoted = 0
    waiting = Places.objects.filter(waiting__gt=0).filter(Q(capacity__isnull=True) | Q(taken__lt=F("capacity")))
    for admission_id in waiting.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic(durable=True):
            Places.objects.select_for_update(no_key=True).get(pk=admission_id)
            admission = Admission.objects.with_meeting().get(pk=admission_id)
            promoted += promote_locked(admission, now=now)
    return promoted
