"""The last mail to somebody who erased themself. The address outlives the person by minutes, joined to nothing.

Mail is rendered when it leaves, and by then the key of the person is gone. So the address alone is put aside, encrypted
with the key of the house, under an id of its own, and with it the code of the proof of deletion; upkeep deletes both
as soon as the mail has left or was given up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef

import outbox.services
from alliance import crypto
from outbox.models import Message, MessageState
from registration.models import Farewell, Participant

TOPIC = "registration.farewell"
_TRIED_FOR = timedelta(hours=24)
_FINISHED = [MessageState.SENT, MessageState.DEAD, MessageState.SUPERSEDED]


def queue(participant: Participant, *, now: datetime, proof: str = "") -> None:
    """Put the address aside and queue the mail, in the transaction that erases. Nothing for somebody without a key.

    proof: the code by which the person can show what was deleted (registration.services.proofs).
    """
    try:
        address = participant.open_identity().email
    except crypto.Unreadable:
        return
    farewell = Farewell.objects.create(
        conference_id=participant.conference_id,
        address=address,
        proof=proof,
        language=participant.language,
        delete_by=now + _TRIED_FOR,
    )
    outbox.services.queue(
        [
            outbox.services.message(
                topic=TOPIC,
                about_kind="farewell",
                about_id=farewell.public_id,
                key=f"farewell:{farewell.public_id}",
                now=now,
                deadline_at=farewell.delete_by,
            )
        ]
    )


def forget(*, now: datetime) -> int:
    """Delete the addresses whose mail has left or was given up, and those whose time is over. Returns how many."""
    done = Message.objects.filter(about_id=OuterRef("public_id"), topic=TOPIC, state__in=_FINISHED)
    settled = Farewell.objects.filter(Exists(done)).values_list("pk", flat=True)
    ids = {*settled, *Farewell.objects.filter(delete_by__lte=now).values_list("pk", flat=True)}
    Farewell.objects.filter(pk__in=ids).delete()
    return len(ids)
