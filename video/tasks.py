"""What the clock does for meetings. Tasks carry no arguments; each may run twice, late, or beside itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from video.services import events, rooms


@shared_task(name="video.tasks.order_what_changed", ignore_result=True, time_limit=120)
def order_what_changed() -> None:
    """Every meeting on a platform is ordered as the published programme says."""
    rooms.order_what_changed(now=timezone.now())


@shared_task(name="video.tasks.forget_events", ignore_result=True, time_limit=120)
def forget_events() -> None:
    """What platforms told us goes when it cannot be repeated any more."""
    events.forget(now=timezone.now())
