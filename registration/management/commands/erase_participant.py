"""`manage.py erase_participant PUBLIC_ID`: erase one person for good."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts import actors
from registration.models import Participant
from registration.services import erasure


class Command(BaseCommand):
    """Erases a participant who asked for it. It cannot be undone."""

    help = "Erase a participant for good: name, address and details go, the seat goes to the next in line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Who."""
        parser.add_argument("public_id", type=UUID, help="the participant's public id, as the admin shows it")

    def handle(self, *args: Any, public_id: UUID, **options: Any) -> None:
        """Erase, and print what followed."""
        participant_id = Participant.objects.filter(public_id=public_id).values_list("pk", flat=True).first()
        if participant_id is None:
            raise CommandError("There is no participant with this public id.")
        done = erasure.erase(participant_id=participant_id, by=actors.SYSTEM, now=timezone.now())
        self.stdout.write(f"Erased. {done.cancelled} registrations cancelled, {done.promoted} people moved up.")
