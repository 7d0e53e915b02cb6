"""What the clock does for people who sign in. Tasks carry no arguments; each may run twice, late, or beside itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts import attempts


@shared_task(name="accounts.tasks.forget_attempts", ignore_result=True, time_limit=120)
def forget_attempts() -> None:
    """Counts of attempts to sign in are forgotten after a day."""
    attempts.forget_old(now=timezone.now())
