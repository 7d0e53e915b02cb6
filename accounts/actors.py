"""Who acts: an argument of every service that changes something somebody must account for."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import ActorKind, ApiToken, AuditEntry, User


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who acts. user is set for people who signed in, and for a program with a token: who made the token."""

    kind: ActorKind
    user: User | None = field(default=None, repr=False)
    token: ApiToken | None = field(default=None, repr=False)

    @classmethod
    def organiser(cls, user: User) -> Actor:
        """A signed-in organiser."""
        return cls(ActorKind.ORGANISER, user)


PARTICIPANT = Actor(ActorKind.PARTICIPANT)
SYSTEM = Actor(ActorKind.SYSTEM)


def audit_entry(
    *, at: datetime, by: Actor, action: str, about_kind: str, about_id: UUID, details: dict[str, Any] | None = None
) -> AuditEntry:
    """An unsaved audit row. details: ids, states and reasons, never names or addresses."""
    return AuditEntry(
        at=at,
        actor_kind=by.kind,
        actor_user=by.user,
        action=action,
        about_kind=about_kind,
        about_id=about_id,
        details=(details or {}) | ({"token": str(by.token.public_id)} if by.token is not None else {}),
    )
