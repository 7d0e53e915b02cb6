"""The order of a waiting list, changed by an organiser: somebody is moved to the top, with a reason on the record."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Min
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from alliance.exceptions import DomainError
from registration.letters import organiser_mails
from registration.models import Places, Registration, RegistrationStatus
from registration.services import pairs


class NotWaiting(DomainError):
    """The registration is not on the waiting list, or not any more."""

    code = "not_waiting"
    message = _("This registration is not on the waiting list any more.")


class FirstAlready(DomainError):
    """There is nobody before it."""

    code = "first_already"
    message = _("This registration is the first in line already.")


@transaction.atomic(durable=True)
def move_to_top(*, registration_id: int, by: Actor, now: datetime, reason: str) -> Registration:
    """Put somebody before all others on the waiting list, and tell them by mail; two who come together go together.

    The place in line is the number of positions below one's own, so the new position is one below the lowest that
    anybody holds; nobody else is written to. reason: for the audit trail, about the case and without names.
    Raises NotWaiting, FirstAlready.
    """
    admission_id = Registration.objects.values_list("admission_id", flat=True).get(pk=registration_id)
    Places.objects.select_for_update(no_key=True).get(admission_id=admission_id)
    registration = Registration.objects.select_related("participant").get(pk=registration_id)
    if registration.status != RegistrationStatus.WAITLISTED or registration.position is None:
        raise NotWaiting
    both = pairs.together(registration)  # the line is served by the first one's position
    line = Registration.objects.filter(admission_id=admission_id, position__isnull=False)
    waiting = line.filter(status=RegistrationStatus.WAITLISTED)
    ahead = [waiting.filter(position__lt=one.position).count() for one in both]
    if not ahead[0]:
        raise FirstAlready
    lowest: int = line.aggregate(lowest=Min("position"))["lowest"]
    for number, one in enumerate(both):
        one.position = lowest - len(both) + number
        one.save(update_fields=["position"])
        actors.audit_entry(
            at=now,
            by=by,
            action="registration.moved_to_top",
            about_kind="registration",
            about_id=one.public_id,
            details={"place_before": ahead[number] + 1, "reason": reason[:250]},
        ).save()
    outbox.services.queue(organiser_mails.moved_to_top(one, now=now) for one in both)
    return next(one for one in both if one.pk == registration.pk)
