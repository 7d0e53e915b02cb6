"""Delegations: nominating, replacing and withdrawing members, and what a member and the secretariat say.

Nothing here looks at registrations of other people, not even to compare an address: a nominated person is a participant
of their own, so that an address that registered privately and an unknown one cannot be told apart by anything that
follows (docs/delegations.md). Locks are taken in one order: the delegation, the person, then places in the order of
their keys.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, prefetch_related_objects
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import crypto, inserts
from alliance.db import constraint_name
from alliance.exceptions import DomainError
from events.models import OrganisationKind
from events.releases.reading import published
from outbox.models import Message
from registration.delegations import mails as delegation_mails
from registration.joining import platform_handlers
from registration.letters import messages
from registration.models import (
    Admission,
    ApprovalMode,
    AttendanceMode,
    Category,
    ConsentSource,
    Delegation,
    DelegationCapacity,
    IdentityKey,
    Membership,
    MemberState,
    Participant,
    Places,
    Purpose,
    Registration,
    RegistrationStatus,
)
from registration.models.delegation_member import ACTIVE_STATES, member_index
from registration.models.participant import Identity
from registration.models.registration import REASON_AUDIENCE
from registration.services import consents, once, pairs, places, waiting_list

MOST_AT_ONCE = 100
LISTING_WORDING = "2026-11"  # changes with the sentence of consent on the answer page

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


@dataclass(frozen=True, slots=True)
class Nominee:
    """Somebody to nominate; shape and length are checked by the form. row: where it stands in what was sent, from 1."""

    given_name: str
    family_name: str
    email: str
    capacity: str
    mode: str
    language: str
    function: str = ""
    row: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be nominated."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Nominated:
    """What a row led to. position counts from 1 and is set for the waiting list only."""

    row: int
    membership: Membership
    status: RegistrationStatus
    position: int | None


class NominationRefused(DomainError):
    """At least one row cannot be nominated; then none is."""

    code = "nomination_refused"
    message = gettext_lazy("Nobody was nominated. Correct the rows named below and send the list again.")

    def __init__(self, problems: Sequence[Problem], message: str | Promise | None = None) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class NotAMember(DomainError):
    """The nomination has ended."""

    code = "not_a_member"
    message = gettext_lazy("This nomination has ended. Load the page again to see where it stands.")


class CannotChange(DomainError):
    """The person has been there, or gave the place back themselves."""

    code = "member_cannot_change"
    message = gettext_lazy(
        "This member has attended already, or has given the place back. The nomination cannot be passed on."
    )


class HeadIsNamed(DomainError):
    """A delegation has one head."""

    code = "head_is_named"
    message = gettext_lazy("The delegation has a head already. Withdraw or replace that person first.")


# --- nominating -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Known:
    """Somebody the delegation has nominated before, as far as a nomination has to know. index: of the address."""

    capacity: str
    mode: str
    is_active: bool
    index: bytes


def problems_of(delegation: Delegation, nominees: Sequence[Nominee], *, now: datetime) -> list[Problem]:
    """What speaks against nominating these people, as far as it is known before; nothing is changed.

    Read from the delegation's own members and the published admissions alone.
    """
    return _problems(delegation, nominees, _known(delegation), _ways(delegation), now=now)


def _known(delegation: Delegation) -> list[_Known]:
    """Everybody it ever nominated. One query."""
    rows = Membership.objects.filter(delegation=delegation).values_list(
        "capacity", "mode", "state", "participant__email_index"
    )
    return [_Known(capacity, mode, state in ACTIVE_STATES, bytes(index)) for capacity, mode, state, index in rows]


def _problems(
    delegation: Delegation,
    nominees: Sequence[Nominee],
    known: Sequence[_Known],
    ways: Mapping[str, Admission],
    *,
    now: datetime,
) -> list[Problem]:
    found = [Problem(0, _("The list is empty."))] if not nominees else []
    if len(nominees) > MOST_AT_ONCE:
        found.append(Problem(0, _("A list has at most %(limit)d people.") % {"limit": MOST_AT_ONCE}))
        return found
    members = [one for one in known if one.is_active]
    indexes = {one.index for one in members}
    heads = sum(member.capacity == DelegationCapacity.HEAD for member in members)
    limits = {
        AttendanceMode.IN_PERSON: delegation.quota_in_person,
        AttendanceMode.ONLINE: delegation.quota_online,
    }
    used = {mode: sum(member.mode == mode for member in members) for mode in AttendanceMode}
    seen: dict[bytes, int] = {}
    total = len(members)
    for nominee in nominees:
        index = member_index(delegation.pk, nominee.email)
        if index in indexes:
            found.append(Problem(nominee.row, _("You have nominated this address already.")))
            continue
        if index in seen:
            found.append(Problem(nominee.row, _("This address stands in row %(row)d already.") % {"row": seen[index]}))
            continue
        seen[index] = nominee.row
        mode = AttendanceMode(nominee.mode)
        admission = ways.get(mode)
        if admission is None or not admission.is_open(now):
            found.append(Problem(nominee.row, _("Registration in this way is not open.")))
        if nominee.capacity == DelegationCapacity.HEAD:
            heads += 1
            if heads > 1:
                found.append(Problem(nominee.row, str(HeadIsNamed.message)))
        used[mode] += 1
        total += 1
        limit = limits[mode]
        if (limit is not None and used[mode] > limit) or (delegation.quota is not None and total > delegation.quota):
            found.append(Problem(nominee.row, _("The quota of the delegation is used up.")))
    return found


def _ways(delegation: Delegation) -> dict[str, Admission]:
    """How one can attend the conference as a whole, by mode."""
    admissions = Admission.objects.with_meeting().filter(conference_id=delegation.conference_id, session=None)
    found = {admission.mode: admission for admission in admissions}
    # Named organisations are read where they may decide.
    asking = [admission for admission in found.values() if admission.approval == ApprovalMode.AUDIENCE]
    prefetch_related_objects(asking, "audience_organisations")
    return found


@published
def nominate(
    *,
    delegation_id: int,
    nominees: Sequence[Nominee],
    by: Actor,
    now: datetime,
    during: once.During = once.NOTHING,
    known: Delegation | None = None,
) -> list[Nominated]:
    """Nominate people as members of a delegation: all of them, or nobody.

    Each gets a place through the same claim as the public form, at once, and a mail with a link to confirm or decline.
    known: the delegation with conference, country and organisation, where the caller has read it; for what is prepared
    before it is locked. The number of statements is the same for any number of people, but for one claim each.
    Raises NominationRefused with what is wrong by row; then nothing has happened.
    """
    delegation = known or Delegation.objects.select_related("conference", "country", "organisation").get(
        pk=delegation_id
    )
    made = [_new_person(delegation, nominee, now=now) for nominee in nominees[: MOST_AT_ONCE + 1]]  # slow: before locks
    try:
        with transaction.atomic(durable=True):
            during.begin(now=now)
            delegation = locked(delegation_id)
            earlier, ways = _known(delegation), _ways(delegation)
            if problems := _problems(delegation, nominees, earlier, ways, now=now):
                raise NominationRefused(problems)
            new = [_New(nominee, person, key) for nominee, (person, key) in zip(nominees, made, strict=True)]
            left = {one.index for one in earlier if not one.is_active}
            _free_addresses([one.person for one in new if one.person.email_index in left])
            members = _write_members(delegation, new, by=by, now=now, action="nominated")
            registrations = _write_registrations(delegation, members, ways, by=by, now=now)
            # Last, in the order of the keys of places; only now is a row locked that others wait for.
            rows = sorted(zip(nominees, members, registrations, strict=True), key=lambda row: row[2].admission_id)
            results = {row[0].row: _claim(*row, now=now) for row in rows}
            nominated = [results[nominee.row] for nominee in nominees]
            standings = [once.Standing(result.status, result.position) for result in nominated]
            during.done([result.membership for result in nominated], standings)
    except IntegrityError as error:  # another path was faster between our look and our write
        if constraint_name(error) not in {"delegation_quota_is_kept", "delegation_has_one_head"}:
            raise
        raise NominationRefused([Problem(0, _("The quota of the delegation is used up."))]) from error
    return nominated


def locked(delegation_id: int) -> Delegation:
    return (
        Delegation.objects.select_for_update(of=("self",), no_key=True)
        .select_related("conference", "country", "organisation")
        .get(pk=delegation_id)
    )


def _category(delegation: Delegation) -> Category:
    if delegation.organisation is None:
        return Category.DELEGATION
    return _CATEGORIES.get(OrganisationKind(delegation.organisation.kind), Category.OTHER)


def _new_person(delegation: Delegation, nominee: Nominee, *, now: datetime) -> tuple[Participant, bytes]:
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
class _New:
    """Somebody to be written: as they were nominated, the unsaved participant, and the person's key."""

    nominee: Nominee
    person: Participant
    key: bytes


def _free_addresses(people: Sequence[Participant]) -> None:
    """Somebody who was a member before and has left: their row stays with what happened, the address is free again."""
    for person in people:
        Participant.objects.filter(conference_id=person.conference_id, email_index=person.email_index).update(
            email_index=secrets.token_bytes(32)
        )


def _write_members(
    delegation: Delegation,
    new: Sequence[_New],
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
    for membership in members:
        membership.answer_hash = crypto.token_hash(membership.answer_token)
    entries = [
        _entry(
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


def _write_registrations(
    delegation: Delegation, members: Sequence[Membership], ways: Mapping[str, Admission], *, by: Actor, now: datetime
) -> list[Registration]:
    """Save a pending registration for each member, with audit rows and mails: one statement."""
    made, queued = [], []
    for membership in members:
        admission, person = ways[membership.mode], membership.participant
        registration = Registration(admission=admission, participant=person, created_at=now)
        if not admission.admits(
            category=person.category, country=delegation.country, organisation_id=delegation.organisation_id
        ):
            registration.reason = REASON_AUDIENCE
        registration.join_hash = crypto.token_hash(registration.join_token)
        made.append(registration)
        queued.append(delegation_mails.nominated(membership, now=now))
        queued += messages.join_link(registration, version=registration.version, now=now)
    entries = [_entry("registration", row.public_id, "registration.received", by=by, now=now) for row in made]
    outbox.services.queue(queued, along=[inserts.Rows(made), inserts.Rows(entries)])
    return made


def _claim(nominee: Nominee, membership: Membership, registration: Registration, *, now: datetime) -> Nominated:
    if registration.reason:
        return Nominated(nominee.row, membership, RegistrationStatus.PENDING, None)
    outcomes = places.claim(
        admission_ids=[registration.admission_id], registration_ids=[registration.pk], by=actors.SYSTEM, now=now
    )
    outcome = outcomes[0]
    if outcome.status == RegistrationStatus.REJECTED:
        raise NominationRefused([Problem(nominee.row, _("All places are taken and there is no waiting list."))])
    return Nominated(nominee.row, membership, outcome.status, outcome.position)


def audit(kind: str, public_id: Any, action: str, *, by: Actor, now: datetime, **details: Any) -> None:
    _entry(kind, public_id, action, by=by, now=now, **details).save()


def _entry(kind: str, public_id: Any, action: str, *, by: Actor, now: datetime, **details: Any) -> AuditEntry:
    return actors.audit_entry(at=now, by=by, action=action, about_kind=kind, about_id=public_id, details=details)


# --- ending and passing on --------------------------------------------------------------------------------------------


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


def _seat(membership: Membership) -> Registration | None:
    """The member's registration for the conference, its places locked; None when they gave it back."""
    admission_id = (
        Registration.objects.live()
        .filter(participant_id=membership.participant_id, admission__session=None)
        .values_list("admission_id", flat=True)
        .first()
    )
    if admission_id is None:
        return None
    Places.objects.select_for_update(no_key=True).get(pk=admission_id)
    seat = Registration.objects.live().filter(participant_id=membership.participant_id, admission_id=admission_id)
    return seat.first()


def _end(membership: Membership, state: MemberState, *, by: Actor, now: datetime) -> None:
    """End the membership: its links die, and the person belongs to no delegation."""
    membership.state = state
    membership.ended_at = now
    membership.listed_at = None
    membership.listed_wording = ""
    membership.answer_version += 1
    membership.answer_hash = crypto.token_hash(membership.answer_token)
    membership.save()
    person = membership.participant
    person.link_version += 1
    person.link_hash = crypto.token_hash(person.personal_token)
    person.delegation = None
    person.delegation_capacity = ""
    person.save(update_fields=["link_version", "link_hash", "delegation", "delegation_capacity", "updated_at"])
    audit("membership", membership.public_id, f"delegation.{state}", by=by, now=now)


def _give_back(membership: Membership, *, by: Actor, now: datetime) -> None:
    """Cancel what the person holds and give it to the first in line."""
    mine = Registration.objects.cancellable().filter(participant_id=membership.participant_id)
    admission_ids = sorted(set(mine.values_list("admission_id", flat=True)))
    list(Places.objects.select_for_update(no_key=True).filter(pk__in=admission_ids).order_by("pk"))
    cancelled = list(mine.filter(admission_id__in=admission_ids))
    Registration.objects.filter(pk__in=[registration.pk for registration in cancelled]).update(
        status=RegistrationStatus.CANCELLED, position=None, cancelled_at=now, version=F("version") + 1
    )
    AuditEntry.objects.bulk_create(
        actors.audit_entry(
            at=now,
            by=by,
            action="registration.cancelled",
            about_kind="registration",
            about_id=registration.public_id,
            details={"status_before": registration.status},
        )
        for registration in cancelled
    )
    pairs.end_along(cancelled, by=by, now=now)
    for admission in Admission.objects.with_meeting().filter(pk__in=admission_ids).order_by("pk"):
        waiting_list.promote_locked(admission, now=now)


@transaction.atomic(durable=True)
@published
def withdraw(*, membership_id: int, by: Actor, now: datetime, during: once.During = once.NOTHING) -> Membership:
    """End a nomination: the place goes to the first in line, the person is told. Raises NotAMember, CannotChange."""
    during.begin(now=now)
    membership = active_member(membership_id)
    during.found(membership)
    _refuse_who_was_there(membership)
    _end(membership, MemberState.WITHDRAWN, by=by, now=now)
    outbox.services.queue([delegation_mails.ended(membership, now=now)])
    _give_back(membership, by=by, now=now)
    during.done([membership])
    return membership


def _refuse_who_was_there(membership: Membership) -> None:
    been = Registration.objects.filter(
        participant_id=membership.participant_id, status__in=[RegistrationStatus.ATTENDED, RegistrationStatus.ABSENT]
    )
    if been.exists():
        raise CannotChange


@published
def replace(
    *, membership_id: int, nominee: Nominee, by: Actor, now: datetime, during: once.During = once.NOTHING
) -> Membership:
    """Name somebody else in a member's place. The place, or the place in line, is never free for an instant.

    The registration itself passes on: its row gets another person, its status does not move, so nothing is counted.
    Both are told by mail; the old links die. Capacity and way of attending stay. Raises NotAMember, CannotChange,
    NominationRefused.
    """
    before = Membership.objects.select_related(
        "delegation__conference", "delegation__country", "delegation__organisation"
    ).get(pk=membership_id)
    person, key = _new_person(before.delegation, nominee, now=now)
    with transaction.atomic(durable=True):
        during.begin(now=now)
        membership = active_member(membership_id)
        during.found(membership)
        delegation = membership.delegation
        known = Membership.objects.active().filter(delegation=delegation, participant__email_index=person.email_index)
        if known.exists():
            raise NominationRefused([Problem(nominee.row, _("You have nominated this address already."))])
        _refuse_who_was_there(membership)
        _end(membership, MemberState.REPLACED, by=by, now=now)
        _free_addresses([person])
        (new,) = _write_members(
            delegation, [_New(nominee, person, key)], by=by, now=now, action="substituted", replaces=membership
        )
        outbox.services.queue([delegation_mails.ended(membership, now=now), delegation_mails.nominated(new, now=now)])
        seat = _seat(membership)
        if seat is None:
            raise CannotChange
        seat.participant = person
        seat.version += 1
        seat.join_version += 1
        seat.join_hash = crypto.token_hash(seat.join_token)
        seat.joined_at = None
        seat.save(update_fields=["participant", "version", "join_version", "join_hash", "joined_at"])
        seat.admission = Admission.objects.with_meeting().get(pk=seat.admission_id)
        if pairs.end_along([seat], by=by, now=now):  # who came along came with the one before
            waiting_list.promote_locked(seat.admission, now=now)
        platform_handlers.renamed(person, now=now)  # else a platform would show them by the name of the one before
        outbox.services.queue(messages.join_link(seat, version=seat.version, now=now))
        audit("registration", seat.public_id, "registration.passed_on", by=by, now=now, status=seat.status)
        during.done([new])
    return new


def remind(*, membership_id: int, now: datetime) -> None:
    """Send a member's link once more, at most once per clock hour: to the answer, or to the personal page of those who
    confirmed. Raises NotAMember.
    """
    membership = Membership.objects.select_related("participant").get(pk=membership_id)
    if not membership.is_active:
        raise NotAMember
    with transaction.atomic(durable=True):
        outbox.services.queue([link_again(membership, now=now)])


def link_again(membership: Membership, *, now: datetime) -> Message:
    """The mail with the link that a member needs now. Needs the participant loaded."""
    if membership.state == MemberState.NOMINATED:
        return delegation_mails.nominated(membership, now=now, again=True)
    return messages.personal_link(membership.participant, now=now)


def members_with(conference_id: int, email: str) -> list[Membership]:
    """The memberships of whoever has the address, for mails to that address alone. Two queries, known or not."""
    ids = Delegation.objects.filter(conference_id=conference_id).values_list("pk", flat=True)
    indexes = [member_index(pk, email) for pk in ids]
    found = Membership.objects.active().filter(
        participant__conference_id=conference_id, participant__email_index__in=indexes
    )
    return list(found.select_related("participant"))


# --- the member's own answer ------------------------------------------------------------------------------------------


def find_answer_page(token: str) -> Membership | None:
    """The nomination whose link it is, while it stands. Only the hash of the token is stored and compared."""
    return (
        Membership.objects.active()
        .select_related(
            "participant__conference__venue",
            "delegation__conference",
            "delegation__country",
            "delegation__organisation",
        )
        .filter(answer_hash=crypto.token_hash(token))
        .first()
    )


@transaction.atomic(durable=True)
def confirm(*, membership_id: int, is_listed: bool, now: datetime) -> Membership:
    """The member comes. is_listed: agrees to be named in the list of participants; can be changed by answering again.

    Raises NotAMember when the nomination has ended.
    """
    membership = active_member(membership_id)
    if membership.state == MemberState.NOMINATED:
        membership.answered_at = now
    membership.state = MemberState.CONFIRMED
    if not is_listed:
        membership.listed_at, membership.listed_wording = None, ""
    elif membership.listed_at is None:
        membership.listed_at, membership.listed_wording = now, LISTING_WORDING
    membership.save()
    person = membership.participant
    consents.append(
        person, Purpose.LIST, is_given=is_listed, language=person.language, source=ConsentSource.MEMBER, now=now
    )
    audit("membership", membership.public_id, "delegation.confirmed", by=actors.PARTICIPANT, now=now, listed=is_listed)
    return membership


@transaction.atomic(durable=True)
@published
def decline(*, membership_id: int, now: datetime) -> None:
    """The nominated person does not come as a member: the place goes to the first in line. Raises NotAMember."""
    membership = active_member(membership_id)
    _refuse_who_was_there(membership)
    membership.answered_at = now
    _end(membership, MemberState.DECLINED, by=actors.PARTICIPANT, now=now)
    _give_back(membership, by=actors.PARTICIPANT, now=now)
