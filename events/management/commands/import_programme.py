"""`manage.py import_programme FILE`: load a whole conference from a YAML file."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events import programme_file
from events.programme_file.yaml_text import MOST_BYTES


class Command(BaseCommand):
    """Reads the file, lists every problem with its line, or writes what differs and prints it."""

    help = (
        "Load a programme file (format alliance-programme/1, or a workbook). The file is the whole conference: what it "
        "no longer has is removed, unless people have registered for it. A second run changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and whether to write."""
        parser.add_argument("file", help="the file, YAML or .xlsx; - reads standard input")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 with the list of problems when the file cannot be used; nothing is written then."""
        name: str = options["file"]
        try:
            outcome = programme_file.load(_read(name), dry_run=options["dry_run"])
        except programme_file.InvalidFile as error:
            for problem in error.problems:
                self.stderr.write(problem.located(name))
            raise CommandError(f"{len(error.problems)} problem(s): nothing was written.") from error
        except programme_file.ChangedMeanwhile as error:
            raise CommandError("somebody changed the programme meanwhile: nothing was written; try again.") from error
        for line in outcome.lines:
            self.stdout.write(line)
        if not outcome.changed:
            self.stdout.write("nothing changed")
        elif options["dry_run"]:
            self.stdout.write("dry run: nothing was written")


def _read(name: str) -> bytes:
    """The bytes of the file, at most one more than allowed, so that a huge one costs nothing."""
    if name == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    try:
        with Path(name).open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}") from error
