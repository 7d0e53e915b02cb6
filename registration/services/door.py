"""Codes for the door that were lost: a new one, and the old one opens nothing any more."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from accounts import actors
from accounts.actors import Actor
from registration.door.codes import NoCode
from registration.models import DoorCode, Participant

_TRIES = 3  # two codes of one conference are the same about once in a million billion


@transaction.atomic(durable=True)
def renew_code(*, participant_id: int, by: Actor, now: datetime) -> None:
    """Give a participant another code for the door. Raises Participant.DoesNotExist, door_codes.NoCode."""
    participant = Participant.objects.select_for_update(no_key=True).get(pk=participant_id)
    standing = DoorCode.objects.filter(pk=participant_id).first()
    version = standing.version if standing is not None else 0
    for _attempt in range(_TRIES):
        version += 1
        row = DoorCode.of(participant, version=version)
        try:
            with transaction.atomic():
                row.save(force_insert=standing is None, force_update=standing is not None)
        except IntegrityError:
            continue
        actors.audit_entry(
            at=now,
            by=by,
            action="participant.door_code_renewed",
            about_kind="participant",
            about_id=participant.public_id,
        ).save()
        return
    raise NoCode
