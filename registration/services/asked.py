"""What a form asks for with a known address: it waits for the owner of the address, who reads the mail about it.

The form proves nobody's identity. A registration made at once would show organisers, under whatever name the owner
goes by, that this address is known (docs/decisions/0010-neutral-answer.md). So nothing but a wish is kept: no place, no
place in line, no audit row. The personal link in the mail is the proof; registration.services.confirming goes on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from registration.models import Admission, AskedFor, Participant, Registration

VALID = timedelta(hours=72)  # over a weekend


def note(participant: Participant, chosen: Sequence[Admission], *, now: datetime) -> AskedFor | None:
    """Keep what is not registered yet, in the caller's transaction, which holds the participant's row.

    Of two ways to attend one thing the later wish counts. Returns the first one that is new; None when nothing is.
    """
    live = set(
        Registration.objects.live()
        .filter(participant=participant, admission__in=chosen)
        .values_list("admission_id", flat=True)
    )
    wanted = {admission.pk: admission for admission in chosen if admission.pk not in live}
    things = {admission.session_id for admission in wanted.values()}
    known = set()
    for wish in AskedFor.objects.filter(participant=participant).select_related("admission"):
        if wish.admission_id in wanted and now < wish.expires_at:
            known.add(wish.admission_id)
        elif wish.admission_id in wanted or wish.admission.session_id in things:
            wish.delete()
    made = AskedFor.objects.bulk_create(
        AskedFor(participant=participant, admission=admission, asked_at=now, expires_at=now + VALID)
        for key, admission in wanted.items()
        if key not in known
    )
    return made[0] if made else None


def pending(participant: Participant, *, now: datetime) -> list[AskedFor]:
    """What waits for the participant's word, in the order of asking, loaded for a page or a mail. One query."""
    found = list(
        AskedFor.objects.standing(now)
        .filter(participant=participant)
        .select_related("admission__session__day", "admission__session__room", "admission__conference__venue")
        .order_by("asked_at", "pk")
    )
    for wish in found:
        wish.participant = participant
    return found


def drop(*, participant_id: int, public_ids: Collection[UUID]) -> int:
    """Forget what was asked for; how many. Nobody is told."""
    deleted, _by_model = AskedFor.objects.filter(participant=participant_id, public_id__in=public_ids).delete()
    return deleted


def forget(*, now: datetime) -> int:
    """Delete what nobody confirmed in time; how many."""
    deleted, _by_model = AskedFor.objects.filter(expires_at__lte=now).delete()
    return deleted
