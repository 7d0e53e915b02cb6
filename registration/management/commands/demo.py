"""`manage.py demo`: load what the demo shows, once, and print the log-in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from registration.demo import loading, login


class Command(BaseCommand):
    """Loads the demo data on the first start; later ones only print the log-in."""

    help = "Load the demo data unless it is there, and print the demo's log-in. Needs DEMO=1."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refused outside the demo: it makes an administrator whose pass phrase is printed."""
        if not settings.DEMO:
            raise CommandError("This is no demo. Set DEMO=1 to load invented people and a printed log-in.")
        for line in loading.load(now=timezone.now()):
            self.stderr.write(f"Loaded {line}.")
        phrase = login.ensure(settings.BASE_DIR / "var" / "demo-login.txt")
        self.stdout.write(f"Log-in: {login.EMAIL}   {phrase or '(the pass phrase that you have set)'}")
