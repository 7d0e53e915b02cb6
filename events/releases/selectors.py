"""Releases as the public sees them. Call these while reading what is published."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from events.models import Conference, Session
from events.releases import wording
from events.releases.wording import ChangeList

MOST_SHOWN = 50


def change_lists(conference: Conference) -> list[ChangeList]:
    """What the releases of a public conference changed, the newest first: 5 queries at most.

    The first release changed nothing; it is there with an empty list. Feeds and the page of changes are made of this.
    """
    releases = list(conference.releases.newest_first()[:MOST_SHOWN])
    return wording.change_lists(conference, releases)


def moved_from(session: Session) -> str:
    """When a session was to be before it was last moved, in words; empty where it was not, or is back. One query."""
    return _moves([session], since=None).get(session.pk, "")


def moved_since(sessions: Collection[Session], since: Mapping[int, datetime]) -> dict[int, str]:
    """When sessions of one conference were to be at an instant, in words; only those that were moved after it.

    since: the instants, by primary key. One query at most.
    """
    return _moves(sessions, since=since) if sessions else {}


def _moves(sessions: Collection[Session], *, since: Mapping[int, datetime] | None) -> dict[int, str]:
    wanted = {session.pk: session for session in sessions}
    conference = next(iter(wanted.values())).conference
    releases = conference.releases.filter(number__gt=1, changes__contains=[{"kind": "session_moved"}])
    if since is not None:
        releases = releases.filter(made_at__gt=min(since.values()))
    before: dict[int, dict[str, Any]] = {}
    for made_at, changes in releases.order_by("number").values_list("made_at", "changes"):
        for change in changes:
            key = change.get("session")
            if change["kind"] != "session_moved" or key not in wanted:
                continue
            if since is None:
                before[key] = change["before"]
            elif made_at > since[key]:
                before.setdefault(key, change["before"])
    return {
        pk: text
        for pk, side in before.items()
        if (text := wording.time_of(side, conference)) and not _is_still(side, wanted[pk])
    }


def _is_still(side: dict[str, Any], session: Session) -> bool:
    """Whether the session is where it was again."""
    known = (datetime.fromisoformat(side[name]) if side[name] else None for name in ("starts_at", "ends_at"))
    return session.starts_at is not None and tuple(known) == (session.starts_at, session.ends_at)
