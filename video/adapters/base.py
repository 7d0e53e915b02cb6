"""What every platform must be able to do for us, or say that it cannot.

One adapter per platform stands behind this interface; the rest of the house never learns which one it talks to. All
times are aware UTC. Whatever holds an address, a name or a passcode keeps it out of its repr, so that no log line and
no traceback can show it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from video.adapters.errors import Unavailable, Unsupported
from video.models import HostAccount, Meeting

LONGEST = 10.0  # seconds for one call
_LEAST = 0.05  # seconds; with less left a call is not begun


@dataclass(frozen=True, slots=True)
class SessionSpec:
    """The meeting we want on the platform. language, interpretation: codes; capacity: places, None for no limit.

    is_recordable: False when somebody takes part who must not be recorded: then it is made with recording off.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    language: str = "en"
    interpretation: tuple[str, ...] = ()
    capacity: int | None = None
    is_recordable: bool = True  # stays last: video.services.rooms leaves it out of the fingerprint where it is so


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
    email: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Presence:
    """That somebody was there. Matched by what we entered them with, never by name; unknown times are None."""

    registrant_id: str
    joined_at: datetime | None
    left_at: datetime | None
    email: str = field(default="", repr=False)  # the one we entered them with, where there is no id


class WebhookKind(StrEnum):
    """What a platform tells us without being asked."""

    JOINED = "joined"
    LEFT = "left"
    STARTED = "started"
    ENDED = "ended"
    CHANGED = "changed"
    DELETED = "deleted"
    CANCELLED = "cancelled"  # somebody was taken off or refused over there
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """An authentic message from the platform."""

    kind: WebhookKind
    session_id: str
    registrant_id: str = ""
    at: datetime | None = None
    email: str = field(default="", repr=False)  # the one we entered them with, where there is no id; never stored


@dataclass(frozen=True, slots=True)
class WebhookChallenge:
    """The platform asks whether the address is ours; answer with this body."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WebhookRejected:
    """Not authentic, stale or unreadable. reason: a fixed word for the log."""

    reason: str


WebhookResult = WebhookEvent | WebhookChallenge | WebhookRejected


@dataclass(frozen=True, slots=True)
class Facts:
    """What a platform is able to do, for organisers to know before. languages: codes it interprets; None for any.

    changes_interpretation: whether it can be told of other languages once the room is made.
    forbids_recording: whether a meeting can be made with recording off. hosts: the ends of host names that its personal
    addresses have; empty: any.
    """

    has_registrants: bool = False
    forbids_recording: bool = False
    languages: frozenset[str] | None = None
    changes_interpretation: bool = True
    hosts: tuple[str, ...] = ()


class Adapter(Protocol):
    """A platform, used under one host account. Every operation may raise any VideoError; Unsupported where it has none.

    key is ours, stable and unique: after an unknown outcome, find_session(key) tells whether the first call worked.
    """

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """account: whose credentials are used. within: seconds for all its calls together; None: LONGEST for each."""
        ...

    @classmethod
    def facts(cls) -> Facts:
        """What the platform is able to do."""
        ...

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Make the meeting on the platform, without registrants yet; the platform must not write to anybody."""
        ...

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """Bring title, times and languages on the platform up to date. Doing it twice is harmless."""
        ...

    def cancel(self, meeting: Meeting) -> None:
        """Take the meeting off the platform; the platform must not write to anybody. Gone already is fine."""
        ...

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """The meeting made with our key, if the platform has it."""
        ...

    def add_registrant(self, meeting: Meeting, attendee: Attendee) -> RemoteRegistrant:
        """Enter somebody; the platform must not write to them."""
        ...

    def registrants(self, meeting: Meeting) -> Iterator[RemoteRegistrant]:
        """Everybody entered, in whatever status, page by page."""
        ...

    def find_registrant(self, meeting: Meeting, *, email: str) -> RemoteRegistrant | None:
        """Somebody by address, in whatever status they are."""
        ...

    def set_status(self, meeting: Meeting, registrants: Sequence[RemoteRegistrant], action: RegistrantAction) -> None:
        """Approve, deny or cancel some."""
        ...

    def remove(self, meeting: Meeting, registrant_id: str) -> None:
        """Delete somebody from the platform. Gone already is fine."""
        ...

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """The address to redirect to now, where the platform computes it. A secret: never store, mail or log it."""
        ...

    def attendance(self, meeting: Meeting) -> Sequence[Presence]:
        """Who was there, as far as the platform knows."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookResult:
        """What a call from the platform says, after its signature over the raw bytes was checked."""
        ...


def names_of(display_name: str) -> tuple[str, str]:
    """Two names, for platforms that want two; an alias of one word gets a dash."""
    first, _blank, last = display_name.strip().rpartition(" ")
    return (first[:64], last[:64]) if first else (display_name[:64], "-")


class Plain:
    """An adapter that says Unsupported to everything; others override what they have."""

    def __init__(self, account: HostAccount | None, *, within: float | None = None) -> None:
        """account: whose credentials are used. within: seconds for all its calls together; None: LONGEST for each."""
        self.account = account
        self._until = None if within is None else time.monotonic() + within

    def _left(self) -> float:
        """Seconds for the next call. Raises Unavailable when there are none left: nothing has happened then."""
        left = LONGEST if self._until is None else min(LONGEST, self._until - time.monotonic())
        if left < _LEAST:
            raise Unavailable
        return left

    @classmethod
    def facts(cls) -> Facts:
        """What the platform is able to do."""
        return Facts()

    def create_session(self, meeting: Meeting, spec: SessionSpec, *, key: str) -> RemoteSession:
        """Nothing to create."""
        raise Unsupported

    def update(self, meeting: Meeting, spec: SessionSpec) -> None:
        """Nothing to update."""
        raise Unsupported

    def cancel(self, meeting: Meeting) -> None:
        """Nothing to cancel."""
        raise Unsupported

    def find_session(self, meeting: Meeting, *, key: str) -> RemoteSession | None:
        """Nothing to find."""
        raise Unsupported

    def add_registrant(self, meeting: Meeting, attendee: Attendee) -> RemoteRegistrant:
        """Nobody is entered."""
        raise Unsupported

    def registrants(self, meeting: Meeting) -> Iterator[RemoteRegistrant]:
        """Nobody is known."""
        raise Unsupported

    def find_registrant(self, meeting: Meeting, *, email: str) -> RemoteRegistrant | None:
        """Somebody by address: looked for among all, where the platform cannot be asked better."""
        wanted = email.casefold()
        return next((found for found in self.registrants(meeting) if found.email.casefold() == wanted), None)

    def set_status(self, meeting: Meeting, registrants: Sequence[RemoteRegistrant], action: RegistrantAction) -> None:
        """Nobody is known."""
        raise Unsupported

    def remove(self, meeting: Meeting, registrant_id: str) -> None:
        """Nobody is known."""
        raise Unsupported

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """Nothing is computed."""
        raise Unsupported

    def attendance(self, meeting: Meeting) -> Sequence[Presence]:
        """Only our own gateway's clicks are known."""
        raise Unsupported

    def parse_webhook(self, headers: Mapping[str, str], raw: bytes, *, now: datetime) -> WebhookResult:
        """The platform calls nobody: whatever comes is not from it."""
        return WebhookRejected("no_webhooks")
