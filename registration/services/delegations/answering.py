"""The member's own link and answer."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

import outbox.services
from accounts import actors
from alliance import crypto
from events.releases.reading import published
from outbox.models import Message
from registration.delegations import mails as delegation_mails
from registration.letters import messages
from registration.models import (
    ConsentSource,
    Membership,
    MemberState,
    Purpose,
)
from registration.services import consents
from registration.services.delegations.leaving import end, give_back, refuse_who_was_there
from registration.services.delegations.members import active_member, audit
from registration.services.delegations.nominees import NotAMember

LISTING_WORDING = "2026-11"  # changes with the sentence of consent on the answer page


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
    refuse_who_was_there(membership)
    membership.answered_at = now
    end(membership, MemberState.DECLINED, by=actors.PARTICIPANT, now=now)
    give_back(membership, by=actors.PARTICIPANT, now=now)
