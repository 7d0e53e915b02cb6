"""`manage.py load_countries`: the countries of the world with their standing in the organisation."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from events import countries


class Command(BaseCommand):
    """Adds what is missing and leaves what people have written."""

    help = "Add the participating States, the Partners for Co-operation and the other countries that are missing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print how many countries are new or were completed."""
        new, completed = countries.load()
        self.stdout.write(f"{new} new, {completed} completed, {len(countries.listed())} in the list")
