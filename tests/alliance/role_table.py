"""The table of docs/roles.md, read and printed."""

from __future__ import annotations

from pathlib import Path

from accounts.models import RoleKind
from accounts.permissions import TABLE, Area, Level

DOCS = Path(__file__).resolve().parents[2] / "docs" / "roles.md"
WORDS = {Level.NOTHING: "–", Level.SEE: "see", Level.CHANGE: "change", Level.ADD: "add", Level.DELETE: "all"}


def printed() -> list[str]:
    """The lines of the table as the code has it."""
    kinds = list(RoleKind)
    head = [f"| | {' | '.join(kind.value for kind in kinds)} |", f"|---|{'---|' * len(kinds)}"]
    return head + [
        f"| {area.value} | {' | '.join(WORDS[TABLE[kind].get(area, Level.NOTHING)] for kind in kinds)} |"
        for area in Area
    ]


def documented() -> list[str]:
    """The lines of the table as the docs have it."""
    return [line for line in DOCS.read_text(encoding="utf-8").splitlines() if line.startswith("|")]


def levels() -> dict[str, dict[str, Level]]:
    """Role, area, level: what the docs promise."""
    head, _line, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in documented())
    meaning = {word: level for level, word in WORDS.items()}
    return {kind: {row[0]: meaning[row[place]] for row in rows} for place, kind in enumerate(head) if kind}
