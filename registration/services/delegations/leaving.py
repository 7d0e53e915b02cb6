"""Ending a nomination, and naming somebody else in its place."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

import outbox.services
from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import crypto
from events.releases.reading import published
from registration.delegations import mails as delegation_mails
from registration.joining import platform_handlers
from registration.letters import messages
from registration.models import (
    Admission,
    JoinNetwork,
    Membership,
    MemberState,
    Places,
    Registration,
    RegistrationStatus,
)
from registration.services import once, pairs, waiting_list
from registration.services.delegations.members import (
    New,
    active_member,
    audit,
    free_addresses,
    new_person,
    write_members,
)
from registration.services.delegations.nominees import CannotChange, NominationRefused, Nominee, Problem

PASSED_ON = "registration.passed_on"  # in the audit trail, with whose it was before


@transaction.atomic(durable=True)
@published
def withdraw(*, membership_id: int, by: Actor, now: datetime, during: once.During = once.NOTHING) -> Membership:
    """End a nomination: the place goes to the first in line, the person is told. Raises NotAMember, CannotChange."""
    during.begin(now=now)
    membership = active_member(membership_id)
    during.found(membership)
    refuse_who_was_there(membership)
    end(membership, MemberState.WITHDRAWN, by=by, now=now)
    outbox.services.queue([delegation_mails.ended(membership, now=now)])
    give_back(membership, by=by, now=now)
    during.done([membership])
    return membership


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
    person, key = new_person(before.delegation, nominee, now=now)
    with transaction.atomic(durable=True):
        during.begin(now=now)
        membership = active_member(membership_id)
        during.found(membership)
        delegation = membership.delegation
        known = Membership.objects.active().filter(delegation=delegation, participant__email_index=person.email_index)
        if known.exists():
            raise NominationRefused([Problem(nominee.row, _("You have nominated this address already."))])
        refuse_who_was_there(membership)
        end(membership, MemberState.REPLACED, by=by, now=now)
        free_addresses([person])
        (new,) = write_members(
            delegation, [New(nominee, person, key)], by=by, now=now, action="substituted", replaces=membership
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
        JoinNetwork.objects.filter(registration=seat).delete()  # from where the one before has joined
        audit(
            "registration", seat.public_id, PASSED_ON, by=by, now=now, status=seat.status,
            **{"from": str(membership.participant.public_id)},
        )  # fmt: skip
        during.done([new])
    return new


def refuse_who_was_there(membership: Membership) -> None:
    """Raise CannotChange when the member has attended already, or was noted as absent."""
    been = Registration.objects.filter(
        participant_id=membership.participant_id, status__in=[RegistrationStatus.ATTENDED, RegistrationStatus.ABSENT]
    )
    if been.exists():
        raise CannotChange


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


def end(membership: Membership, state: MemberState, *, by: Actor, now: datetime) -> None:
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


def give_back(membership: Membership, *, by: Actor, now: datetime) -> None:
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
