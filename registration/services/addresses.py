"""Another address for a participant: it counts once the link in a mail to it is used, and the old one is told.

Asking says nothing about the address asked for. Only whoever reads mail at it learns that it is registered already.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy

import outbox.services
from accounts import actors
from alliance import crypto
from alliance.db import constraint_name
from alliance.exceptions import DomainError
from registration.letters import messages
from registration.models import AddressChange, Participant
from registration.models.participant import Identity, email_index
from registration.services import invitations, own_corrections, pairs

CONFIRM = "registration.address_confirm"
NOTICE = "registration.address_notice"
VALID = timedelta(hours=24)
PAUSE = timedelta(minutes=15)  # between two mails to addresses that may be anybody's
_HASH_BYTES = 32


class SameAddress(DomainError):
    """It is the address they have."""

    code = "same_address"
    message = gettext_lazy("This is the address that we have.")


class TooSoon(DomainError):
    """A mail to a new address went out a moment ago."""

    code = "too_soon"
    message = gettext_lazy(
        "A mail to a new address is on its way already. You can ask for another one after 15 minutes."
    )


class DelegationKnows(DomainError):
    """The delegation entered it."""

    code = "delegation_entered_it"
    message = gettext_lazy("Your delegation entered this address. Ask the delegation or the organisers to change it.")


class AddressTaken(DomainError):
    """Somebody is registered with it."""

    code = "address_taken"
    message = gettext_lazy(
        "This address is used for another registration at this conference. Have its link sent to you, cancel there "
        "what you do not need and delete it; then ask for the change once more."
    )


def token_of(change: AddressChange) -> str:
    """The secret of the link in the mail to the new address; only its hash is stored."""
    return crypto.derive_token("change-address", str(change.public_id))


def address_of(change: AddressChange) -> str:
    """The new address. Needs participant and identity_key loaded. Raises crypto.Unreadable."""
    key = crypto.unwrap_person_key(bytes(change.participant.identity_key.wrapped))
    address: str = crypto.unseal(bytes(change.sealed_address), key=key, row=change.public_id.bytes)["address"]
    return address


@transaction.atomic(durable=True)
def ask(*, participant_id: int, address: str, now: datetime) -> None:
    """Ask for another address: a mail to it, and a notice to the present one, which leaves first.

    A later wish takes the place of an earlier one. Raises SameAddress, TooSoon, DelegationKnows, and Erased.
    """
    participant = _locked(participant_id)
    if own_corrections.is_member(participant):
        raise DelegationKnows
    if email_index(address) == bytes(participant.email_index):
        raise SameAddress
    before = AddressChange.objects.filter(participant=participant).first()
    if before is not None and now < before.asked_at + PAUSE:
        raise TooSoon
    if before is not None:
        before.delete()
    change = AddressChange(participant=participant, asked_at=now, expires_at=now + VALID)
    key = crypto.unwrap_person_key(bytes(participant.identity_key.wrapped))
    change.sealed_address = crypto.seal({"address": address}, key=key, row=change.public_id.bytes)
    change.token_hash = crypto.token_hash(token_of(change))
    change.save(force_insert=True)
    _audit(participant, "asked", now=now)
    outbox.services.queue(
        outbox.services.message(
            topic=topic,
            about_kind="participant",
            about_id=participant.public_id,
            key=f"{topic}:{change.public_id}",
            now=now,
            order_key=f"participant:{participant.public_id}",
            deadline_at=change.expires_at,
            details={"change": str(change.public_id)},
        )
        for topic in (NOTICE, CONFIRM)
    )


@transaction.atomic(durable=True)
def stop(*, participant_id: int, now: datetime) -> bool:
    """Take the wish back: the link in the mail is worth nothing any more. Whether there was one.

    The row stays until its time is over, so that stopping and asking again sends no more mails than asking.
    """
    participant = _locked(participant_id)
    changed = AddressChange.objects.filter(participant=participant, expires_at__gt=now).update(
        expires_at=now, token_hash=secrets.token_bytes(_HASH_BYTES), sealed_address=b""
    )
    if changed:
        _audit(participant, "stopped", now=now)
    return bool(changed)


def pending(participant: Participant, *, now: datetime) -> AddressChange | None:
    """The wish that waits for its link to be used. No query if address_change is loaded."""
    change: AddressChange | None = getattr(participant, "address_change", None)
    return change if change is not None and now < change.expires_at else None


def find(token: str, *, now: datetime) -> AddressChange | None:
    """The wish whose link it is, while it is good."""
    return (
        AddressChange.objects.select_related("participant__conference__venue", "participant__identity_key")
        .filter(token_hash=crypto.token_hash(token), expires_at__gt=now, participant__identity_key__isnull=False)
        .first()
    )


def confirm(*, token: str, now: datetime) -> Participant | None:
    """The new address counts; the old personal link dies, and a new one goes to the new address.

    None for a link that is not good (any more). Raises AddressTaken; then everything stays as it was.
    """
    try:
        with transaction.atomic(durable=True):
            return _confirm(token, now=now)
    except IntegrityError as error:  # somebody registered with it while we looked
        if constraint_name(error) != "participant_email_unique_in_conference":
            raise
        raise AddressTaken from error


def _confirm(token: str, *, now: datetime) -> Participant | None:
    found = find(token, now=now)
    if found is None:
        return None
    invitations.lock([found.participant])  # accepting locks an invitation and then the person
    participant = _locked(found.participant_id)
    change = find(token, now=now)  # once more, now that nobody else can use it
    if change is None:
        return None
    change.participant = participant
    address = address_of(change)
    known = Participant.objects.with_email(conference_id=participant.conference_id, email=address)
    if known.exclude(pk=participant.pk).exists():
        raise AddressTaken
    identity = participant.open_identity()
    invitations.pass_on(participant, participant)  # what was sent to the address they had is forgotten with them
    own_corrections.reseal(participant, Identity(identity.given_name, identity.family_name, address))
    pairs.follow_address(participant, before=identity.email, after=address)
    participant.email_index = email_index(address)
    participant.link_version += 1
    participant.link_hash = crypto.token_hash(participant.personal_token)
    participant.save(update_fields=["sealed_identity", "email_index", "link_version", "link_hash", "updated_at"])
    change.delete()
    _audit(participant, "changed", now=now)
    outbox.services.queue(
        [
            outbox.services.message(
                topic=messages.PERSONAL_LINK,
                about_kind="participant",
                about_id=participant.public_id,
                key=f"link:{participant.public_id}:version:{participant.link_version}",
                now=now,
                order_key=f"participant:{participant.public_id}",
            )
        ]
    )
    return participant


def forget(*, now: datetime) -> int:
    """Delete the wishes whose time is over. Returns how many."""
    deleted, _by_model = AddressChange.objects.filter(expires_at__lte=now, asked_at__lte=now - PAUSE).delete()
    return deleted


def _locked(participant_id: int) -> Participant:
    participant = (
        Participant.objects.select_for_update(of=("self",), no_key=True)
        .select_related("identity_key")
        .filter(pk=participant_id, identity_key__isnull=False)
        .first()
    )
    if participant is None:
        raise own_corrections.Erased
    return participant


def _audit(participant: Participant, what: str, *, now: datetime) -> None:
    actors.audit_entry(
        at=now,
        by=actors.PARTICIPANT,
        action=f"participant.address_{what}",
        about_kind="participant",
        about_id=participant.public_id,
    ).save()
