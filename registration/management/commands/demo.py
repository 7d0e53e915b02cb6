"""`manage.py demo`: load what the demo shows, once, and print the log-ins."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import User
from events.models import Conference
from registration.demo import loading, login, states


class Command(BaseCommand):
    """Loads the demo data on the first start; later ones only print the log-ins."""

    help = "Load the demo data unless it is there, and print the demo's log-ins. Needs DEMO=1."

    def handle(self, *args: Any, **options: Any) -> None:
        """Refused outside the demo: it makes an administrator whose pass phrase is printed."""
        if not settings.DEMO:
            raise CommandError("This is no demo. Set DEMO=1 to load invented people and a printed log-in.")
        for line in loading.load(now=timezone.now()):
            self.stderr.write(f"Loaded {line}.")
        self._print_log_in("Log-in", login.EMAIL, "demo-login.txt")
        workshop = Conference.objects.filter(slug=loading.WORKSHOP).first()
        if workshop is not None:
            states.job(workshop, User.objects.get(email=login.EMAIL), now=timezone.now())
        if User.objects.filter(email=login.FOCAL_POINT).exists():  # not in data of an older demo
            self._print_log_in("Focal point", login.FOCAL_POINT, "demo-focal-point.txt", "   at /en/delegations/")

    def _print_log_in(self, whose: str, email: str, file: str, where: str = "") -> None:
        phrase = login.ensure(settings.BASE_DIR / "var" / file, email)
        self.stdout.write(f"{whose}: {email}   {phrase or '(the pass phrase that you have set)'}{where}")
