"""Cancelling, approving and rejecting a registration."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind
from alliance.exceptions import DomainError
from events.releases.reading import published
from registration.letters import messages
from registration.models import Admission, Places, Registration, RegistrationStatus
from registration.models.registration import TAKING
from registration.services import pairs, places, taking_back, waiting_list

_OFFERED = RegistrationStatus.OFFERED  # a place, but no calendar entry yet


class AlreadyDecided(DomainError):
    """Somebody else was faster, or the registration has ended."""

    code = "already_decided"
    message = _("This registration does not await approval any more. Load the page again to see where it stands.")


def _locked(registration_id: int) -> Registration:
    """The registration, with the places row of its admission locked before anything is read that decides."""
    admission_id = Registration.objects.values_list("admission_id", flat=True).get(pk=registration_id)
    Places.objects.select_for_update(no_key=True).get(admission_id=admission_id)
    registration = Registration.objects.select_related("participant").get(pk=registration_id)
    registration.admission = Admission.objects.with_meeting().get(pk=admission_id)
    return registration


def _as_they_stand(registration: Registration, *, by: Actor) -> list[Registration]:
    """The registration and who comes along, for what an organiser may take back; copies, for the caller changes it."""
    return [copy.copy(one) for one in pairs.together(registration)] if by.kind == ActorKind.ORGANISER else []


def _audit(registration: Registration, action: str, *, by: Actor, now: datetime, **details: Any) -> None:
    actors.audit_entry(
        at=now,
        by=by,
        action=f"registration.{action}",
        about_kind="registration",
        about_id=registration.public_id,
        details=details,
    ).save()


@transaction.atomic(durable=True)
@published
def cancel(*, registration_id: int, by: Actor, now: datetime, reason: str = "") -> Registration | None:
    """Cancel a registration and hand a freed place to the first in line, in one transaction.

    reason: one sentence the person is told, when an organiser cancels. Returns None when there was nothing to cancel
    any more: cancelling twice is fine.
    """
    registration = _locked(registration_id)
    before = registration.status
    both = _as_they_stand(registration, by=by)
    changed = (
        Registration.objects.cancellable()
        .filter(pk=registration_id)
        .update(
            status=RegistrationStatus.CANCELLED,
            position=None,
            cancelled_at=now,
            reason=reason[:250],
            version=F("version") + 1,
        )
    )
    if not changed:
        return None
    registration.refresh_from_db(fields=["status", "position", "cancelled_at", "reason", "version"])
    _audit(registration, "cancelled", by=by, now=now, status_before=before)
    outbox.services.queue(messages.about_change(registration, now=now, had_place=before in TAKING - {_OFFERED}))
    pairs.end_along([registration], by=by, now=now, reason=reason)
    taking_back.remember(both, by=by, now=now)
    waiting_list.promote_locked(registration.admission, now=now)
    return registration


@transaction.atomic(durable=True)
@published
def approve(*, registration_id: int, by: Actor, now: datetime) -> Registration:
    """Admit somebody who awaited approval: to a place, or to the waiting list when all are taken.

    Raises AlreadyDecided when the registration awaits nothing any more.
    """
    registration = _locked(registration_id)
    if registration.status != RegistrationStatus.PENDING:
        raise AlreadyDecided
    both = pairs.together(registration)
    for one in both:
        _audit(one, "approved", by=by, now=now)
        outbox.services.queue(messages.about_change(one, now=now, version=one.version + 1))
    if len(both) > 1:
        pairs.admit(both, by=by, now=now)
        registration.refresh_from_db(fields=["status", "position", "version", "decided_at", "decided_by_kind"])
        return registration
    places.claim(
        admission_ids=[registration.admission_id],
        registration_ids=[registration.pk],
        by=by,
        now=now,
        version_step=1,
    )
    registration.refresh_from_db(fields=["status", "position", "version", "decided_at", "decided_by_kind"])
    return registration


@transaction.atomic(durable=True)
@published
def reject(*, registration_id: int, by: Actor, now: datetime, reason: str) -> Registration:
    """Decline somebody who awaited approval or waits in line, and serve the line without them.

    reason: one sentence the person is told.

    Raises AlreadyDecided when the registration stands elsewhere by now.
    """
    registration = _locked(registration_id)
    if not registration.may_become(RegistrationStatus.REJECTED):
        raise AlreadyDecided
    before = registration.status
    both = _as_they_stand(registration, by=by)
    registration.status = RegistrationStatus.REJECTED
    registration.position = None
    registration.reason = reason[:250]
    registration.version += 1
    registration.decided_at = now
    registration.decided_by_kind = by.kind
    registration.decided_by = by.user
    registration.save(
        update_fields=["status", "position", "reason", "version", "decided_at", "decided_by_kind", "decided_by"]
    )
    _audit(registration, "rejected", by=by, now=now, status_before=before)
    outbox.services.queue(messages.about_change(registration, now=now))
    pairs.end_along([registration], by=by, now=now, reason=reason)
    taking_back.remember(both, by=by, now=now)
    waiting_list.promote_locked(registration.admission, now=now)
    return registration
