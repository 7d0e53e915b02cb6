"""The outbox's task: without arguments, safe to run twice, late, or beside itself."""

from __future__ import annotations

import os
from typing import Any

from celery import shared_task
from django.utils import timezone

from outbox import bounces, services, workers

SECONDS = 50.0  # then the next task goes on, so that other tasks get their turn


@shared_task(bind=True, name="outbox.tasks.drain", ignore_result=True)
def drain(task: Any) -> None:
    """Send what is due; ends when nothing is, or after 50 s.

    A killed worker's messages are sent by the next one when their lease has run out.
    """
    name = f"{task.request.hostname or 'worker'}/{os.getpid()}"
    workers.seen(name)
    services.drain_all(seconds=SECONDS, stop=lambda: workers.seen(name) or workers.stopping.is_set())


@shared_task(name="outbox.tasks.read_bounces", ignore_result=True, time_limit=120)
def read_bounces() -> None:
    """Every report in the bounce mailbox is acted upon; nothing is done where there is no such mailbox."""
    bounces.read_mailbox(now=timezone.now())
