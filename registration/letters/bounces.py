"""Flags people whose mails come back, so that organisers see it beside the registration."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from accounts import actors
from outbox import bounces
from outbox.bounces import Bounce
from registration.models import BounceKind, MailBounce, Participant, Registration

_ORDER = "participant:"


def _participant_id(bounce: Bounce) -> UUID | None:
    """Whom the message was for. Every message to a participant says so in its order key."""
    order = bounce.message.order_key
    try:
        return UUID(order.removeprefix(_ORDER)) if order.startswith(_ORDER) else None
    except ValueError:
        return None


@transaction.atomic
def note(bounce: Bounce) -> None:
    """Flag the participant, if they still have the address the mail went to.

    A report about a delay does not soften the flag of an address that does not work. The same report twice is one. The
    audit row holds the numbers alone.
    """
    public_id = _participant_id(bounce)
    if public_id is None:
        return
    participant = (
        Participant.objects.select_for_update(no_key=True, of=("self",))
        .filter(public_id=public_id, identity_key__isnull=False)
        .select_related("identity_key")
        .first()
    )
    if participant is None or bounces.mark(participant.open_identity().email) != bounce.mark:
        return
    before = MailBounce.objects.filter(participant=participant).first()
    kind, code = BounceKind(bounce.kind.value), bounce.code[:20]
    is_about_same = before is not None and bytes(before.address_index) == bytes(participant.email_index)
    if before is not None and is_about_same:
        is_weaker = (before.kind, kind) == (BounceKind.HARD, BounceKind.SOFT)
        if is_weaker or (before.kind, before.code) == (kind, code):
            MailBounce.objects.filter(pk=before.pk).update(at=bounce.at)
            return
    MailBounce.objects.update_or_create(
        participant=participant,
        defaults={
            "kind": kind, "code": code, "address_index": participant.email_index, "topic": bounce.message.topic,
            "at": bounce.at,
        },
    )  # fmt: skip
    actors.audit_entry(
        at=bounce.at,
        by=actors.SYSTEM,
        action="participant.mail_bounced",
        about_kind="participant",
        about_id=participant.public_id,
        details={"kind": kind.value, "code": code},
    ).save()


def of(registration: Registration) -> MailBounce | None:
    """The bounce that counts for a registration's participant; None when mails arrive, as far as we know."""
    return MailBounce.objects.current().filter(participant=registration.participant_id).first()


def register() -> None:
    """Called when the app is ready."""
    bounces.listen(note)
