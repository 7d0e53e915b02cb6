"""What every platform must be able to do for us, or say that it cannot.

One adapter per platform stands behind this interface; the rest of the house never learns which one it talks to. All
times are aware UTC. Whatever holds an address, a name or a passcode keeps it out of its repr, so that no log line and
no traceback can show it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from video.models import Meeting


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """The meeting we want on the platform. language: a code of the house; capacity: places, None for no limit."""

    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    language: str = "en"
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class RemoteSession:
    """The meeting as the platform knows it."""

    provider_id: str
    address: str = field(default="", repr=False)
    host_address: str = field(default="", repr=False)
    passcode: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody who may come in. display_name is the alias where the person chose one; no other name exists here."""

    public_id: UUID
    display_name: str = field(repr=False)
    email: str = field(default="", repr=False)
    language: str = "en"


class RegistrantStatus(StrEnum):
    """Where somebody stands on the platform."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


class RegistrantAction(StrEnum):
    """What can be done with somebody on the platform."""

    APPROVE = "approve"
    DENY = "deny"
    CANCEL = "cancel"


@dataclass(frozen=True, slots=True)
class RemoteRegistrant:
    """Somebody as the platform knows them. join_url is empty where the platform makes it at the click."""

    provider_id: str
    status: RegistrantStatus
    join_url: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Presence:
    """That somebody was there. Matched by the registrant's id, never by name; unknown times are None."""

    registrant_id: str
    joined_at: datetime | None
    left_at: datetime | None


class WebhookKind(StrEnum):
    """What a platform tells us without being asked."""

    JOINED = "joined"
    LEFT = "left"
    STARTED = "started"
    ENDED = "ended"
    CHANGED = "changed"
    DELETED = "deleted"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An authentic message from the platform."""

    kind: WebhookKind
    session_id: str
    registrant_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WebhookChallenge:
    """The platform asks whether the address is ours; answer with this body."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookRejected:
    """Not authentic, stale or unreadable. reason: a fixed word for the log."""

    reason: str


WebhookResult = WebhookEvent | WebhookChallenge | WebhookRejected


class Adapter(Protocol):
    """A platform. Every operation may raise any VideoError (video.adapters.errors); Unsupported where it has none.

    key is ours, stable and unique: after an unknown outcome, find_session(key) tells whether the first call worked.
    """

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Make the meeting on the platform."""
        ...

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """Bring title and times on the platform up to date."""
        ...

    def cancel(self, meeting: Meeting) -> None:
        """Take the meeting off the platform; the platform must not write to anybody."""
        ...

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """The meeting made with our key, if the platform has it."""
        ...

    def add_registrant(self, meeting: Meeting, attendee: Attendee) -> RemoteRegistrant:
        """Enter somebody; the platform must not write to them."""
        ...

    def find_registrant(self, meeting: Meeting, *, email: str) -> RemoteRegistrant | None:
        """Somebody by address, in whatever status they are."""
        ...

    def set_status(self, meeting: Meeting, registrant_ids: Sequence[str], action: RegistrantAction) -> None:
        """Approve, deny or cancel some."""
        ...

    def remove(self, meeting: Meeting, registrant_id: str) -> None:
        """Delete somebody from the platform."""
        ...

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """The address to redirect this person to at this moment. A secret: never store, mail or log it."""
        ...

    def attendance(self, meeting: Meeting) -> Sequence[Presence]:
        """Who was there, as far as the platform knows."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], raw: bytes) -> WebhookResult:
        """What a call from the platform says, after its signature over the raw bytes was checked."""
        ...
