"""Naming who may look behind an alias, and looking: with a reason, on the record, and never unseen by the guardians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts import safe_mails
from accounts.actors import Actor, audit_entry
from accounts.models import Safe, SafeKeeper, SafeOpening, User
from alliance.exceptions import DomainError

LEAST_REASON = 10  # characters; "test" and "x" are no reasons
MOST_REASON = 500


class NotAKeeper(DomainError):
    """The user is not on the list, whatever else they may do."""

    code = "not_a_keeper"
    message = _("You are not among the people who are named to open this record. Ask one of them.")


class ReasonMissing(DomainError):
    """No reason, or none that says anything."""

    code = "reason_missing"
    message = _("Say in a sentence why you need to know. The guardians can read it.")


class NamedThemselves(DomainError):
    """It takes somebody else to let a person look."""

    code = "named_themselves"
    message = _("Nobody names themselves. Ask somebody else with this right to name you.")


class NobodyIsTold(DomainError):
    """Readers without a guardian would look unseen."""

    code = "nobody_is_told"
    message = _("Name somebody who is told of each opening, and who is not the only one who opens.")


@dataclass(frozen=True, slots=True)
class Named:
    """A keeper as wanted. user_id: of somebody who signs in."""

    user_id: int
    may_open: bool
    is_told: bool


def make(*, now: datetime) -> Safe:
    """A new safe that nobody may open yet. In the caller's transaction."""
    return Safe.objects.create(made_at=now)


def name_keepers(safe: Safe, wanted: Sequence[Named], *, by: Actor, now: datetime) -> bool:
    """Make the list of keepers what is wanted, in the caller's transaction; whether it changed.

    The guardians of before and of now are told. Raises NamedThemselves, NobodyIsTold.
    """
    locked = Safe.objects.select_for_update().get(pk=safe.pk)
    before = {one.user_id: one for one in locked.keepers.all()}
    after = {one.user_id: one for one in wanted if one.may_open or one.is_told}
    readers = {one.user_id for one in after.values() if one.may_open}
    told = {one.user_id for one in after.values() if one.is_told}
    if any(not told - {reader} for reader in readers):
        raise NobodyIsTold
    changed = []
    for user_id, one in after.items():
        known = before.get(user_id)
        if known is not None and (known.may_open, known.is_told) == (one.may_open, one.is_told):
            continue
        may_open_before = known is not None and known.may_open
        if by.user is None or (by.user.pk == user_id and one.may_open and not may_open_before):
            raise NamedThemselves
        changed.append(one)
    gone = set(before) - set(after)
    if not changed and not gone:
        return False
    guardians = {pk for pk, one in before.items() if one.is_told} | told
    locked.keepers.filter(user_id__in=gone | {one.user_id for one in changed}).delete()
    SafeKeeper.objects.bulk_create(
        SafeKeeper(
            safe=locked,
            user_id=one.user_id,
            may_open=one.may_open,
            is_told=one.is_told,
            # Who changes how they are named themselves was named by somebody before, who stays on the record.
            named_by_id=before[one.user_id].named_by_id
            if by.user.pk == one.user_id and one.user_id in before  # type: ignore[union-attr]
            else by.user.pk,  # type: ignore[union-attr]
            named_at=now,
        )
        for one in changed
    )
    names = {user.pk: str(user.public_id) for user in User.objects.filter(pk__in=set(after) | gone)}
    _audit(locked, "keepers_named", by=by, now=now, readers=sorted(names[pk] for pk in readers))
    outbox.services.queue(safe_mails.about(locked, guardians, "keepers", by=by.user, now=now))
    return True


def is_reader(safe: Safe, user: User) -> bool:
    """Whether the user is named to open the safe. No role and no right of the house counts."""
    return user.is_active and safe.keepers.filter(user=user, may_open=True).exists()


def open_safe(safe: Safe, *, reason: str, by: Actor, now: datetime) -> SafeOpening:
    """Write down that somebody looks, and tell the guardians; the caller reads what is inside in the same transaction.

    Raises NotAKeeper, ReasonMissing, NobodyIsTold (all guardians have left the house since).
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a safe is opened in the transaction that writes it down")
    if by.user is None or not is_reader(Safe.objects.select_for_update().get(pk=safe.pk), by.user):
        raise NotAKeeper
    words = " ".join(reason.split())[:MOST_REASON]
    if len(words) < LEAST_REASON:
        raise ReasonMissing
    guardians = set(safe.keepers.filter(is_told=True, user__is_active=True).values_list("user_id", flat=True))
    if not guardians - {by.user.pk}:
        raise NobodyIsTold
    opening = SafeOpening.objects.create(safe=safe, user=by.user, at=now, reason=words)
    _audit(safe, "opened", by=by, now=now)
    outbox.services.queue(safe_mails.about(safe, guardians - {by.user.pk}, "opened", by=by.user, now=now))
    return opening


def check_may_undo(safe: Safe, *, by: Actor) -> None:
    """Raises NotAKeeper for users who would bring to light, by ending a protection, what they may not open.

    Participants end their own (they are no users).
    """
    if by.user is not None and not is_reader(safe, by.user):
        raise NotAKeeper


def note_change(safe: Safe, action: str, *, by: Actor, now: datetime) -> None:
    """Write down that what the safe belongs to was changed, in the caller's transaction. action: protected, lifted."""
    _audit(safe, action, by=by, now=now)


def _audit(safe: Safe, action: str, *, by: Actor, now: datetime, **details: object) -> None:
    """About the safe, not the person: who reads the trail of a person must not see that there is one."""
    audit_entry(
        at=now, by=by, action=f"safe.{action}", about_kind="safe", about_id=safe.public_id, details=dict(details)
    ).save()
