"""`manage.py export_programme SLUG`: a whole conference as a programme file or as a workbook."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events import programme_file
from events.models import Conference


class Command(BaseCommand):
    """Writes the file to standard output, or where it is told to."""

    help = (
        "Write a conference as a programme file (format alliance-programme/1) that import_programme reads to the same "
        "state. It holds internal notes and the names of all who speak: it is for organisers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which conference, and where to."""
        parser.add_argument("slug", help="the conference's address, such as alliance-20")
        parser.add_argument("--format", choices=["yaml", "xlsx"], default="yaml", help="xlsx: a workbook")
        parser.add_argument("--output", metavar="FILE", help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Nothing is written when there is no such conference."""
        conference = Conference.objects.filter(slug=options["slug"]).first()
        if conference is None:
            raise CommandError(f"there is no conference “{options['slug']}”")
        is_workbook = options["format"] == "xlsx"
        if is_workbook and not options["output"]:
            raise CommandError("a workbook needs --output FILE")
        data = programme_file.export_workbook(conference) if is_workbook else programme_file.export(conference)
        if not options["output"]:
            self.stdout.write(data.decode(), ending="")
            return
        try:
            Path(options["output"]).write_bytes(data)
        except OSError as error:
            raise CommandError(f"{options['output']}: {error.strerror}") from error
