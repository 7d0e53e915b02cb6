"""Members of a delegation as rows: locking them, and writing new ones."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import crypto, inserts
from events.models import OrganisationKind
from registration.models import Category, Delegation, IdentityKey, Membership, Participant, ParticipantList
from registration.models.delegation_member import AsWritten, member_index
from registration.models.participant import Identity
from registration.services.delegations.nominees import Nominee, NotAMember

_CATEGORIES = {
    OrganisationKind.OSCE: Category.EXECUTIVE_STRUCTURE,
    OrganisationKind.OSCE_EXECUTIVE_STRUCTURE: Category.EXECUTIVE_STRUCTURE,
    OrganisationKind.OSCE_FIELD_OPERATION: Category.FIELD_OPERATION,
    OrganisationKind.INTERNATIONAL_ORGANIZATION: Category.INTERNATIONAL_ORGANISATION,
    OrganisationKind.STATE_INSTITUTION: Category.DELEGATION,
    OrganisationKind.EMBASSY: Category.DELEGATION,
    OrganisationKind.PARLIAMENTARY_BODY: Category.DELEGATION,
    OrganisationKind.NGO: Category.CIVIL_SOCIETY,
    OrganisationKind.ACADEMIA: Category.ACADEMIA,
    OrganisationKind.THINK_TANK: Category.THINK_TANK,
    OrganisationKind.BUSINESS: Category.BUSINESS,
    OrganisationKind.TRADE_UNION: Category.TRADE_UNION,
    OrganisationKind.MEDIA: Category.MEDIA,
}


def locked(delegation_id: int) -> Delegation:
    """The delegation with what it belongs to, locked until the end of the transaction."""
    return (
        Delegation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("conference", "country", "organisation")
        .get(pk=delegation_id)
    )


def active_member(membership_id: int) -> Membership:
    """The membership with its delegation and its person locked. Raises NotAMember when it has ended."""
    delegation_id = Membership.objects.values_list("delegation_id", flat=True).get(pk=membership_id)
    delegation = locked(delegation_id)
    # Before the membership is written: people who change or erase something themselves lock their own row first.
    person_id = Membership.objects.values_list("participant_id", flat=True).get(pk=membership_id)
    list(Participant.objects.select_for_update(no_key=True).filter(pk=person_id))
    membership = Membership.objects.select_related("participant").get(pk=membership_id)
    membership.delegation = delegation
    if not membership.is_active:
        raise NotAMember
    return membership


def members_with(conference_id: int, email: str) -> list[Membership]:
    """The memberships of whoever has the address, for mails to that address alone. Two queries, known or not."""
    ids = Delegation.objects.filter(conference_id=conference_id).values_list("pk", flat=True)
    indexes = [member_index(pk, email) for pk in ids]
    found = Membership.objects.active().filter(
        participant__conference_id=conference_id, participant__email_index__in=indexes
    )
    return list(found.select_related("participant"))


def _category(delegation: Delegation) -> Category:
    if delegation.organisation is None:
        return Category.DELEGATION
    return _CATEGORIES.get(OrganisationKind(delegation.organisation.kind), Category.OTHER)


def new_person(delegation: Delegation, nominee: Nominee, *, now: datetime) -> tuple[Participant, bytes]:
    """An unsaved participant with sealed identity, found again by the delegation alone, and the person's key."""
    key, wrapped = crypto.new_person_key()
    identity = Identity(nominee.given_name, nominee.family_name, nominee.email)
    participant = Participant(
        conference_id=delegation.conference_id,
        display_name=identity.full_name,
        email_index=member_index(delegation.pk, nominee.email),
        language=nominee.language,
        category=_category(delegation),
        country=delegation.country,
        organisation=delegation.organisation,
        organisation_text=delegation.name if delegation.organisation_id else "",
        function=nominee.function,
        delegation=delegation,
        delegation_capacity=nominee.capacity,
        created_at=now,
    )
    participant.seal(identity, key)
    participant.link_hash = crypto.token_hash(participant.personal_token)
    return participant, wrapped


@dataclass(frozen=True, slots=True)
class New:
    """Somebody to be written: as they were nominated, the unsaved participant, and the person's key."""

    nominee: Nominee
    person: Participant
    key: bytes


def free_addresses(people: Sequence[Participant]) -> None:
    """Somebody who was a member before and has left: their row stays with what happened, the address is free again."""
    for person in people:
        Participant.objects.filter(conference_id=person.conference_id, email_index=person.email_index).update(
            email_index=secrets.token_bytes(32)
        )


def write_members(
    delegation: Delegation,
    new: Sequence[New],
    *,
    by: Actor,
    now: datetime,
    action: str,
    replaces: Membership | None = None,
) -> list[Membership]:
    """Save people, keys and memberships with their audit rows: two statements."""
    inserts.insert(inserts.Rows([one.person for one in new]))
    members = [
        Membership(
            delegation=delegation,
            participant=one.person,
            mode=one.nominee.mode,
            capacity=one.nominee.capacity,
            nominated_at=now,
            replaces=replaces,
        )
        for one in new
    ]
    for membership, one in zip(members, new, strict=True):
        membership.answer_hash = crypto.token_hash(membership.answer_token)
        written = AsWritten(one.person.display_name, one.person.function)
        membership.seal_as_written(written, crypto.unwrap_person_key(one.key))
    entries = [
        audit_row(
            "membership",
            membership.public_id,
            f"delegation.{action}",
            by=by,
            now=now,
            delegation=str(delegation.public_id),
            capacity=membership.capacity,
            mode=membership.mode,
        )
        for membership in members
    ]
    keys = [IdentityKey(participant=one.person, wrapped=one.key) for one in new]
    inserts.insert(inserts.Rows(members), inserts.Rows(keys), inserts.Rows(entries))
    return members


def leave_final_list(participant: Participant) -> None:
    """Take somebody out of a final list of participants by delegation, which keeps the names of its day."""
    mine = Membership.objects.filter(participant=participant)
    members = {str(one) for one in mine.values_list("public_id", flat=True)}
    if not members:
        return
    for stamped in ParticipantList.objects.select_for_update().filter(conference=participant.conference_id):
        left = [entry for entry in stamped.entries if entry["member"] not in members]
        if len(left) < len(stamped.entries):
            stamped.entries = left
            stamped.save(update_fields=["entries"])


def audit(kind: str, public_id: Any, action: str, *, by: Actor, now: datetime, **details: Any) -> None:
    """Write that something was done to a membership or a registration."""
    audit_row(kind, public_id, action, by=by, now=now, **details).save()


def audit_row(kind: str, public_id: Any, action: str, *, by: Actor, now: datetime, **details: Any) -> AuditEntry:
    """An unsaved row of the trail."""
    return actors.audit_entry(at=now, by=by, action=action, about_kind=kind, about_id=public_id, details=details)
