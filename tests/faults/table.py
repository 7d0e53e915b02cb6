"""The table of the fault suite: which fault, injected how, what is expected, and what was found.

A test says the first three in a marker, @pytest.mark.fault(NAME, how=..., expected=...), of which it may have several,
and hands what it has measured to the fixture `found`, before it judges it. Who passes without having measured fails.
The table is printed at the end and, after a run of all of them, kept in var/faults.txt.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "var" / "faults.txt"
WIDTHS = {"fault": 30, "injected how": 40, "expected": 36, "found": 46}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    fault: str
    how: str
    expected: str
    found: str
    is_good: bool


@dataclass
class Found:
    """What a test has measured, by fault."""

    faults: list[str]
    texts: dict[str, str] = field(default_factory=dict)

    def __call__(self, text: str, *, fault: str = "") -> None:
        """Say it. fault: which one, where the test has several. Raises ValueError for one that it does not have."""
        if not fault:
            (fault,) = self.faults
        if fault not in self.faults:
            raise ValueError(f"The test declares no fault {fault!r}")
        self.texts[fault] = text


def rows(markers: Iterable[Any], texts: dict[str, str], outcome: str, trouble: str) -> list[Row]:
    """The rows of one test. outcome: pytest's word; trouble: the first words of what went wrong, if it did."""
    made = []
    for marker in markers:
        found = texts.get(marker.args[0], "")
        if outcome == "skipped":
            found = "NOT RUN"
        elif outcome == "failed":
            found = f"FAILED: {trouble}. {found}"
        made.append(Row(marker.args[0], marker.kwargs["how"], marker.kwargs["expected"], found, outcome == "passed"))
    return made


def lines(table: Iterable[Row]) -> list[str]:
    """The table as text, its cells wrapped."""

    def line(cells: Iterable[str]) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS.values(), strict=True)).rstrip()

    made = [line(WIDTHS), line("-" * width for width in WIDTHS.values())]
    for row in table:
        cells = (row.fault, row.how, row.expected, row.found)
        wrapped = [textwrap.wrap(text, width) for text, width in zip(cells, WIDTHS.values(), strict=True)]
        made += [line(cells) for cells in itertools.zip_longest(*wrapped, fillvalue="")]
        made.append("")
    return made


def summary(table: list[Row]) -> str:
    """The last line."""
    good = sum(row.is_good for row in table)
    return f"{len(table)} faults, {good} as expected, {len(table) - good} not"


def keep(table: list[Row], *, is_short: bool) -> None:
    """Write the table to its file. is_short: the tests marked `long` were left out, and the head says so."""
    FILE.parent.mkdir(exist_ok=True)
    what = "The fault suite, without the long tests," if is_short else "The whole fault suite"
    head = f"{what} on {datetime.now(UTC):%d %B %Y, %H:%M} UTC"
    FILE.write_text("\n".join([head, "", *lines(table), summary(table), ""]), encoding="utf-8")
