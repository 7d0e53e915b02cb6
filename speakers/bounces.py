"""Flags speakers whose mails come back, so that organisers see it beside the contact and not in a log alone."""

from __future__ import annotations

from django.db import transaction

from accounts import actors
from outbox import bounces
from outbox.bounces import Bounce
from speakers import invitation_mails
from speakers.models import SpeakerInvitation

_TOPICS = frozenset({invitation_mails.SENT, invitation_mails.REMINDER})


@transaction.atomic
def note(bounce: Bounce) -> None:
    """Flag the contact, if it still has the address the mail went to. The audit row holds the numbers alone."""
    if bounce.message.topic not in _TOPICS:
        return
    invitation = (
        SpeakerInvitation.objects.current()
        .select_for_update(of=("self",))
        .select_related("contribution")
        .filter(contribution__public_id=bounce.message.about_id)
        .first()
    )
    if invitation is None or not invitation.address or bounces.mark(invitation.address) != bounce.mark:
        return
    code = bounce.code[:20]
    is_news = invitation.bounced_at is None or invitation.bounce_code != code
    invitation.bounced_at, invitation.bounce_code = bounce.at, code
    invitation.save(update_fields=["bounced_at", "bounce_code"])
    if is_news:
        actors.audit_entry(
            at=bounce.at,
            by=actors.SYSTEM,
            action="speaker.mail_bounced",
            about_kind="contribution",
            about_id=invitation.contribution.public_id,
            details={"kind": bounce.kind.value, "code": code},
        ).save()


def register() -> None:
    """Called when the app is ready."""
    bounces.listen(note)
