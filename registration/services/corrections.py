"""Correcting what a delegation said about a member; never the address: another address is another person.

It is compared with what the delegation wrote before and with nothing else, and the answer depends on nothing else: what
the person has changed since, such as the name they appear under, stays and is not given away.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy

from accounts.actors import Actor
from alliance import crypto
from alliance.exceptions import DomainError
from events import jobs
from registration.joining import platform_handlers
from registration.models import DelegationCapacity, IdentityKey, Membership, MemberState
from registration.models.delegation_member import AsWritten
from registration.services import delegations, once


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to be different; None stays as it is. The two names are given together."""

    names: tuple[str, str] | None = None
    function: str | None = None
    capacity: str | None = None


class NameIsTheirs(DomainError):
    """Who has answered has seen the name and agreed to come under it."""

    code = "member-has-answered"
    message = gettext_lazy(
        "This member has answered already, so the name is theirs. Ask the organisers to correct it, or name somebody "
        "else."
    )


@transaction.atomic(durable=True)
def correct(
    *, membership_id: int, change: Correction, by: Actor, now: datetime, during: once.During = once.NOTHING
) -> Membership:
    """Correct name (until the member answers), function or capacity of a member. Nobody is mailed.

    Raises NotAMember, NameIsTheirs, HeadIsNamed.
    """
    during.begin(now=now)
    membership = delegations.active_member(membership_id)
    during.found(membership)
    person = membership.participant
    changed = []
    before, shown_before = membership.as_written, person.display_name
    written = before
    if change.names is not None and f"{change.names[0]} {change.names[1]}".strip() != before.name:
        if membership.state != MemberState.NOMINATED:
            raise NameIsTheirs
        _rename(membership, *change.names)
        written = replace(written, name=f"{change.names[0]} {change.names[1]}".strip())
        changed.append("name")
    if change.function is not None and change.function != before.function:
        if person.function == before.function:
            person.function = change.function
        written = replace(written, function=change.function)
        changed.append("function")
    if written != before:
        _write(membership, written)
    if change.capacity is not None and change.capacity != membership.capacity:
        _refuse_second_head(membership, change.capacity)
        membership.capacity = person.delegation_capacity = change.capacity
        membership.save(update_fields=["capacity"])
        changed.append("capacity")
    if changed:
        person.save(update_fields=["display_name", "sealed_identity", "function", "delegation_capacity", "updated_at"])
        if person.display_name != shown_before:  # else platforms, and files that were ordered, would have the old name
            platform_handlers.renamed(person, now=now)
            jobs.forget_people(person.conference_id)
        delegations.audit(
            "membership", membership.public_id, "delegation.corrected", by=by, now=now, fields=sorted(changed)
        )
    during.done([membership])
    return membership


def _rename(membership: Membership, given_name: str, family_name: str) -> None:
    """The address stays sealed beside the new name, under the same key; an alias stays the name that is shown."""
    person = membership.participant
    try:
        identity = person.open_identity()
    except crypto.Unreadable as error:  # erased while we looked
        raise delegations.NotAMember from error
    if identity.full_name != membership.as_written.name:  # the person has corrected it
        return
    identity = replace(identity, given_name=given_name, family_name=family_name)
    person.seal(identity, _key(membership))
    if not person.has_alias:
        person.display_name = identity.full_name


def _write(membership: Membership, written: AsWritten) -> None:
    membership.seal_as_written(written, _key(membership))
    membership.save(update_fields=["sealed_as_written"])


def _key(membership: Membership) -> bytes:
    try:
        return crypto.unwrap_person_key(bytes(membership.participant.identity_key.wrapped))
    except (crypto.Unreadable, IdentityKey.DoesNotExist) as error:
        raise delegations.NotAMember from error


def _refuse_second_head(membership: Membership, capacity: str) -> None:
    if capacity != DelegationCapacity.HEAD:
        return
    heads = Membership.objects.active().filter(delegation=membership.delegation_id, capacity=capacity)
    if heads.exclude(pk=membership.pk).exists():
        raise delegations.HeadIsNamed
