"""manage.py take_down KIND PUBLIC_ID [--lift --reason TEXT]: the panic switch without a browser."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import actors
from events.models import Conference, Removal
from events.removals import services, subjects


class Command(BaseCommand):
    """Take a person, a participant or a session down at once, or show it again."""

    help = "Take a session, a person or a participant down at once, and list what had left the house."

    def add_arguments(self, parser: CommandParser) -> None:
        """What, by its public id."""
        parser.add_argument("kind", choices=sorted(subjects.kinds()))
        parser.add_argument("public_id", type=UUID, help="As the admin and the API have it.")
        parser.add_argument("--conference", default="", help="The slug of the conference whose list it goes to.")
        parser.add_argument("--reason", default="", help="Kept encrypted. Needed to lift.")
        parser.add_argument("--lift", action="store_true", help="Show it again.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and print the work list, which names nobody."""
        now = timezone.now()
        if options["lift"]:
            removal = Removal.objects.in_force().filter(kind=options["kind"], subject_id=options["public_id"]).first()
            if removal is None:
                raise CommandError("It is not taken down.")
            try:
                services.lift(removal_id=removal.pk, reason=options["reason"], by=actors.SYSTEM, now=now)
            except services.NeedsReason as error:
                raise CommandError(str(error.message)) from None
            self.stdout.write("It is shown again.")
            return
        subject = subjects.get(options["kind"], options["public_id"])
        if subject is None:
            raise CommandError("There is no such row.")
        conference = None
        if slug := options["conference"]:
            conference = Conference.objects.filter(slug=slug).first()
            if conference is None:
                raise CommandError(f"There is no conference {slug}.")
        elif subject.kind != "person":
            conference = subject.row.conference
        reason = options["reason"]
        removal = services.take_down(subject, conference=conference, reason=reason, by=actors.SYSTEM, now=now)
        self.stdout.write("Taken down. What had already gone out:")
        for line in services.lines(removal):
            self.stdout.write(f"- {line.what} ({line.step.details.get('number')}) {line.todo}")
