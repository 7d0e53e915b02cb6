"""The API's schema against the one of the last release: what would break programs that use it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alliance.api import compatibility, schema

FILE = Path(settings.BASE_DIR) / "docs" / "api-schema.json"


def kept() -> dict[str, Any]:
    """The schema of the last release."""
    found: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def present() -> dict[str, Any]:
    """The schema as the code makes it now."""
    found: dict[str, Any] = json.loads(schema.document())
    return found


class Command(BaseCommand):
    """Compare, or keep the present schema as that of a release."""

    help = "Say what would break clients of the API; --keep makes the present schema the one to compare with."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--keep, at a release."""
        parser.add_argument("--keep", action="store_true")

    def handle(self, *args: Any, keep: bool, **options: Any) -> None:
        """Raises CommandError when something would break."""
        if keep:
            FILE.write_text(json.dumps(present(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            self.stdout.write(f"Kept in {FILE.relative_to(settings.BASE_DIR)}.")
            return
        if found := compatibility.breaks(kept(), present()):
            raise CommandError("This would break clients of the API:\n" + "\n".join(f"  {line}" for line in found))
        self.stdout.write("No client of the last release breaks.")
