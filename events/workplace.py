"""What the start page of a conference says: what needs somebody now, what is left before people can register, figures.

This module knows no registrations and no mails: apps bring what they know when Django is ready. Every source reads with
a fixed number of queries, and only for those who may open the page it leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise

from accounts.models import User
from events.models import Conference

Words = str | Promise


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person. text: one sentence, the same for any number.

    url: the list that shows exactly these rows. is_urgent: people outside notice it, or time runs out.
    """

    code: str
    number: int
    text: Words
    url: str
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step from an empty conference to open registration. is_optional: nothing waits for it."""

    code: str
    title: Words
    text: Words
    url: str
    is_done: bool
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart with its numbers as a table. template: draws `data`; heads and rows: the table, a row a tuple of what it
    is about and its numbers."""

    code: str
    title: Words
    template: str
    data: Any
    heads: Sequence[Words]
    rows: Sequence[tuple[Any, ...]]


LAST_STEP = "open"  # the name of the source that says whether registration is open

Needs = Callable[[Conference, datetime], Iterable[Need]]
Steps = Callable[[Conference, datetime], Iterable[Step]]
Drawings = Callable[[Conference, datetime], Iterable[Drawing]]


@dataclass(frozen=True, slots=True)
class _Source:
    order: int
    permission: str
    find: Callable[[Conference, datetime], Iterable[Any]]


_needs: dict[str, _Source] = {}
_steps: dict[str, _Source] = {}
_drawings: dict[str, _Source] = {}


def register_needs(name: str, order: int, permission: str, find: Needs) -> None:
    """Make a source of needs known. Asked for those who have the permission at the conference."""
    _needs[name] = _Source(order, permission, find)


def register_steps(name: str, order: int, permission: str, find: Steps) -> None:
    """Make a source of steps known; they stand in the order of their sources."""
    _steps[name] = _Source(order, permission, find)


def register_drawings(name: str, order: int, permission: str, find: Drawings) -> None:
    """Make a source of charts known."""
    _drawings[name] = _Source(order, permission, find)


def _ask(sources: dict[str, _Source], user: User, conference: Conference, now: datetime) -> list[Any]:
    return [
        found
        for source in sorted(sources.values(), key=lambda source: source.order)
        if user.has_perm(source.permission, conference)
        for found in source.find(conference, now)
    ]


def needs(user: User, conference: Conference, *, now: datetime) -> list[Need]:
    """What waits at the conference, as far as the user may see it; what is urgent first."""
    found: list[Need] = [need for need in _ask(_needs, user, conference, now) if need.number]
    return sorted(found, key=lambda need: not need.is_urgent)


def steps(user: User, conference: Conference, *, now: datetime) -> list[Step]:
    """The way to open registration, as far as the user may walk it; empty once it is open or all is over."""
    last = _steps.get(LAST_STEP)
    is_open = last is not None and all(step.is_done for step in last.find(conference, now))
    return [] if is_open or is_over(conference, now) else _ask(_steps, user, conference, now)


def drawings(user: User, conference: Conference, *, now: datetime) -> list[Drawing]:
    """The charts that the user may see."""
    return _ask(_drawings, user, conference, now)


def page_url(name: str, conference: Conference, **captured: object) -> str:
    """The address of a page of the conference in the admin, by the name it is registered with."""
    return reverse(f"admin:events_conference_{name}", kwargs={"conference_id": conference.pk, **captured})


def is_over(conference: Conference, now: datetime) -> bool:
    """Whether nothing is prepared there any more: it has ended, or does not take place."""
    ends_at = conference.ends_at
    return conference.state in ("cancelled", "closed", "archived") or (ends_at is not None and ends_at <= now)
