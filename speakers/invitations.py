"""Inviting people to speak: the address, the mail with the link, the answer, and what organisers make of it.

What speakers send is a proposal. The programme is protocol: it changes when an organiser takes a proposal over, and the
public sees it with the next release.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from alliance import crypto
from alliance.exceptions import DomainError
from alliance.languages import codes
from events.models import ConferenceState, SessionState
from speakers import consents, invitation_mails, protection
from speakers.models import Contribution, ContributionStatus, SpeakerInvitation, SpeakerPurpose
from speakers.models import SpeakerInvitationQuerySet as Invitations

# What speakers may propose: name, longest.
FIELDS: dict[str, int] = {"name": 200, "title": 300, "organisation": 300, "topic": 300, "biography": 2000}
REMIND_AFTER = timedelta(days=7)
KEPT_AFTER = timedelta(days=14)
_S = ContributionStatus
ANSWERABLE = frozenset({_S.INVITED, _S.TBC, _S.CONFIRMED})


class CannotInvite(DomainError):
    """There is nobody to invite, or nothing to invite to any more."""

    code = "speaker_cannot_be_invited"
    message: str | Promise = _("Only a person whose contribution is “invited” can be sent an invitation.")


class NoAddress(DomainError):
    """The speaker's address is not known."""

    code = "speaker_without_address"
    message: str | Promise = _("Enter the speaker’s e-mail address first.")


class Sealed(DomainError):
    """The address behind a pseudonym."""

    code = "speaker_address_sealed"
    message: str | Promise = _("The address behind a pseudonym is shown to nobody. Enter it anew to change it.")


class NotAnswerable(DomainError):
    """The invitation does not stand any more, or was answered with no."""

    code = "speaker_invitation_over"
    message: str | Promise = _("This invitation cannot be answered any more.")


# --- the contact ----------------------------------------------------------------------------------------------------


@transaction.atomic
def set_contact(*, contribution_id: int, address: str, language: str, by: Actor, now: datetime) -> SpeakerInvitation:
    """Keep where the speaker is written to. Another address makes the link that was sent worthless.

    Raises CannotInvite for a seat without a person.
    """
    contribution = _locked(contribution_id)
    if contribution.person_id is None:
        raise CannotInvite
    found = SpeakerInvitation.objects.filter(contribution=contribution).first()
    if found is not None and found.person_id != contribution.person_id:  # it was somebody else's, with all it holds
        found.delete()
        found = None
    invitation = found or SpeakerInvitation(contribution=contribution, person_id=contribution.person_id)
    if invitation.address != address:
        invitation.token_hash = invitation.sent_at = invitation.reminded_at = invitation.bounced_at = None
        invitation.bounce_code = ""
        invitation.address = address
    invitation.language = language if language in codes() else "en"
    invitation.save()
    _audit("speaker.contact_changed", contribution, by=by, now=now)
    return invitation


@transaction.atomic
def open_contact(*, contribution_id: int, by: Actor, now: datetime) -> str:
    """The address, with a row in the audit trail that it was read. Raises NoAddress and Sealed."""
    contribution = Contribution.objects.select_related("person").get(pk=contribution_id)
    invitation = SpeakerInvitation.objects.current().filter(contribution=contribution).first()
    if contribution.is_under_pseudonym:
        raise Sealed
    if invitation is None or not invitation.address:
        raise NoAddress
    _audit("speaker.contact_opened", contribution, by=by, now=now)
    return invitation.address


@transaction.atomic
def forget(*, contribution_id: int, by: Actor, now: datetime) -> None:
    """Erase the address and what was proposed; the link is worthless then. What was agreed to stays on the record."""
    contribution = _locked(contribution_id)
    if _emptied(SpeakerInvitation.objects.filter(contribution=contribution)):
        _audit("speaker.forgotten", contribution, by=by, now=now)


def forget_after_conferences(*, now: datetime) -> int:
    """The same for everybody, two weeks after the conference; how many."""
    over = SpeakerInvitation.objects.filter(
        contribution__session__conference__ends_on__lt=(now - KEPT_AFTER).date()
    ).exclude(address="", answers="")
    return _emptied(SpeakerInvitation.objects.filter(pk__in=list(over.values_list("pk", flat=True))))


def _emptied(rows: Invitations) -> int:
    """The link of those who agree to something stays: by it, and by nothing else, they can take that back."""
    keys = list(rows.values_list("pk", flat=True))
    agree = consents.standing_rows().filter(invitation__in=keys).values("invitation")
    SpeakerInvitation.objects.filter(pk__in=keys).exclude(pk__in=agree).update(token_hash=None)
    return SpeakerInvitation.objects.filter(pk__in=keys).update(address="", answers="", bounced_at=None, bounce_code="")


# --- the mail -------------------------------------------------------------------------------------------------------


@transaction.atomic
def send(*, contribution_id: int, by: Actor, now: datetime) -> None:
    """Queue the invitation with a new link; one that was sent before does not work any more.

    Raises CannotInvite and NoAddress.
    """
    contribution = _locked(contribution_id)
    invitation = SpeakerInvitation.objects.current().select_for_update().filter(contribution=contribution).first()
    if contribution.person is None or contribution.status != _S.INVITED or not is_ahead(contribution, now):
        raise CannotInvite
    if contribution.person.is_hidden:
        raise CannotInvite
    if invitation is None or not invitation.address:
        raise NoAddress
    invitation.link_version += 1
    invitation.token_hash = crypto.token_hash(invitation.token)
    invitation.sent_at, invitation.reminded_at, invitation.answered_at = now, None, None
    invitation.save(update_fields=["link_version", "token_hash", "sent_at", "reminded_at", "answered_at"])
    outbox.services.queue([invitation_mails.invitation(invitation, now=now)])
    _audit("speaker.invited", contribution, by=by, now=now)


def remind_unanswered(*, now: datetime) -> int:
    """Remind, once, everybody who has not answered for a week; how many."""
    waiting = (
        SpeakerInvitation.objects.current()
        .without_secrets()
        .filter(sent_at__lte=now - REMIND_AFTER, reminded_at=None, answered_at=None, token_hash__isnull=False)
        .filter(contribution__status=_S.INVITED)
        .exclude(Q(address="") | Q(contribution__session__state=SessionState.CANCELLED))
        .filter(Q(contribution__session__starts_at=None) | Q(contribution__session__starts_at__gt=now))
        .select_related("contribution__session")
        .order_by("pk")
    )
    count = 0
    for invitation in waiting:
        with transaction.atomic():
            mine = SpeakerInvitation.objects.filter(pk=invitation.pk, reminded_at=None, answered_at=None)
            if mine.update(reminded_at=now):
                outbox.services.queue([invitation_mails.reminder(invitation, now=now)])
                count += 1
    return count


# --- the answer -----------------------------------------------------------------------------------------------------


def find(token: str) -> SpeakerInvitation | None:
    """The invitation of a link; None for one that never was or is not any more."""
    return (
        SpeakerInvitation.objects.current()
        .select_related("contribution__session__conference__venue", "contribution__person", "contribution__segment")
        .filter(token_hash=crypto.token_hash(token), person__is_hidden=False)
        .first()
    )


def is_ahead(contribution: Contribution, now: datetime) -> bool:
    """Whether the session is still to come, as far as is known."""
    session = contribution.session
    is_on = session.state != SessionState.CANCELLED and session.conference.state != ConferenceState.CANCELLED
    return is_on and not (session.ends_at is not None and session.ends_at <= now)


def may_answer(invitation: SpeakerInvitation, now: datetime) -> bool:
    """Whether an answer is wanted, or a later one taken."""
    contribution = invitation.contribution
    return contribution.status in ANSWERABLE and is_ahead(contribution, now)


def proposals(invitation: SpeakerInvitation) -> dict[str, str]:
    """What the speaker proposes and nobody has looked at yet."""
    if not invitation.answers:
        return {}
    return {name: text for name, text in json.loads(invitation.answers).items() if name in FIELDS}


def printed(contribution: Contribution, language: str) -> dict[str, str]:
    """What the programme has now of what speakers may propose, in a language; nothing under a pseudonym.

    What is not printed of a protected person is not there: nobody proposes it.
    """
    person = contribution.person
    if person is None or contribution.is_under_pseudonym:
        return {}
    unsaid = protection.unprinted(protection.withheld([person.pk]).get(person.pk))
    told = {
        "name": contribution.name,
        "title": contribution.role_title.best(language).text,
        "organisation": contribution.organisation.name.best(language).text if contribution.organisation else "",
        "topic": contribution.topic.best(language).text,
        "biography": person.biography.best(language).text,
    }
    return {name: text for name, text in told.items() if name not in unsaid}


@transaction.atomic
def accept(
    *, invitation_id: int, proposed: dict[str, str], agreed: dict[str, bool], language: str, now: datetime
) -> None:
    """The speaker comes. proposed: by FIELDS, what they would have printed; agreed: by purpose.

    Under a pseudonym nothing is proposed: there is nothing else to print. Raises NotAnswerable.
    """
    invitation = _answerable(invitation_id, now)
    contribution = invitation.contribution
    present = printed(contribution, language)
    kept = {name: text for name, text in proposed.items() if name in present and text and text != present[name]}
    invitation.answers = json.dumps(kept, ensure_ascii=False) if kept else ""
    invitation.answered_at = now
    invitation.save(update_fields=["answers", "answered_at"])
    changed = consents.record(invitation, agreed, language=language, now=now)
    if contribution.status != _S.CONFIRMED:
        contribution.status = _S.CONFIRMED
        contribution.save(update_fields=["status"])
    details: dict[str, object] = {"proposed": sorted(kept), "consents": sorted(changed)}
    _audit("speaker.accepted", contribution, by=actors.PARTICIPANT, now=now, **details)


@transaction.atomic
def decline(*, invitation_id: int, now: datetime) -> None:
    """The speaker does not come. Nobody asks why. Raises NotAnswerable."""
    invitation = _answerable(invitation_id, now)
    contribution = invitation.contribution
    invitation.answers, invitation.answered_at = "", now
    invitation.save(update_fields=["answers", "answered_at"])
    contribution.status = _S.DECLINED
    contribution.save(update_fields=["status"])
    _audit("speaker.declined", contribution, by=actors.PARTICIPANT, now=now)


@transaction.atomic
def withdraw(*, invitation_id: int, purpose: SpeakerPurpose, language: str, now: datetime) -> bool:
    """The speaker takes a consent back, also when all is over and nothing else can be answered. Whether it stood."""
    contribution = _locked(SpeakerInvitation.objects.values_list("contribution_id", flat=True).get(pk=invitation_id))
    invitation = SpeakerInvitation.objects.current().get(pk=invitation_id)
    if not consents.given(invitation).get(purpose.value):
        return False
    consents.record(invitation, {purpose.value: False}, language=language, now=now)
    _audit("speaker.consent_withdrawn", contribution, by=actors.PARTICIPANT, now=now, consents=[purpose.value])
    return True


def _answerable(invitation_id: int, now: datetime) -> SpeakerInvitation:
    """The invitation with its contribution locked, as it is at this moment."""
    contribution_id = SpeakerInvitation.objects.values_list("contribution_id", flat=True).get(pk=invitation_id)
    contribution = _locked(contribution_id)
    invitation = SpeakerInvitation.objects.current().filter(pk=invitation_id, token_hash__isnull=False).first()
    if invitation is None:
        raise NotAnswerable
    invitation.contribution = contribution
    if not may_answer(invitation, now):
        raise NotAnswerable
    return invitation


# --- what organisers make of it -------------------------------------------------------------------------------------


@transaction.atomic
def take_over(*, contribution_id: int, field: str, by: Actor, now: datetime) -> None:
    """Put a proposal into the programme, in the speaker's language. Raises NotAnswerable when there is none any more,
    protection.Withheld where it is not printed of the person.

    An organisation is chosen by hand from the directory; its proposal can only be put aside.
    """
    contribution, invitation, text = _proposal(contribution_id, field)
    language = invitation.language
    if contribution.person is None or contribution.is_under_pseudonym or field == "organisation":
        raise NotAnswerable
    protection.check_unsaid(contribution.person.pk, field)
    match field:
        case "name":
            contribution.name_printed = text
            contribution.save(update_fields=["name_printed"])
        case "title":
            contribution.role_title = {**contribution.role_title, language: text}
            contribution.save(update_fields=["role_title"])
        case "topic":
            contribution.topic = {**contribution.topic, language: text}
            contribution.save(update_fields=["topic"])
        case "biography":
            person = contribution.person
            person.biography = {**person.biography, language: text}
            person.save(update_fields=["biography", "updated_at"])
    _done_with(invitation, field)
    _audit("speaker.proposal_taken_over", contribution, by=by, now=now, field=field)


@transaction.atomic
def put_aside(*, contribution_id: int, field: str, by: Actor, now: datetime) -> None:
    """Drop a proposal. Raises NotAnswerable when there is none any more."""
    contribution, invitation, _text = _proposal(contribution_id, field)
    _done_with(invitation, field)
    _audit("speaker.proposal_put_aside", contribution, by=by, now=now, field=field)


def _proposal(contribution_id: int, field: str) -> tuple[Contribution, SpeakerInvitation, str]:
    contribution = _locked(contribution_id)
    invitation = SpeakerInvitation.objects.current().filter(contribution=contribution).first()
    text = proposals(invitation).get(field) if invitation is not None else None
    if invitation is None or text is None:
        raise NotAnswerable
    return contribution, invitation, text


def _done_with(invitation: SpeakerInvitation, field: str) -> None:
    left = proposals(invitation)
    del left[field]
    invitation.answers = json.dumps(left, ensure_ascii=False) if left else ""
    invitation.save(update_fields=["answers"])


def _locked(contribution_id: int) -> Contribution:
    return (
        Contribution.objects.select_for_update(of=["self"])
        .select_related("session__conference", "person", "organisation")
        .get(pk=contribution_id)
    )


def _audit(action: str, contribution: Contribution, *, by: Actor, now: datetime, **details: object) -> None:
    actors.audit_entry(
        at=now, by=by, action=action, about_kind="contribution", about_id=contribution.public_id, details=details
    ).save()
