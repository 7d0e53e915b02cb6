"""What the outbox tells /readyz and /metrics."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from alliance import health
from outbox import services
from outbox.models import Outage

WORKER_IS_LATE_AFTER = timedelta(seconds=30)  # without a sign of life; there is one every five
MESSAGES_ARE_LATE_AFTER = timedelta(minutes=5)  # that a due message may wait


def _seconds(age: timedelta | None) -> float | None:
    return None if age is None else round(max(age.total_seconds(), 0.0), 1)


def worker(now: datetime) -> health.Finding:
    """When a worker was last seen; null when never."""
    seen_at = services.worker_seen_at()
    age = None if seen_at is None else now - seen_at
    late = age is None or age > WORKER_IS_LATE_AFTER
    return health.Finding(health.State.DEGRADED if late else health.State.OK, {"seen_seconds_ago": _seconds(age)})


def messages(now: datetime) -> health.Finding:
    """How long the oldest message that should have left has waited (0: none waits), and closed ways out."""
    oldest = services.oldest_unsent(now)
    outages = Outage.objects.count()
    late = outages > 0 or (oldest is not None and oldest > MESSAGES_ARE_LATE_AFTER)
    return health.Finding(
        health.State.DEGRADED if late else health.State.OK,
        {"oldest_unsent_seconds": _seconds(oldest) or 0, "outages": outages},
    )


def figures(now: datetime) -> Iterable[health.Metric]:
    """Messages by state, the age of the oldest due one, and the age of the last heartbeat."""
    found = services.figures(now)
    yield health.Metric(
        "messages",
        "Messages in the outbox by state.",
        [health.Sample({"state": state}, count) for state, count in found.counts.items()],
    )
    yield health.Metric(
        "oldest_unsent_message_seconds",
        "How long the oldest due message has waited; 0 when none waits.",
        [health.Sample({}, _seconds(found.oldest_unsent) or 0)],
    )
    yield health.Metric("outages", "Ways out that do not answer.", [health.Sample({}, len(found.outages))])
    if found.worker_seen_at is not None:
        age = _seconds(now - found.worker_seen_at) or 0
        yield health.Metric(
            "worker_seen_seconds_ago", "Age of the last heartbeat of a worker.", [health.Sample({}, age)]
        )


def register() -> None:
    """Called when the app is ready."""
    health.register("worker", worker)
    health.register("messages", messages)
    health.measure("outbox", figures)
