"""manage.py drain_outbox"""

from __future__ import annotations

import os
import socket
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from outbox import services, workers


class Command(BaseCommand):
    """Send what is due without Celery and Redis: for operations, and beside running workers."""

    help = "Send what is due in the outbox, without Celery and Redis. Safe beside running workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How long."""
        parser.add_argument("--seconds", type=float, default=50.0, help="stop after this time (default: 50)")

    def handle(self, *args: Any, seconds: float, **options: Any) -> None:
        """Drain, and print what became of the messages."""
        workers.seen(f"drain_outbox@{socket.gethostname()}/{os.getpid()}")
        report = services.drain_all(seconds=seconds)
        self.stdout.write(
            f"{report.sent} sent, {report.superseded} no longer needed, {report.retried} to be tried again, "
            f"{report.dead} given up, {report.released} kept because the other side does not answer."
        )
