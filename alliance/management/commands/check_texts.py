"""`manage.py check_texts`: no text that readers see stands outside the translations, or the build fails."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from alliance import visible_texts

# English on purpose, each for the reason given.
_ENGLISH = {
    "templates/components/page.html": "for developers",
    "templates/mailbox/": "the demo's mailbox, for developers",
    "templates/api/": "the API's documentation, as its schema",
    "templates/sitemap.xml": "for search engines",
}
_ENGLISH_PYTHON = {
    "migrations": "the names of a moment in time",
    "api": "the API's schema and documentation",
    "management": "commands",
}
_NOT_FOR_READERS = ("tests/", "docs/", "deploy/", "alliance/mailbox.py", "alliance/supervisor/")


class Command(BaseCommand):
    """Look through templates and Python."""

    help = "Finds text in templates and Python that people see and that is not marked for translation."

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 with a list of what was found."""
        root = Path(settings.BASE_DIR)
        found = [line for name in _sources(root) for line in _look_at(name, (root / name).read_text(encoding="utf-8"))]
        for line in found:
            self.stderr.write(line)
        if found:
            raise CommandError(f"{len(found)} texts are not marked for translation.")
        self.stdout.write("Every text that people see is marked for translation.")


def _sources(root: Path) -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "templates", "*.py"]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout
    return sorted(name for name in listed.split("\0") if name and (root / name).is_file())


def _is_for_the_api(path: Path) -> bool:
    return bool(set(path.parts) & _ENGLISH_PYTHON.keys()) or path.stem.endswith(("api", "_shapes"))


def _look_at(name: str, source: str) -> list[str]:
    path = Path(name)
    if name.startswith(_NOT_FOR_READERS) or name.startswith(tuple(_ENGLISH)):
        return []
    if path.suffix == ".py":
        found = [] if _is_for_the_api(path) else visible_texts.in_python(source)
    elif path.suffix in (".html", ".md", ".txt"):
        found = visible_texts.in_template(source, is_html=path.suffix == ".html")
    else:
        found = []
    return [f"{name}:{line}: {text[:150]!r}" for line, text in found]
