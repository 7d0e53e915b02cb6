"""Nominating people: all of a list, or nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from alliance import crypto, inserts
from alliance.db import constraint_name
from events.releases.reading import published
from registration.delegations import mails as delegation_mails
from registration.letters import messages
from registration.models import (
    Admission,
    ApprovalMode,
    AttendanceMode,
    Delegation,
    DelegationCapacity,
    Membership,
    Registration,
    RegistrationStatus,
)
from registration.models.delegation_member import ACTIVE_STATES, member_index
from registration.models.registration import REASON_AUDIENCE
from registration.services import once, places
from registration.services.delegations.members import New, audit_row, free_addresses, locked, new_person, write_members
from registration.services.delegations.nominees import HeadIsNamed, Nominated, NominationRefused, Nominee, Problem

MOST_AT_ONCE = 100


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
    made = [new_person(delegation, nominee, now=now) for nominee in nominees[: MOST_AT_ONCE + 1]]  # slow: before locks
    try:
        with transaction.atomic(durable=True):
            during.begin(now=now)
            delegation = locked(delegation_id)
            earlier, ways = _known(delegation), _ways(delegation)
            if problems := _problems(delegation, nominees, earlier, ways, now=now):
                raise NominationRefused(problems)
            new = [New(nominee, person, key) for nominee, (person, key) in zip(nominees, made, strict=True)]
            left = {one.index for one in earlier if not one.is_active}
            free_addresses([one.person for one in new if one.person.email_index in left])
            members = write_members(delegation, new, by=by, now=now, action="nominated")
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
    entries = [audit_row("registration", row.public_id, "registration.received", by=by, now=now) for row in made]
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
