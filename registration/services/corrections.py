"""Correcting what a delegation said about a member; never the address: another address is another person."""

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
    if change.names is not None and f"{change.names[0]} {change.names[1]}".strip() != person.display_name:
        if membership.state != MemberState.NOMINATED or person.has_alias:
            raise NameIsTheirs
        _rename(membership, *change.names)
        changed.append("name")
    if change.function is not None and change.function != person.function:
        person.function = change.function
        changed.append("function")
    if change.capacity is not None and change.capacity != membership.capacity:
        _refuse_second_head(membership, change.capacity)
        membership.capacity = person.delegation_capacity = change.capacity
        membership.save(update_fields=["capacity"])
        changed.append("capacity")
    if changed:
        person.save(update_fields=["display_name", "sealed_identity", "function", "delegation_capacity", "updated_at"])
        if "name" in changed:  # else a platform, or a file that was ordered, would show them by the name of before
            platform_handlers.renamed(person, now=now)
            jobs.forget_people(person.conference_id)
        delegations.audit(
            "membership", membership.public_id, "delegation.corrected", by=by, now=now, fields=sorted(changed)
        )
    during.done([membership])
    return membership


def _rename(membership: Membership, given_name: str, family_name: str) -> None:
    """The address stays sealed beside the new name, under the same key."""
    person = membership.participant
    try:
        identity = replace(person.open_identity(), given_name=given_name, family_name=family_name)
        wrapped = IdentityKey.objects.get(participant=person).wrapped
    except (crypto.Unreadable, IdentityKey.DoesNotExist) as error:  # erased while we looked
        raise delegations.NotAMember from error
    person.seal(identity, crypto.unwrap_person_key(bytes(wrapped)))
    person.display_name = identity.full_name


def _refuse_second_head(membership: Membership, capacity: str) -> None:
    if capacity != DelegationCapacity.HEAD:
        return
    heads = Membership.objects.active().filter(delegation=membership.delegation_id, capacity=capacity)
    if heads.exclude(pk=membership.pk).exists():
        raise delegations.HeadIsNamed
