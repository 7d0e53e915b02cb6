"""What signing in leaves behind: lines in the audit trail, and the mark of a session that has shown its factor."""

from __future__ import annotations

from typing import Any

from allauth.account.signals import authentication_step_completed, user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.http import HttpRequest
from django.utils import timezone

from accounts import second_factor
from accounts.actors import Actor, audit_entry
from accounts.models import ActorKind, User

SIGNED_IN = "sign_in"
ADDED, REMOVED, RENEWED = "factor.added", "factor.removed", "factor.codes_renewed"
PASSWORD_CHANGED, PASSWORD_RESET = "password.changed", "password.reset"
_STRONG = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def record(user: User, action: str, **details: str) -> None:
    """A line about somebody's own account."""
    by = Actor(ActorKind.ORGANISER, user)
    audit_entry(
        at=timezone.now(), by=by, action=action, about_kind="user", about_id=user.public_id, details=details
    ).save(force_insert=True)


def _signed_in(sender: Any, request: HttpRequest, user: User, **more: Any) -> None:
    record(user, SIGNED_IN, second_factor="yes" if second_factor.is_shown(request, user) else "no")


def _step(sender: Any, request: HttpRequest, user: User, method: str, **more: Any) -> None:
    if method == "mfa":
        second_factor.mark(request, user)


def _added(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    if authenticator.type in _STRONG:
        second_factor.mark(request, user)
    record(user, ADDED, type=str(authenticator.type))


def _removed(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    if not Authenticator.objects.filter(user_id=user.pk, type__in=_STRONG).exists():
        second_factor.unmark(request)
    record(user, REMOVED, type=str(authenticator.type))


def _renewed(sender: Any, request: HttpRequest, user: User, authenticator: Authenticator, **more: Any) -> None:
    record(user, RENEWED)


def register() -> None:
    """Listen to the library. Called when the app is ready."""
    authentication_step_completed.connect(_step, dispatch_uid="house-step")
    user_logged_in.connect(_signed_in, dispatch_uid="house-signed-in")
    authenticator_added.connect(_added, dispatch_uid="house-added")
    authenticator_removed.connect(_removed, dispatch_uid="house-removed")
    authenticator_reset.connect(_renewed, dispatch_uid="house-renewed")
