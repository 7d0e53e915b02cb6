"""Taking back a change of several sessions: state, day, place, room and times, with the times of their segments."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.admin.models import CHANGE
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import ngettext

from alliance.admin import refuse, undo
from alliance.admin.history import write_history
from events import editing
from events.models import Segment, Session

KIND = "programme"
_SEGMENT_TIMES = ("pk", "starts_at", "ends_at")


def _instant(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def snapshot(session_ids: Iterable[int]) -> dict[str, Any]:
    """How the sessions stand now, as JSON. Two queries."""
    ids = list(session_ids)
    sessions = Session.objects.filter(pk__in=ids).order_by("pk")
    segments = Segment.objects.filter(session__in=ids, starts_at__isnull=False).order_by("pk")
    return {
        "sessions": [
            [one.pk, one.state, one.day_id, one.position, one.room_id, _instant(one.starts_at), _instant(one.ends_at)]
            for one in sessions
        ],
        "segments": [[pk, _instant(start), _instant(end)] for pk, start, end in segments.values_list(*_SEGMENT_TIMES)],
    }


def offer(request: HttpRequest, before: dict[str, Any], done: str) -> None:
    """Say what was done to sessions, with a button to take it back. before: snapshot() of them before it."""
    ids = [row[0] for row in before["sessions"]]
    undo.offer(request, KIND, {"before": before, "after": snapshot(ids)}, done)


def take_back(request: HttpRequest, data: dict[str, Any]) -> str:
    """Put the sessions where they were. Raises ProgrammeChanged where anybody touched them since, and RoomTaken."""
    before, after = data["before"], data["after"]
    ids = [row[0] for row in before["sessions"]]
    with transaction.atomic():
        sessions = {one.pk: one for one in editing.locked(ids)}
        for conference in {one.conference for one in sessions.values()}:
            if not request.user.has_perm("events.change_session", conference):
                refuse(request, "undo")
        if snapshot(ids) != after:
            raise editing.ProgrammeChanged
        moved = [row for row, then in zip(before["sessions"], after["sessions"], strict=True) if row != then]
        changed = editing.put_back(
            [(sessions[row[0]], dict(zip(editing.PUT_BACK, row[1:], strict=True))) for row in moved],
            [segment for segment in before["segments"] if segment not in after["segments"]],
        )
        write_history(request, changed, CHANGE, "undone")
    count = len(changed)
    return ngettext("Undone: %d session is as it was.", "Undone: %d sessions are as they were.", count) % count


def register() -> None:
    """Called when the app is ready."""
    undo.register(KIND, take_back)
