"""Inviting people by personal links, reminding them, taking it back; and declining. Accepting is registering (joining).

Names and addresses are sealed with a key of each invitation; organisers read them on the record.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import crypto
from alliance.db import constraint_name
from alliance.exceptions import DomainError
from events.models import Conference
from registration.invitations import mails as invitation_mails
from registration.models import Admission, Invitation, InvitationKey, InvitationState, Participant
from registration.models.invitation import ANSWERABLE, invitation_index, person_index
from registration.models.participant import Identity
from registration.services.delegations import Problem
from registration.services.invited import AlreadyAnswered, NotLive

MOST_AT_ONCE = 500
REMIND_BEFORE = timedelta(days=3)  # before the time runs out
_LEAST_PAUSE = timedelta(days=1)  # between the invitation and its reminder
KEPT_AFTER = timedelta(days=14)  # after the conference; then nobody can read who was invited
_HASH_BYTES = 32
_BATCH = 200


class InvitingRefused(DomainError):
    """At least one row cannot be invited; then nobody is."""

    code = "inviting_refused"
    message = gettext_lazy("Nobody was invited. Correct the rows named below and send the list again.")

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


class CannotSend(DomainError):
    """An accepted, withdrawn or forgotten invitation is not sent again."""

    code = "invitation_cannot_be_sent"
    message = gettext_lazy("This invitation cannot be sent: it was accepted or withdrawn, or its person was forgotten.")


@dataclass(frozen=True, slots=True)
class Invitee:
    """Somebody to invite; shape and length are checked by the form. row: where it stands in what was sent, from 1."""

    given_name: str
    family_name: str
    email: str
    language: str
    row: int = 1


def problems_of(conference: Conference, invitees: Sequence[Invitee]) -> list[Problem]:
    """What speaks against inviting these people, by row; nothing is changed."""
    if not invitees:
        return [Problem(0, _("The list is empty."))]
    if len(invitees) > MOST_AT_ONCE:
        return [Problem(0, _("A list has at most %(limit)d people.") % {"limit": MOST_AT_ONCE})]
    indexes = {one.row: invitation_index(conference.pk, one.email) for one in invitees}
    standing = Invitation.objects.filter(conference=conference, email_index__in=list(indexes.values())).exclude(
        state=InvitationState.WITHDRAWN
    )
    known = {bytes(index) for index in standing.values_list("email_index", flat=True)}
    found: list[Problem] = []
    seen: dict[bytes, int] = {}
    for invitee in invitees:
        index = indexes[invitee.row]
        if index in known:
            text = _("This address has an invitation already. Send that one again, or withdraw it first.")
            found.append(Problem(invitee.row, text))
        elif index in seen:
            found.append(Problem(invitee.row, _("This address stands in row %(row)d already.") % {"row": seen[index]}))
        seen.setdefault(index, invitee.row)
    return found


def invite(
    *,
    conference: Conference,
    admissions: Sequence[Admission],
    invitees: Sequence[Invitee],
    expires_at: datetime,
    by: Actor,
    now: datetime,
) -> list[Invitation]:
    """Invite people to admissions of a conference: all of them, or nobody. Each gets a mail with a personal link.

    expires_at: until when they can answer. Raises InvitingRefused with what is wrong by row.
    """
    admissions = [admission for admission in admissions if admission.conference_id == conference.pk]
    problems = problems_of(conference, invitees)
    if not admissions:
        problems.append(Problem(0, _("Choose what they are invited to.")))
    if expires_at <= now:
        problems.append(Problem(0, _("The time to answer lies in the past.")))
    if problems:
        raise InvitingRefused(problems)
    made = [_new(conference, one, expires_at=expires_at, by=by, now=now) for one in invitees]  # slow: before the writes
    through = Invitation.admissions.through
    try:
        with transaction.atomic(durable=True):
            invitations = Invitation.objects.bulk_create([invitation for invitation, _key in made])
            InvitationKey.objects.bulk_create(
                InvitationKey(invitation=invitation, wrapped=key) for invitation, key in made
            )
            through._default_manager.bulk_create(
                through(invitation_id=invitation.pk, admission_id=admission.pk)
                for invitation in invitations
                for admission in admissions
            )
            AuditEntry.objects.bulk_create(
                _audit(invitation, "sent", by=by, now=now, admissions=[str(one.public_id) for one in admissions])
                for invitation in invitations
            )
            outbox.services.queue(invitation_mails.invitation(invitation, now=now) for invitation in invitations)
    except IntegrityError as error:  # somebody else invited one of them between our look and our write
        if constraint_name(error) != "invitation_stands_once":
            raise
        raise InvitingRefused(
            problems_of(conference, invitees) or [Problem(0, _("Somebody else was faster. Check the list again."))]
        ) from error
    return invitations


def _new(
    conference: Conference, invitee: Invitee, *, expires_at: datetime, by: Actor, now: datetime
) -> tuple[Invitation, bytes]:
    key, wrapped = crypto.new_person_key()
    invitation = Invitation(
        conference=conference,
        email_index=invitation_index(conference.pk, invitee.email),
        language=invitee.language,
        expires_at=expires_at,
        sent_at=now,
        created_at=now,
        created_by=by.user,
    )
    invitation.seal(Identity(invitee.given_name, invitee.family_name, invitee.email), key)
    invitation.link_hash = crypto.token_hash(invitation.token)
    return invitation, wrapped


def _audit(invitation: Invitation, what: str, *, by: Actor, now: datetime, **details: object) -> AuditEntry:
    return actors.audit_entry(
        at=now,
        by=by,
        action=f"invitation.{what}",
        about_kind="invitation",
        about_id=invitation.public_id,
        details=dict(details),
    )


def _locked(invitation_id: int) -> Invitation:
    return Invitation.objects.select_for_update(no_key=True).get(pk=invitation_id)


def _is_readable(invitation: Invitation) -> bool:
    return InvitationKey.objects.filter(pk=invitation.pk).exists()


@transaction.atomic(durable=True)
def send_again(*, invitation_id: int, expires_at: datetime, by: Actor, now: datetime) -> None:
    """Send an invitation anew: another link, another time to answer; what was declined is asked again.

    The link of the first mail is worthless from then on. Raises CannotSend.
    """
    invitation = _locked(invitation_id)
    if invitation.state not in ANSWERABLE or expires_at <= now or not _is_readable(invitation):
        raise CannotSend
    invitation.state = InvitationState.SENT
    invitation.answered_on, invitation.reminded_at, invitation.word = None, None, ""
    invitation.expires_at, invitation.sent_at = expires_at, now
    invitation.link_version += 1
    invitation.link_hash = crypto.token_hash(invitation.token)
    invitation.save()
    _audit(invitation, "sent_again", by=by, now=now).save()
    outbox.services.queue([invitation_mails.invitation(invitation, now=now)])


@transaction.atomic(durable=True)
def withdraw(*, invitation_id: int, by: Actor, now: datetime) -> None:
    """Take an invitation back; the person gets a mail unless they had declined. Raises AlreadyAnswered, NotLive.

    Whoever has accepted is registered: cancel the registration instead.
    """
    invitation = _locked(invitation_id)
    if invitation.state == InvitationState.ACCEPTED:
        raise AlreadyAnswered
    if invitation.state == InvitationState.WITHDRAWN:
        raise NotLive
    is_told = invitation.standing(now) == InvitationState.SENT and _is_readable(invitation)
    invitation.state, invitation.word = InvitationState.WITHDRAWN, ""
    invitation.save(update_fields=["state", "word"])
    _audit(invitation, "withdrawn", by=by, now=now).save()
    if is_told:
        outbox.services.queue([invitation_mails.withdrawn(invitation, now=now)])


@transaction.atomic(durable=True)
def remind(*, invitation_id: int, by: Actor, now: datetime) -> None:
    """Remind somebody now instead of three days before the end. Raises CannotSend for what is answered or reminded."""
    invitation = _locked(invitation_id)
    is_due = invitation.standing(now) == InvitationState.SENT and invitation.reminded_at is None
    if not is_due or not _is_readable(invitation):
        raise CannotSend
    _remind([invitation], by=by, now=now)


def _remind(invitations: Sequence[Invitation], *, by: Actor, now: datetime) -> None:
    Invitation.objects.filter(pk__in=[invitation.pk for invitation in invitations]).update(reminded_at=now)
    AuditEntry.objects.bulk_create(_audit(invitation, "reminded", by=by, now=now) for invitation in invitations)
    outbox.services.queue(invitation_mails.reminder(invitation, now=now) for invitation in invitations)


def remind_unanswered(*, now: datetime) -> int:
    """Remind everybody, once, who has not answered three days before the time runs out. Returns how many.

    Beside itself it finds nobody twice: the rows are locked, and those that are locked already are left to the other.
    """
    reminded = 0
    while True:
        with transaction.atomic(durable=True):
            due = list(
                Invitation.objects.select_for_update(of=("self",), no_key=True, skip_locked=True)
                .readable()
                .filter(
                    state=InvitationState.SENT,
                    reminded_at__isnull=True,
                    expires_at__gt=now,
                    expires_at__lte=now + REMIND_BEFORE,
                    sent_at__lte=now - _LEAST_PAUSE,
                )
                .order_by("pk")[:_BATCH]
            )
            _remind(due, by=actors.SYSTEM, now=now)
        reminded += len(due)
        if len(due) < _BATCH:
            return reminded


@transaction.atomic(durable=True)
def decline(*, invitation_id: int, word: str, now: datetime) -> None:
    """Say no, with a word to the organisers or without. Raises AlreadyAnswered, NotLive.

    Until the time runs out the same link can still accept.
    """
    invitation = (
        Invitation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("conference")
        .get(pk=invitation_id)
    )
    if invitation.state == InvitationState.ACCEPTED:
        raise AlreadyAnswered
    if not invitation.may_answer(now):
        raise NotLive
    invitation.state, invitation.word = InvitationState.DECLINED, word
    invitation.answered_on = now.astimezone(invitation.conference.zone).date()
    invitation.save(update_fields=["state", "word", "answered_on"])
    _audit(invitation, "declined", by=actors.PARTICIPANT, now=now).save()


def find(token: str) -> Invitation | None:
    """The invitation whose page the token opens. Only its hash is stored and compared."""
    return (
        Invitation.objects.select_related("conference__venue", "invitation_key")
        .filter(link_hash=crypto.token_hash(token))
        .first()
    )


@transaction.atomic
def open_names(invitations: Sequence[Invitation], *, by: Actor, now: datetime) -> dict[int, Identity]:
    """Names and addresses of invitations of one conference, by key, and one audit row that says how many were read."""
    found = {}
    for invitation in invitations:
        try:
            found[invitation.pk] = invitation.open_identity()
        except crypto.Unreadable:
            continue
    if found:
        actors.audit_entry(
            at=now,
            by=by,
            action="invitations.opened",
            about_kind="conference",
            about_id=invitations[0].conference.public_id,
            details={"number": len(found)},
        ).save()
    return found


# --- forgetting -------------------------------------------------------------------------------------------------------


def forget_after_conferences(*, now: datetime) -> int:
    """Make invitations unreadable two weeks after their conference. States and counts stay. Returns how many."""
    old = list(
        Invitation.objects.readable()
        .filter(conference__ends_on__lt=(now - KEPT_AFTER).date())
        .values_list("pk", flat=True)[: _BATCH * 10]
    )
    with transaction.atomic(durable=True):
        return forget(old)


def forget(invitation_ids: Sequence[int]) -> int:
    """Make invitations unreadable for good, inside the caller's transaction: keys, sealed data, words, index, link."""
    if not invitation_ids:
        return 0
    InvitationKey.objects.filter(pk__in=invitation_ids).delete()
    rows = list(Invitation.objects.select_for_update(no_key=True).filter(pk__in=invitation_ids).order_by("pk"))
    for row in rows:
        row.sealed_identity, row.word = b"", ""
        row.person_index = None
        row.email_index, row.link_hash = secrets.token_bytes(_HASH_BYTES), secrets.token_bytes(_HASH_BYTES)
    changed = ["sealed_identity", "word", "person_index", "email_index", "link_hash"]
    Invitation.objects.bulk_update(rows, changed, batch_size=_BATCH)
    return len(rows)


def of_person(participant: Participant) -> QuerySet[Invitation]:
    """The invitations of somebody: accepted by them, to their address, or to one they had. Needs identity_key loaded.

    None but the accepted ones can be found once the person is erased.
    """
    found = Q(person_index=person_index(participant))
    with contextlib.suppress(crypto.Unreadable):
        email = participant.open_identity().email
        found |= Q(email_index=invitation_index(participant.conference_id, email))
    return Invitation.objects.filter(found, conference_id=participant.conference_id)


def lock(participants: Iterable[Participant]) -> None:
    """Lock the invitations of people, in the order of their keys.

    To be done before the people are locked: accepting locks the invitation and then the person.
    """
    keys = {pk for person in participants for pk in of_person(person).values_list("pk", flat=True)}
    list(Invitation.objects.select_for_update(no_key=True).filter(pk__in=keys).order_by("pk"))


def pass_on(before: Participant, after: Participant) -> None:
    """Whatever was sent to somebody is found by another row, or another address, of theirs from now on."""
    of_person(before).update(person_index=person_index(after))


def forget_person(participant: Participant) -> int:
    """Make every invitation of somebody unreadable who is being erased."""
    return forget(list(of_person(participant).values_list("pk", flat=True)))
