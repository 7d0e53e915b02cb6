"""`manage.py publish_programme SLUG`: make the next release of a conference's programme."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation

from alliance.exceptions import DomainError
from alliance.languages import Translations
from events.models import Conference
from events.releases import publishing, wording


class Command(BaseCommand):
    """Publishes what the draft is now, and prints what has changed since the last release."""

    help = "Publish the programme of a conference: the public sees it, and people whose session moved are told."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The conference and a note."""
        parser.add_argument("slug", help="the address of the conference, such as alliance-20")
        parser.add_argument("--note", default="", help="a sentence in English, printed above the list of changes")
        parser.add_argument("--dry-run", action="store_true", help="only print what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 when checks find errors or nothing has changed; nothing is written then."""
        conference = Conference.objects.filter(slug=options["slug"]).first()
        if conference is None:
            raise CommandError(f"There is no conference {options['slug']}.")
        with translation.override("en"):
            if options["dry_run"]:
                difference = publishing.unpublished_changes(conference)
                self._print(conference, difference.changes if difference else [])
                self.stdout.write("dry run: nothing was published")
                return
            note = Translations({"en": options["note"]} if options["note"] else {})
            try:
                release = publishing.publish(conference, by=None, now=timezone.now(), note=note)
            except publishing.HasErrors as refusal:
                raise CommandError(f"{refusal.message} manage.py check_programme {conference.slug}") from refusal
            except DomainError as refusal:
                raise CommandError(str(refusal.message)) from refusal
            self._print(conference, release.changes)
            self.stdout.write(f"release {release.number} is published")

    def _print(self, conference: Conference, changes: list[dict[str, Any]]) -> None:
        for group in wording.lines(conference, changes):
            for line in group.lines:
                self.stdout.write(f"{group.title or conference.title}: {line}")
