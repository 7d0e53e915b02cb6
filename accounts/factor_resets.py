"""A lost second factor: one administrator asks, another one confirms, and the person sets up a new one.

Neither is the person themself, and neither may be below them (accounts.roles). A wish that nobody confirms lapses.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import roles
from accounts.actors import Actor, audit_entry
from accounts.models import FactorReset, User
from alliance.exceptions import DomainError

GOOD_FOR = timedelta(days=3)
ASKED, DONE, WITHDRAWN, LAPSED = "factor.reset_asked", "factor.reset", "factor.reset_withdrawn", "factor.reset_lapsed"


class CannotReset(DomainError):
    """Not this person, or not now."""

    code = "cannot_reset_factor"
    message = _("You cannot reset this second factor.")


class NeedsAnother(CannotReset):
    """The one who asked, or the person themself, cannot confirm."""

    code = "needs_another_administrator"
    message = _("Another administrator must confirm: neither the one who asked nor the person themself.")


def may_act(by: User, user: User) -> bool:
    """Whether somebody may ask for, and confirm, the reset of another's factor."""
    return by.pk != user.pk and roles.is_administrator(by) and not roles.stands_above(user, by)


def open_reset(user: User, *, now: datetime) -> FactorReset | None:
    """The wish that waits for a second administrator."""
    waiting = FactorReset.objects.filter(user=user, closed_at=None, asked_at__gt=now - GOOD_FOR)
    return waiting.select_related("asked_by").first()


@transaction.atomic
def ask(user: User, *, by: User, now: datetime) -> FactorReset:
    """The first of two. Asking again while a wish waits changes nothing. Raises CannotReset."""
    User.objects.select_for_update().get(pk=user.pk)
    if not may_act(by, user) or not Authenticator.objects.filter(user=user).exists():
        raise CannotReset
    waiting = open_reset(user, now=now)
    if waiting is not None:
        return waiting
    if FactorReset.objects.filter(user=user, closed_at=None).update(closed_at=now):
        _record(LAPSED, user, by=by, now=now)
    wish = FactorReset.objects.create(user=user, asked_by=by, asked_at=now)
    _record(ASKED, user, by=by, now=now)
    return wish


@transaction.atomic
def confirm(user: User, *, by: User, now: datetime) -> None:
    """The second of two: all factors go, all sessions end. Raises CannotReset, NeedsAnother."""
    User.objects.select_for_update().get(pk=user.pk)
    wish = open_reset(user, now=now)
    if wish is None or not may_act(by, user):
        raise CannotReset
    if wish.asked_by_id == by.pk:
        raise NeedsAnother
    wish.confirmed_by, wish.closed_at = by, now
    wish.save(update_fields=["confirmed_by", "closed_at"])
    Authenticator.objects.filter(user=user).delete()
    for session in UserSession.objects.filter(user=user):
        session.end()
    _record(DONE, user, by=by, now=now)


@transaction.atomic
def withdraw(user: User, *, by: User, now: datetime) -> None:
    """The factor was found, or the wish was not genuine. Raises CannotReset."""
    if not may_act(by, user):
        raise CannotReset
    if FactorReset.objects.filter(user=user, closed_at=None).update(closed_at=now):
        _record(WITHDRAWN, user, by=by, now=now)


def _record(action: str, user: User, *, by: User, now: datetime) -> None:
    audit_entry(at=now, by=Actor.organiser(by), action=action, about_kind="user", about_id=user.public_id).save()
