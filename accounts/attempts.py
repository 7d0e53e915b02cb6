"""How often somebody may try a password, a code or a reset: per account, per address, and per account from an address.

Counted in PostgreSQL, in one statement per limit, so that processes count together and a Redis that is away neither
locks people out nor opens the door. An attempt is counted before it is tried, and given back when it was right: many at
once get no further than one after the other. Only keyed hashes are stored.

The strict limit is that of one account from one address, so that a stranger cannot lock somebody out from elsewhere
cheaply; an address alone has room for an office behind one address (docs/decisions/0017-sign-in.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.actors import SYSTEM, audit_entry
from accounts.models import AttemptCount, User
from alliance import clients, crypto
from alliance.exceptions import DomainError

log = structlog.get_logger("accounts.attempts")

BLOCKED = "sign_in.blocked"
_KEPT = timedelta(days=1)

_COUNT = """
    INSERT INTO accounts_attemptcount AS had ("limit", who, starts_at, used) VALUES (%s, %s, %s, 1)
    ON CONFLICT ON CONSTRAINT attempt_count_once_per_span DO UPDATE SET used = had.used + 1 RETURNING used
"""
_GIVE_BACK = """
    UPDATE accounts_attemptcount SET used = used - 1 WHERE "limit" = %s AND who = %s AND starts_at = %s AND used > 0
"""


class TooMany(DomainError):
    """Somebody has tried too often. minutes: how long to wait."""

    code = "too_many_attempts"

    def __init__(self, minutes: int) -> None:
        self.minutes = minutes
        super().__init__(_("Too many attempts. Wait for %(minutes)d min, then try again.") % {"minutes": minutes})


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` attempts in each span of `minutes`. by: "account", "address" or "both"."""

    name: str
    by: str
    most: int
    minutes: int


LIMITS: dict[str, tuple[Limit, ...]] = {
    "password": (
        Limit("password-both", "both", 10, 15),
        Limit("password-account", "account", 50, 60),
        Limit("password-address", "address", 100, 15),
    ),
    "code": (
        Limit("code-account", "account", 10, 15),
        Limit("code-address", "address", 100, 15),
    ),
    "reset": (
        Limit("reset-account", "account", 5, 60),
        Limit("reset-address", "address", 60, 60),
    ),
}


@dataclass(frozen=True, slots=True)
class Claim:
    """An attempt that was counted."""

    spans: Sequence[tuple[str, bytes, datetime]]

    def give_back(self) -> None:
        """It was right: it does not count."""
        with connection.cursor() as cursor:
            for span in self.spans:
                cursor.execute(_GIVE_BACK, span)


def claim(kind: str, request: HttpRequest, *, account: str, now: datetime | None = None) -> Claim:
    """Count an attempt before it is tried. account: the address that was typed, known or not. Raises TooMany.

    The same statements run for known and unknown accounts, also when a limit is reached.
    """
    now = now or timezone.now()
    account, address = account.strip().casefold(), clients.network_of(request)
    parts = {"account": account, "address": address, "both": f"{account}\x1f{address}"}
    spans: list[tuple[str, bytes, datetime]] = []
    wait, reached = 0, ""
    with connection.cursor() as cursor:
        for limit in LIMITS[kind]:
            seconds = limit.minutes * 60
            starts = datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)
            span = (limit.name, crypto.blind_index(f"attempt-{limit.by}", parts[limit.by]), starts)
            cursor.execute(_COUNT, span)
            (used,) = cursor.fetchone()
            spans.append(span)
            if used > limit.most:
                left = (starts + timedelta(seconds=seconds) - now).total_seconds()
                wait = max(wait, math.ceil(left / 60), 1)
                if used == limit.most + 1:
                    reached = limit.name
    if reached:
        _record(account, reached, now=now)
    if wait:
        raise TooMany(wait)
    return Claim(spans)


def _record(account: str, limit: str, *, now: datetime) -> None:
    """Once per span: about the account, or about nobody, under an id that says only whether it was the same again."""
    user = User.objects.filter(email__iexact=account).first()
    about = user.public_id if user is not None else UUID(bytes=crypto.blind_index("attempt-id", account)[:16])
    audit_entry(at=now, by=SYSTEM, action=BLOCKED, about_kind="user", about_id=about, details={"limit": limit}).save(
        force_insert=True
    )
    log.warning("attempts_blocked", limit=limit)


def forget_old(*, now: datetime) -> int:
    """Delete counts of spans that are long over; how many."""
    return AttemptCount.objects.filter(starts_at__lt=now - _KEPT).delete()[0]
