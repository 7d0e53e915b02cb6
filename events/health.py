"""What the programme tells /readyz: whether what is published can be read."""

from __future__ import annotations

from datetime import datetime

from alliance import health
from events.releases import schema


def published(now: datetime) -> health.Finding:
    """The schemas of what is published: down while they are away, degraded when other models made them.

    `manage.py migrate` makes them as this program wants them.
    """
    mark = schema.found_mark()
    if mark is None:
        return health.Finding(health.State.DOWN)
    return health.Finding(health.State.OK if mark == schema.wanted_mark() else health.State.DEGRADED)


def register() -> None:
    """Called when the app is ready."""
    health.register("published", published)
