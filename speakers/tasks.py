"""What the clock does for speakers. Tasks carry no arguments; each may run twice, late, or beside itself."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from speakers import invitations


@shared_task(name="speakers.tasks.look_after_invitations", ignore_result=True, time_limit=240)
def look_after_invitations() -> None:
    """Who has not answered is reminded once. Addresses go by registration.services.data_life, with a proof."""
    invitations.remind_unanswered(now=timezone.now())
