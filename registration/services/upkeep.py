"""Repairs that run by the clock: each may run twice, late, or beside itself."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

import outbox.services
from events.releases.reading import published
from outbox.models import Message
from registration.letters import messages
from registration.models import Admission, AttendanceMode, IdempotencyKey, Registration, RegistrationStatus

ANSWERS_KEPT = timedelta(days=7)
_BATCH = 500


@published
def queue_missing_join_links(*, now: datetime) -> int:
    """Queue the join link for everybody confirmed whose door opens within a day and who has none. Returns how many.

    Links are queued when somebody registers or moves up. This sweep finds those for whom the time was not known then,
    or whose row came by another path, and those whose door opens at another time now. Running it beside itself queues
    nothing twice: the key of the message decides.
    """
    return sum(queue_missing_of(admission, now=now) for admission in _opening_soon(now))


def queue_missing_of(admission: Admission, *, now: datetime) -> int:
    """Queue what is missing for one admission. Links for another opening than the present one do not count."""
    window = admission.join_window
    if window is None:
        return 0
    has_one = Message.objects.filter(
        topic=messages.JOIN_LINK,
        about_id=OuterRef("public_id"),
        about_version=OuterRef("version"),
        details__opens_at=window[0].isoformat(),
    )
    missing = (
        Registration.objects.filter(admission=admission, status=RegistrationStatus.CONFIRMED)
        .exclude(Exists(has_one))
        .select_related("participant")
        .order_by("pk")
    )
    queued, after = 0, 0
    while batch := list(missing.filter(pk__gt=after)[:_BATCH]):
        for registration in batch:
            registration.admission = admission
        with transaction.atomic(durable=True):
            outbox.services.queue(
                message
                for registration in batch
                for message in messages.join_link(registration, version=registration.version, now=now)
            )
        queued += len(batch)
        after = batch[-1].pk
    return queued


def _opening_soon(now: datetime) -> list[Admission]:
    """On-line admissions whose door opens within a day or is open, loaded with what decides about it. One query."""
    not_over = (
        Q(session__ends_at__gt=now) | Q(session__meeting__closes_at__gt=now) | Q(conference__meeting__closes_at__gt=now)
    )
    candidates = Admission.objects.with_meeting().filter(not_over, mode=AttendanceMode.ONLINE)
    return [
        admission
        for admission in candidates
        if (window := admission.join_window) and window[0] - messages.JOIN_LINK_BEFORE <= now < window[1]
    ]


def forget_old_idempotency_keys(*, now: datetime) -> int:
    """Delete the answers to forms that are older than seven days. Returns how many."""
    deleted, _by_model = IdempotencyKey.objects.filter(created_at__lt=now - ANSWERS_KEPT).delete()
    return deleted
