"""`manage.py check_programme SLUG`: what is missing or contradicts itself, and how complete each language is."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from events import programme_checks
from events.models import Conference
from events.programme_checks import Figure, Finding, Severity


class Command(BaseCommand):
    """Prints the findings, grouped by severity and code, and the languages. Writes nothing to the database."""

    help = "Check the programme of a conference. Exit code 1 when there are errors; warnings never block."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The conference."""
        parser.add_argument("slug", help="the address of the conference, such as alliance-20")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exit code 1 with errors, and for a conference that is not there."""
        conference = Conference.objects.filter(slug=options["slug"]).first()
        if conference is None:
            raise CommandError(f"There is no conference {options['slug']}.")
        programme = programme_checks.programme_of(conference)
        findings = programme_checks.run(programme)
        figures = programme_checks.figures(programme_checks.texts_of(programme))
        for line in [*report(findings), *languages_report(figures), ""]:
            self.stdout.write(line)
        errors = sum(finding.severity == Severity.ERROR for finding in findings)
        summary = f"{errors} error(s), {len(findings) - errors} warning(s)"
        if errors:
            raise CommandError(summary)
        self.stdout.write(summary)


def report(findings: Iterable[Finding]) -> list[str]:
    """The findings as lines, those of the same severity and code together, errors first."""
    lines: list[str] = []
    ordered = sorted(findings, key=lambda finding: (finding.severity, finding.code))
    for (severity, code), group in groupby(ordered, key=lambda finding: (finding.severity, finding.code)):
        lines.append(f"{severity}: {code}")
        for finding in group:
            row = finding.row
            lines += [f"  {_printable(finding.text)}", f"    {row.kind} {row.key}  {row.admin_url}"]
        lines.append("")
    return lines


def languages_report(figures: Iterable[Figure]) -> list[str]:
    """How many of the texts each language has."""
    return [
        "languages",
        *(f"  {row.language}  {row.percent:3d} %  {row.written} of {row.total} texts" for row in figures),
    ]


def _printable(text: str) -> str:
    """Without control characters: titles are typed by people, and a terminal obeys what it is sent."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
