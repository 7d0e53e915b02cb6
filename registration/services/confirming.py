"""The owner of an address confirms what a form asked for with it (registration.services.asked)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from accounts import actors
from events.releases.reading import published
from registration.models import Admission, AskedFor, Participant
from registration.services import joining, places


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What became of the wishes: how many were registered, and how many are not open any more."""

    registered: int = 0
    closed: int = 0


@transaction.atomic(durable=True)
@published
def confirm(*, participant_id: int, public_ids: Collection[UUID], now: datetime) -> Confirmed:
    """Register for what was asked for, as a form would at this instant; the mail about it says how it stands.

    The audience is judged by what the person told us first. A second click finds nothing left to do; what was
    registered otherwise meanwhile, and what is not open any more, is dropped. Locks: the person, then places, as
    registering does.
    """
    participant = (
        Participant.objects.select_for_update(no_key=True, of=("self",))
        .select_related("conference", "country")
        .filter(pk=participant_id, identity_key__isnull=False)
        .first()
    )
    if participant is None:
        return Confirmed()
    wishes = AskedFor.objects.standing(now).filter(participant=participant, public_id__in=public_ids)
    ids = list(wishes.values_list("admission_id", flat=True))
    AskedFor.objects.filter(participant=participant, admission__in=ids).delete()
    loaded = Admission.objects.with_meeting().prefetch_related("audience_organisations").filter(pk__in=ids)
    chosen = [admission for admission in loaded.order_by("pk") if admission.is_open(now)]
    closed = len(ids) - len(chosen)
    registrations = joining.new_registrations(participant, False, chosen, participant, frozenset(), now=now)
    if not registrations:
        return Confirmed(closed=closed)
    joining.write(participant, None, registrations, ([], []), now=now)
    claimed = [registration for registration in registrations if not registration.reason]
    places.claim(
        admission_ids=[registration.admission_id for registration in claimed],
        registration_ids=[registration.pk for registration in claimed],
        by=actors.SYSTEM,
        now=now,
        category=participant.category,
    )
    return Confirmed(len(registrations), closed)
