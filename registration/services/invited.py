"""What an invitation does while somebody registers with it: it admits, once, the person it was sent to."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts import actors
from alliance.exceptions import DomainError
from registration.models import Invitation, InvitationState, Participant
from registration.models.invitation import invitation_index, person_index


class AlreadyAnswered(DomainError):
    """The invitation was accepted, in this window or another."""

    code = "invitation_answered"
    message = _("This invitation is answered already. The mail with your link went to the address we know.")


class NotLive(DomainError):
    """The invitation was withdrawn, its time has run out, or it is somebody else's."""

    code = "invitation_not_live"
    message = _("This invitation does not stand any more. If you wish to come, write to the organisers.")


def admissions_of(invitation: Invitation) -> frozenset[int]:
    """The keys of the admissions somebody is invited to. They stay as they were when the invitation was made."""
    return frozenset(invitation.admissions.values_list("pk", flat=True))


def take(*, invitation_id: int, email: str, now: datetime) -> None:
    """Lock an invitation that admits the one with this address. Two at once: the second waits here, and is refused.

    Raises AlreadyAnswered, NotLive.
    """
    invitation = Invitation.objects.select_for_update(no_key=True).get(pk=invitation_id)
    if invitation.state == InvitationState.ACCEPTED:
        raise AlreadyAnswered
    is_own = bytes(invitation.email_index) == invitation_index(invitation.conference_id, email)
    if not invitation.may_answer(now) or not is_own:
        raise NotLive


def accept(invitation: Invitation, participant: Participant, *, now: datetime) -> None:
    """Mark an invitation that was taken as accepted, in the same transaction.

    Under an alias no audit row is written here: its place and minute would join the name that was invited with the
    alias (docs/invitations.md). Needs the conference loaded.
    """
    Invitation.objects.filter(pk=invitation.pk).update(
        state=InvitationState.ACCEPTED,
        answered_on=now.astimezone(invitation.conference.zone).date(),
        person_index=person_index(participant),
        word="",
    )
    if not participant.has_alias:
        actors.audit_entry(
            at=now,
            by=actors.PARTICIPANT,
            action="invitation.accepted",
            about_kind="invitation",
            about_id=invitation.public_id,
        ).save()
