"""Requests that may be sent twice and are carried out once: what the API needs inside the transaction of a service.

The answer is kept in the transaction of its effect: either both are there, or neither. It names rows by public ids and
holds no personal data, so that nothing of a person needs to be erased here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils.translation import gettext_lazy

from alliance import crypto
from alliance.exceptions import DomainError
from registration.models import IdempotencyKey, Membership

KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a registration stands that a service has just made. rank: from 1, on the waiting list."""

    status: str
    rank: int | None


class During:
    """What a caller wants done inside the transaction of a service. This one wants nothing."""

    def begin(self, *, now: datetime) -> None:
        """First of all, before anything is locked or changed."""

    def found(self, membership: Membership) -> None:
        """The row is found and its delegation locked; nothing is changed yet. May raise to refuse."""

    def done(self, members: Sequence[Membership], standings: Sequence[Standing] | None = None) -> None:
        """Last: everything is changed. members: the new ones, or the one that was changed. standings: of each of them,
        where the service knows it.
        """


NOTHING = During()


class KeyUsedBefore(DomainError):
    """The key came with another request before."""

    code = "idempotency-key-reused"
    message = gettext_lazy("This Idempotency-Key came with another request before. Make a new key for each request.")


class DoneBefore(Exception):
    """The request was carried out before. Not an error: answer is what was said then."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("done before")
        self.answer = answer


@dataclass(slots=True)
class Once(During):
    """Carries a request out at most once in 24 hours for each key of a token.

    scope: whose key it is. key: what the program sent; None: nothing is kept. request: everything that must be the
    same in a repeat; only a keyed hash of it is stored. answer: makes what is kept, from the members that came of it.
    check: may refuse once the row is locked.
    """

    scope: str
    key: str | None
    request: str
    answer: Callable[[Sequence[Membership], Sequence[Standing] | None], dict[str, Any]]
    check: Callable[[Membership], None] | None = None
    said: dict[str, Any] = field(default_factory=dict)
    _row: int | None = None

    def begin(self, *, now: datetime) -> None:
        """Take the key. Of two at once the second waits here for the first. Raises DoneBefore, KeyUsedBefore."""
        if self.key is None:
            return
        key_hash = crypto.token_hash(self.key)
        body_hash = crypto.blind_index("api-request", self.request)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO registration_idempotencykey AS kept (scope, key_hash, body_hash, answer, created_at) "
                "VALUES (%s, %s, %s, '{}', %s) ON CONFLICT (scope, key_hash) DO UPDATE "
                "SET body_hash = EXCLUDED.body_hash, answer = EXCLUDED.answer, created_at = EXCLUDED.created_at "
                "WHERE kept.created_at < %s RETURNING id",
                [self.scope, key_hash, body_hash, now, now - KEPT],
            )
            row = cursor.fetchone()
        if row is None:
            kept = IdempotencyKey.objects.get(scope=self.scope, key_hash=key_hash)
            if bytes(kept.body_hash) != body_hash:
                raise KeyUsedBefore
            raise DoneBefore(kept.answer)
        self._row = row[0]

    def found(self, membership: Membership) -> None:
        """Ask the check."""
        if self.check is not None:
            self.check(membership)

    def done(self, members: Sequence[Membership], standings: Sequence[Standing] | None = None) -> None:
        """Keep the answer beside its effect."""
        self.said = self.answer(members, standings)
        if self._row is not None:
            IdempotencyKey.objects.filter(pk=self._row).update(answer=self.said)
