"""What the checks of a programme find."""

from __future__ import annotations

from datetime import UTC, datetime

from events import programme_checks
from events.models import Conference
from events.programme_checks import Finding


def at(hour: int, minute: int = 0, *, day: int = 15) -> datetime:
    """An instant in July 2030, in UTC; Vienna is two hours ahead."""
    return datetime(2030, 7, day, hour, minute, tzinfo=UTC)


def findings(conference: Conference) -> list[Finding]:
    """What the checks find; translations are a matter of their own."""
    return [finding for finding in programme_checks.run(conference) if finding.code != "translation_missing"]


def codes(conference: Conference) -> list[tuple[str, str]]:
    """Code and key of the row of each finding."""
    return [(finding.code, finding.row.key) for finding in findings(conference)]
