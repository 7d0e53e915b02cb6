"""My agenda: what a reader picked of the programmes. It is in a cookie of theirs and nowhere else.

The cookie holds public ids of sessions and when each was to begin as the reader saw it, signed, at most 100 of them. It
names nobody, it is set only when somebody adds something, and no row of ours knows of it. What somebody attends is a
secret of theirs: pages made from it are kept nowhere, and the address to subscribe to holds picked ids and no person.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from events.models import Conference, Session, SessionState
from events.models.session import session_end

MOST = 100  # with the signature 2.8 kB of the 4 kB that browsers keep
_YEAR = 365 * 24 * 3600  # seconds
_ITEM = struct.Struct(">16sI")  # public id, minutes since 1970 (0: no time was known)
_LONGEST = 4000  # characters
_COOKIE_SALT = "events.agenda.cookie"
_ADDRESS_SALT = "events.agenda.address"


@dataclass(frozen=True, slots=True)
class Pick:
    """A picked session, and when it was to begin as the reader last saw it (None: not known then)."""

    public_id: UUID
    seen: datetime | None = None


def _minutes(instant: datetime | None) -> int:
    """As the cookie has it. What was before 1970 counts as not known: it is over anyway."""
    return max(int(instant.timestamp()) // 60, 0) if instant else 0


def _pack(content: bytes, salt: str) -> str:
    return signing.Signer(salt=salt).sign(base64.urlsafe_b64encode(content).rstrip(b"=").decode())


def _unpack(text: str, salt: str) -> bytes:
    """What was signed; nothing for what we did not sign."""
    if len(text) > _LONGEST:
        return b""
    try:
        value = signing.Signer(salt=salt).unsign(text)
        return base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    except (signing.BadSignature, binascii.Error, ValueError):
        return b""


def cookie_name() -> str:
    """The name of the cookie; on a secure site browsers then refuse one from anywhere else."""
    return "__Host-agenda" if settings.IS_SECURE else "agenda"


def read(request: HttpRequest) -> list[Pick]:
    """What the reader picked, in the order of picking. A cookie that we did not make counts as none."""
    content = _unpack(request.COOKIES.get(cookie_name(), ""), _COOKIE_SALT)
    if len(content) % _ITEM.size:
        return []
    return [
        Pick(UUID(bytes=public_id), datetime.fromtimestamp(minutes * 60, UTC) if minutes else None)
        for public_id, minutes in _ITEM.iter_unpack(content)
    ]


def write(response: HttpResponse, picks: Sequence[Pick]) -> None:
    """Keep the picks in the reader's browser for a year; an empty agenda leaves no cookie behind."""
    name = cookie_name()
    if not picks:
        response.delete_cookie(name, samesite="Lax")
        return
    content = b"".join(_ITEM.pack(pick.public_id.bytes, _minutes(pick.seen)) for pick in picks)
    response.set_cookie(
        name,
        _pack(content, _COOKIE_SALT),
        max_age=_YEAR,
        secure=settings.IS_SECURE,
        httponly=True,
        samesite="Lax",
    )


def address_part(ids: Iterable[UUID]) -> str:
    """The ids of an agenda, signed, as a part of an address."""
    return _pack(b"".join(public_id.bytes for public_id in ids), _ADDRESS_SALT)


def ids_of(part: str) -> list[UUID]:
    """The ids in such a part of an address; none for one that we did not make."""
    content = _unpack(part, _ADDRESS_SALT)
    if len(content) % 16:
        return []
    return [UUID(bytes=content[at : at + 16]) for at in range(0, len(content), 16)]


def with_pick(picks: Sequence[Pick], session: Session) -> list[Pick]:
    """The picks with this session as it stands now. It keeps its place if it was among them."""
    pick = Pick(session.public_id, session.starts_at)
    if any(other.public_id == pick.public_id for other in picks):
        return [pick if other.public_id == pick.public_id else other for other in picks]
    return [*picks, pick]


# --- the agenda of one conference -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A picked session: whether it was moved since the reader picked it, and what else of theirs runs at the time."""

    session: Session
    was: datetime | None  # the time the reader knew, where it is another now
    clashes: list[Session]
    is_over: bool

    @property
    def is_moved(self) -> bool:
        """Whether the time is another than the reader knew."""
        return self.was is not None

    @property
    def is_cancelled(self) -> bool:
        """Whether it does not take place."""
        return self.session.state == SessionState.CANCELLED


@dataclass(frozen=True, slots=True)
class Agenda:
    """What a reader picked of one conference, in the order of time, and what they picked elsewhere."""

    entries: list[Entry]
    elsewhere: list[Conference] = field(default_factory=list)
    gone: list[Pick] = field(default_factory=list)  # no longer in any programme

    @property
    def ids(self) -> list[UUID]:
        """The public ids of the entries."""
        return [entry.session.public_id for entry in self.entries]


def sessions_of(conference: Conference, ids: Iterable[UUID]) -> list[Session]:
    """The sessions with these ids that strangers may see at the conference, by time; without one, as printed."""
    rows = conference.sessions.public().filter(public_id__in=list(ids)).select_related("room", "day")
    found = list(rows.defer("internal_note", "archive_text").in_programme_order())
    for session in found:
        session.conference = conference
    return _by_time(found)


def _by_time(sessions: Iterable[Any]) -> list[Any]:
    """By day and time; what has no time stands behind what has one on its day, and without a day at the end."""
    late = datetime.max.replace(tzinfo=UTC)
    return sorted(sessions, key=lambda s: (s.day.number if s.day else 10**6, s.starts_at or late))


def agenda(conference: Conference, picks: Sequence[Pick], *, now: datetime) -> Agenda:
    """The agenda of a conference at an instant: one query."""
    if not picks:
        return Agenda([])
    picked = Session.objects.public().filter(public_id__in=[pick.public_id for pick in picks]).in_programme_order()
    rows: QuerySet[Any] = picked.annotate(over_at=session_end()).select_related("room", "day", "conference")
    found = {session.public_id: session for session in rows.defer("internal_note", "archive_text")}
    here: list[Any] = []
    elsewhere: dict[int, Conference] = {}
    for session in found.values():
        if session.conference_id == conference.pk:
            session.conference = conference
            here.append(session)
        else:
            elsewhere.setdefault(session.conference_id, session.conference)
    seen = {pick.public_id: pick.seen for pick in picks}
    entries = [
        Entry(
            session,
            was=_was(session, seen[session.public_id]),
            clashes=[other for other in here if _clash(session, other)],
            is_over=session.over_at is not None and session.over_at <= now,
        )
        for session in _by_time(here)
    ]
    return Agenda(entries, list(elsewhere.values()), [pick for pick in picks if pick.public_id not in found])


def _was(session: Session, seen: datetime | None) -> datetime | None:
    """The time the reader knew, where the session now has another or none."""
    return seen if seen is not None and _minutes(session.starts_at) != _minutes(seen) else None


def _clash(one: Session, other: Session) -> bool:
    """Whether two sessions take place at the same time. What only touches does not."""
    if one is other or SessionState.CANCELLED in (one.state, other.state):
        return False
    if not (one.starts_at and one.ends_at and other.starts_at and other.ends_at):
        return False
    return one.starts_at < other.ends_at and other.starts_at < one.ends_at
