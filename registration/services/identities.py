"""Opening a participant's sealed identity for an organiser: never without a line in the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts import actors
from accounts.actors import Actor
from alliance import crypto
from registration.models import Participant
from registration.models.participant import Identity


@dataclass(frozen=True, slots=True)
class Opened:
    """What an organiser may read of a person. identity is None for an alias, and for somebody who has been erased.

    accessibility_needs is None for readers to whom they stay shut, whether there are any or not.
    """

    identity: Identity | None
    accessibility_needs: str | None


@transaction.atomic
def open_for_organiser(*, participant_id: int, with_needs: bool, by: Actor, now: datetime) -> Opened:
    """Who a participant is and what they need, and an audit row saying that it was read.

    The identity behind an alias stays shut here: organisers work with the alias (docs/design.md section 4.6).
    with_needs: the reader is of the group that reads confidential answers (accounts.permissions.READ_CONFIDENTIAL);
    to others the needs stay shut as well.
    """
    participant = Participant.objects.select_related("identity_key").get(pk=participant_id)
    identity = None
    if not participant.has_alias:
        try:
            identity = participant.open_identity()
        except crypto.Unreadable:  # erased: there is nothing to read and nothing to account for
            identity = None
    read = [
        *(["identity"] if identity is not None else []),
        *(["accessibility_needs"] if with_needs and participant.accessibility_needs else []),
    ]
    if read:
        actors.audit_entry(
            at=now,
            by=by,
            action="participant.opened",
            about_kind="participant",
            about_id=participant.public_id,
            details={"read": read},
        ).save()
    return Opened(identity, participant.accessibility_needs if with_needs else None)
