"""What the clock does for registration. Tasks carry no arguments; each may run twice, late, or beside itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from registration import services


@shared_task(name="registration.tasks.promote_into_free_places", ignore_result=True, time_limit=120)
def promote_into_free_places() -> None:
    """No place is free while somebody waits for it."""
    services.promote_into_free_places(now=timezone.now())


@shared_task(name="registration.tasks.queue_missing_join_links", ignore_result=True, time_limit=120)
def queue_missing_join_links() -> None:
    """Everybody confirmed has their join link coming, a day before the door opens at the latest."""
    services.queue_missing_join_links(now=timezone.now())


@shared_task(name="registration.tasks.forget_old_idempotency_keys", ignore_result=True, time_limit=120)
def forget_old_idempotency_keys() -> None:
    """No answer to a form is kept longer than a week."""
    services.forget_old_idempotency_keys(now=timezone.now())
