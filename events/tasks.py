"""What the clock does for this app. Tasks carry no arguments; each may run twice, late, or beside itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from events import jobs


@shared_task(name="events.tasks.forget_jobs", ignore_result=True, time_limit=120)
def forget_jobs() -> None:
    """No file of long work is kept longer than six hours after it ended."""
    jobs.forget(now=timezone.now())
