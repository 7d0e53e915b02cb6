"""`manage.py check_translations [--update]`: every text in every language, or the build fails.

The check extracts all marked texts from the sources (with GNU gettext, as Django does) and compares them with the
catalogues: nothing missing, fuzzy or left over, the same placeholders, compiled files that match, and the words and
signs of docs/glossary. --update brings the catalogues up to the sources and compiles them; new entries are then empty
and have to be translated.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import polib
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from alliance import glossary

_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|%[sd]|%%")
_EXTENSIONS = ["html", "txt", "md", "py"]
_IGNORED = [".venv", "var", "tests", "docs", "node_modules", "requirements"]


def _languages() -> list[str]:
    """All but English, which is the language of the sources."""
    return [code for code, _name in settings.LANGUAGES if code != "en"]


def _catalogue(root: Path, language: str) -> Path:
    return root / "locale" / language / "LC_MESSAGES" / "django.po"


def _extract(root: Path) -> None:
    """Bring the catalogues below root up to the sources, as makemessages does."""
    for language in _languages():
        _catalogue(root, language).parent.mkdir(parents=True, exist_ok=True)
    call_command(
        "makemessages",
        locale=_languages(),
        extensions=_EXTENSIONS,
        ignore_patterns=_IGNORED,
        no_location=True,
        no_wrap=True,
        no_obsolete=True,
        verbosity=0,
    )


class Command(BaseCommand):
    """Check or update the catalogues."""

    help = "Checks that every text is translated into every language; --update brings the catalogues up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        """--update writes instead of checking."""
        parser.add_argument("--update", action="store_true", help="bring catalogues and compiled files up to date")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the check or the update. Exit code 1 with a list of what is wrong."""
        if shutil.which("xgettext") is None:
            raise CommandError(
                "GNU gettext is missing. Debian, Ubuntu: apt-get install gettext. macOS: brew install gettext."
            )
        root = Path(settings.BASE_DIR)
        if options["update"]:
            self._update(root)
            return
        problems = self._problems(root)
        for problem in problems[:200]:
            self.stderr.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} problems in the translations.")
        self.stdout.write(f"All texts are translated into {', '.join(_languages())}.")

    def _update(self, root: Path) -> None:
        _extract(root)
        for language in _languages():
            path = _catalogue(root, language)
            catalogue = polib.pofile(str(path))
            # A date in each file would make every update a change.
            catalogue.metadata.pop("POT-Creation-Date", None)
            catalogue.save(str(path))
            catalogue.save_as_mofile(str(path.with_suffix(".mo")))
            empty = len(catalogue.untranslated_entries()) + len(catalogue.fuzzy_entries())
            self.stdout.write(f"{language}: {len(catalogue)} texts, {empty} to translate")

    def _problems(self, root: Path) -> list[str]:
        with tempfile.TemporaryDirectory(prefix="alliance-translations-") as directory:
            copy = Path(directory) / "sources"
            listed = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                cwd=root,
                capture_output=True,
                check=True,
                text=True,
            ).stdout
            for name in filter(None, listed.split("\0")):
                source = root / name
                wanted = source.suffix.lstrip(".") in {*_EXTENSIONS, "po"} and not name.startswith(tuple(_IGNORED))
                if wanted and source.is_file():
                    target = copy / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(source, target)
            subprocess.run(
                [sys.executable, str(copy / "manage.py"), "check_translations", "--update"],
                cwd=copy,
                check=True,
                capture_output=True,
            )
            return [
                problem
                for language in _languages()
                for problem in [
                    *_compare(language, _catalogue(root, language), _catalogue(copy, language)),
                    *glossary.problems(language, glossary.page_of(root, language), _texts(_catalogue(root, language))),
                ]
            ]


def _texts(catalogue: Path) -> list[glossary.Text]:
    """The entries as the glossary looks at them."""
    entries = polib.pofile(str(catalogue)) if catalogue.exists() else []
    return [
        glossary.Text(entry.msgid, tuple(entry.msgstr_plural.values()) if entry.msgid_plural else (entry.msgstr,))
        for entry in entries
        if not entry.obsolete
    ]


def _compare(language: str, ours: Path, fresh: Path) -> list[str]:
    """What is wrong with our catalogue, given the same one brought up to the sources."""
    if not ours.exists():
        return [f"{language}: there is no catalogue."]
    problems = []
    mine = polib.pofile(str(ours))
    known = {(entry.msgctxt, entry.msgid) for entry in mine if not entry.obsolete}
    wanted = {(entry.msgctxt, entry.msgid) for entry in polib.pofile(str(fresh)) if not entry.obsolete}
    problems += [f"{language}: not in the catalogue: {text!r}" for _context, text in sorted(wanted - known, key=str)]
    problems += [
        f"{language}: no longer in the sources: {text!r}" for _context, text in sorted(known - wanted, key=str)
    ]
    for entry in mine:
        texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        if entry.fuzzy or not all(texts):
            problems.append(f"{language}: not translated: {entry.msgid!r}")
            continue
        allowed = sorted(set(_PLACEHOLDER.findall(entry.msgid + (entry.msgid_plural or ""))))
        for text in texts:
            found = sorted(set(_PLACEHOLDER.findall(text)))
            if found != allowed and not entry.msgid_plural:
                problems.append(f"{language}: other placeholders: {entry.msgid!r}")
            elif not set(found) <= set(allowed):
                problems.append(f"{language}: unknown placeholders: {entry.msgid!r}")
    compiled = ours.with_suffix(".mo")
    if not compiled.exists() or compiled.read_bytes() != mine.to_binary():
        problems.append(f"{language}: the compiled file is older than the catalogue: run with --update.")
    return problems
