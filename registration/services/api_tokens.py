"""Tokens for programs: making one, finding the one a request brings, revoking.

A token can never do more than the person who made it: it stops when their account is switched off, when they are no
focal point of the delegation any more, or when they lose the right to look after delegations of the conference. Only
the hash is stored. Making, revoking and every write stand in the audit trail.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy

from accounts import actors
from accounts.actors import Actor
from accounts.models import ApiToken, User
from alliance import crypto
from alliance.exceptions import DomainError
from events.models import Session
from registration.models import ApiGrant, Delegation, FocalPoint
from registration.models.api_grant import OF_DELEGATIONS, OF_SESSIONS

BEGINS = "all_"  # so that people and scanners of leaked secrets know ours
LONGEST = timedelta(days=366)
MOST = 20  # working tokens of one delegation or side event
_SHOWN = len(BEGINS) + 8
_USE_NOTED_EVERY = timedelta(minutes=5)
_RIGHT = "registration.change_delegation"


class TokenRefused(DomainError):
    """A token cannot be made like that."""

    code = "token-refused"
    message = gettext_lazy("Choose at least one use and an end within a year.")


class TooManyTokens(DomainError):
    """Somebody makes tokens and revokes none."""

    code = "too-many-tokens"
    message = gettext_lazy("There are 20 tokens that work. Revoke one that is not needed before you make another one.")


@dataclass(frozen=True, slots=True)
class Made:
    """A new token. secret is shown once and stored nowhere."""

    grant: ApiGrant
    secret: str


def make(
    *,
    target: Delegation | Session,
    label: str,
    scopes: Sequence[str],
    expires_at: datetime,
    by: Actor,
    now: datetime,
) -> Made:
    """A new token for a delegation or a side event. The caller has checked that the person looks after it.

    Raises TokenRefused, TooManyTokens.
    """
    allowed = OF_DELEGATIONS if isinstance(target, Delegation) else OF_SESSIONS
    wanted = [scope.value for scope in allowed if scope.value in scopes]
    if by.user is None or not wanted or len(wanted) != len(set(scopes)) or not now < expires_at <= now + LONGEST:
        raise TokenRefused
    binding = {"delegation" if isinstance(target, Delegation) else "session": target}
    secret = BEGINS + secrets.token_urlsafe(32)
    with transaction.atomic():
        # Whoever makes another one for the same waits here, so that the number is kept.
        list(type(target)._default_manager.select_for_update(no_key=True).filter(pk=target.pk))
        if ApiGrant.objects.filter(**binding, token__revoked_at=None, token__expires_at__gt=now).count() >= MOST:
            raise TooManyTokens
        token = ApiToken.objects.create(
            owner=by.user,
            label=label,
            prefix=secret[:_SHOWN],
            secret_hash=crypto.token_hash(secret),
            scopes=wanted,
            expires_at=expires_at,
        )
        grant = ApiGrant.objects.create(token=token, **binding)
        _audit(grant, "api-token.made", by=by, now=now, scopes=wanted)
    return Made(grant, secret)


def revoke(*, grant: ApiGrant, by: Actor, now: datetime) -> None:
    """The token works no more, at once. Revoking twice is fine."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=now):
            _audit(grant, "api-token.revoked", by=by, now=now)


def revoke_leaked(secret: str, *, now: datetime) -> None:
    """A token that stood in an address is in logs and histories by now: nobody who reads them may use it."""
    grant = ApiGrant.objects.select_related("token").filter(token__secret_hash=crypto.token_hash(secret)).first()
    if grant is not None:
        with transaction.atomic():
            if ApiToken.objects.filter(pk=grant.pk, revoked_at=None).update(revoked_at=now):
                _audit(grant, "api-token.leaked", by=actors.SYSTEM, now=now)


def _audit(grant: ApiGrant, action: str, *, by: Actor, now: datetime, **details: object) -> None:
    about = {"delegation": str(grant.delegation.public_id)} if grant.delegation else {}
    about |= {"session": str(grant.session.public_id)} if grant.session else {}
    actors.audit_entry(
        at=now,
        by=by,
        action=action,
        about_kind="api_token",
        about_id=grant.token.public_id,
        details=about | details,
    ).save()


def find(secret: str) -> ApiGrant | None:
    """The grant of a token, whatever its state; None for an unknown one. One query, also for still_stands."""
    mine = FocalPoint.objects.filter(delegation=OuterRef("delegation"), user=OuterRef("token__owner"))
    return (
        ApiGrant.objects.select_related(
            "token__owner", "delegation__conference", "delegation__country", "delegation__organisation", "session"
        )
        .annotate(is_of_focal_point=Exists(mine))
        .filter(token__secret_hash=crypto.token_hash(secret))
        .first()
    )


def still_stands(grant: ApiGrant) -> bool:
    """Whether the person who made the token could make it today. Asks less of a grant that find() gave."""
    owner: User = grant.token.owner
    if not owner.is_active:
        return False
    is_of_focal_point = vars(grant).get("is_of_focal_point")
    if is_of_focal_point is None and grant.delegation_id:
        is_of_focal_point = FocalPoint.objects.filter(delegation=grant.delegation_id, user=owner.pk).exists()
    if is_of_focal_point:
        return True
    return owner.access.may(_RIGHT, grant.delegation or grant.session)


def note_use(token: ApiToken, *, now: datetime) -> None:
    """Keep when a token was used, at most every five minutes. Never waits: a row that is locked is left as it is."""
    if token.last_used_at is not None and now - token.last_used_at < _USE_NOTED_EVERY:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_apitoken SET last_used_at = %s WHERE id IN "
            "(SELECT id FROM accounts_apitoken WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)",
            [now, token.pk],
        )
