"""A place that is offered for a time: taken, taken instead of another at the same time, declined, or expired.

Locks are taken in one order: the person, then places in the order of their keys. The same clock decides everywhere: an
offer is good before the instant it was offered until, and from that instant on it is not, whether or not the sweep has
come round (docs/decisions/0016-reserves-and-offers.md).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from alliance.exceptions import DomainError
from events.releases.reading import published
from registration.letters import messages
from registration.models import Admission, Participant, Places, Registration, RegistrationStatus
from registration.models.registration import REASON_DECLINED, REASON_EXPIRED, REASON_SWAPPED
from registration.seating import clashes
from registration.services import pairs, waiting_list

_BATCH = 200  # offers that one transaction of the sweep ends


class OfferAnswered(DomainError):
    """The place is not offered any more: it was taken, declined or cancelled."""

    code = "offer_answered"
    message = _("This place is not offered to you any more. You see below how things stand.")


class OfferExpired(DomainError):
    """The time to answer has passed."""

    code = "offer_expired"
    message = _("The time to accept this place has passed. It goes to the next in line.")


class OtherAnswers(DomainError):
    """Who comes along cannot take a place for the other one that costs that one another place."""

    code = "other_answers"
    message = _("This place is offered to you and to the person you come with. That person answers for both of you.")


class ClashChanged(DomainError):
    """The person holds something at the same time that they have not said to give up."""

    code = "clash_changed"
    message = _("You have another place at the same time. Choose below which one you keep.")


@transaction.atomic(durable=True)
@published
def accept(*, registration_id: int, by: Actor, now: datetime, giving_up: Collection[UUID] = ()) -> Registration:
    """Take an offered place.

    giving_up: public ids of the places at the same time that go for it, as the page named them. What is given up is
    cancelled in the same transaction, and goes to the next in line there. One that does not clash any more is kept.
    Accepting what was accepted is fine. Of two who come together either may answer, unless the place costs the other
    one something: nobody holds two places at one time without being told.
    Raises OfferAnswered, OfferExpired, ClashChanged, OtherAnswers; then nothing has happened.
    """
    registration = _locked(registration_id, giving_up=giving_up)
    if registration.status == RegistrationStatus.CONFIRMED and registration.offer_expires_at is not None:
        return registration
    _refuse_late(registration, now=now)
    both = pairs.together(registration)
    found = clashes.of(both)
    if any(found.get(one.pk) for one in both if one.pk != registration.pk):
        raise OtherAnswers
    in_the_way = found.get(registration.pk, [])
    if not {seat.public_id for seat in in_the_way} <= set(giving_up):
        raise ClashChanged
    for seat in in_the_way:
        seat.participant = registration.participant
        _end(seat, REASON_SWAPPED, "cancelled", by=by, now=now, had_place=True, swapped_for=str(registration.public_id))
    pairs.end_along(in_the_way, by=by, now=now, reason=REASON_SWAPPED)
    for one in both:
        _take(registration if one.pk == registration.pk else one, by=by, now=now)
    for seat in in_the_way:
        waiting_list.promote_locked(Admission.objects.with_meeting().get(pk=seat.admission_id), now=now)
    return registration


def _take(registration: Registration, *, by: Actor, now: datetime) -> None:
    registration.status = RegistrationStatus.CONFIRMED
    registration.version += 1
    registration.decided_at = now
    registration.decided_by_kind = by.kind
    registration.decided_by = by.user
    registration.save(update_fields=["status", "version", "decided_at", "decided_by_kind", "decided_by"])
    _audit(registration, "offer_accepted", by=by, now=now)
    outbox.services.queue(messages.about_change(registration, now=now))


@transaction.atomic(durable=True)
@published
def decline(*, registration_id: int, by: Actor, now: datetime) -> Registration:
    """Give an offered place back: the next in line is served. What the person holds besides, they keep.

    Declining is never too late. Raises OfferAnswered.
    """
    registration = _locked(registration_id)
    if registration.reason == REASON_DECLINED:
        return registration
    if registration.status != RegistrationStatus.OFFERED:
        raise OfferAnswered
    _end(registration, REASON_DECLINED, "offer_declined", by=by, now=now)
    pairs.end_along([registration], by=by, now=now, reason=REASON_DECLINED)
    waiting_list.promote_locked(registration.admission, now=now)
    return registration


@published
def expire_offers(*, now: datetime) -> int:
    """End every offer whose time has passed, and serve the next in line in the same transaction. Returns how many.

    Runs each minute. An answer and this sweep meet at the lock of the places row; the first one there decides.
    """
    due = Registration.objects.filter(status=RegistrationStatus.OFFERED, offer_expires_at__lte=now)
    expired = 0
    for admission_id in sorted(set(due.values_list("admission_id", flat=True))):
        last_batch = _BATCH
        while last_batch == _BATCH:
            last_batch = _expire_some(admission_id, now=now)
            expired += last_batch
    return expired


@transaction.atomic(durable=True)
def _expire_some(admission_id: int, *, now: datetime) -> int:
    Places.objects.select_for_update(no_key=True).get(pk=admission_id)
    admission = Admission.objects.with_meeting().get(pk=admission_id)
    # Read under the lock: somebody may have answered meanwhile.
    late = Registration.objects.filter(
        admission_id=admission_id, status=RegistrationStatus.OFFERED, offer_expires_at__lte=now
    )
    ended = list(late.select_related("participant").order_by("offer_expires_at", "pk")[:_BATCH])
    for registration in ended:
        registration.admission = admission
        _end(registration, REASON_EXPIRED, "offer_expired", by=actors.SYSTEM, now=now)
    pairs.end_along(ended, by=actors.SYSTEM, now=now, reason=REASON_EXPIRED)
    waiting_list.promote_locked(admission, now=now)
    return len(ended)


def _locked(registration_id: int, *, giving_up: Collection[UUID] = ()) -> Registration:
    """The registration, with the person and the places of everything concerned locked before anything is read."""
    participant_id, admission_id = Registration.objects.values_list("participant_id", "admission_id").get(
        pk=registration_id
    )
    people = [participant_id, *pairs.people_beside(registration_id)]
    locked = Participant.objects.select_for_update(no_key=True).filter(pk__in=people).order_by("pk")
    participant = {one.pk: one for one in locked}[participant_id]
    others = Registration.objects.filter(participant_id=participant_id, public_id__in=giving_up)
    concerned = {admission_id, *others.values_list("admission_id", flat=True)}
    list(Places.objects.select_for_update(no_key=True).filter(pk__in=concerned).order_by("pk"))
    registration = Registration.objects.get(pk=registration_id)
    registration.participant = participant
    registration.admission = Admission.objects.with_meeting().get(pk=admission_id)
    return registration


def _refuse_late(registration: Registration, *, now: datetime) -> None:
    if registration.status == RegistrationStatus.CANCELLED and registration.reason == REASON_EXPIRED:
        raise OfferExpired
    if registration.status != RegistrationStatus.OFFERED:
        raise OfferAnswered
    if registration.offer_expires_at is not None and registration.offer_expires_at <= now:
        raise OfferExpired


def _end(
    registration: Registration,
    reason: str,
    action: str,
    *,
    by: Actor,
    now: datetime,
    had_place: bool = False,
    **details: Any,
) -> None:
    """Cancel it, with the audit row and the mail. had_place: whether a calendar entry was sent."""
    before = registration.status
    registration.status = RegistrationStatus.CANCELLED
    registration.cancelled_at = now
    registration.reason = reason
    registration.version += 1
    registration.save(update_fields=["status", "cancelled_at", "reason", "version"])
    _audit(registration, action, by=by, now=now, status_before=before, **details)
    outbox.services.queue(messages.about_change(registration, now=now, had_place=had_place))


def _audit(registration: Registration, action: str, *, by: Actor, now: datetime, **details: Any) -> None:
    actors.audit_entry(
        at=now,
        by=by,
        action=f"registration.{action}",
        about_kind="registration",
        about_id=registration.public_id,
        details=details,
    ).save()
