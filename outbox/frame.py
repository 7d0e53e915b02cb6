"""What every admin page says about the outbox: that no worker is there, or that messages wait too long."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from alliance import admin, admin_site
from outbox import services
from outbox.health import MESSAGES_ARE_LATE_AFTER

SILENT_AFTER = timedelta(seconds=60)  # a worker that was not seen for so long is not there


def state(request: HttpRequest, *, now: datetime) -> dict[str, Any]:
    """How the outbox stands. Two queries, whatever is in it.

    worker_is_silent: nothing leaves the house. oldest_unsent_minutes: how long the oldest due message has waited; None
    when none waits. is_late: that is too long. outbox_url: for those who may look at it.
    """
    seen_at = services.worker_seen_at()
    waiting = services.oldest_unsent(now)
    may_look = request.user.has_perm("outbox.view_message")
    return {
        "worker_is_silent": seen_at is None or now - seen_at > SILENT_AFTER,
        "worker_seen_at": admin.clock_time(seen_at) if seen_at else "",
        "oldest_unsent_minutes": None if waiting is None else int(waiting.total_seconds() // 60),
        "is_late": waiting is not None and waiting > MESSAGES_ARE_LATE_AFTER,
        "outbox_url": reverse("admin:outbox_message_changelist") if may_look else "",
    }


def register() -> None:
    """Stand on every admin page."""
    admin_site.add_to_frame(state)
