"""The timeline of a day with parallel items: where each of them stands in a grid, a row for a quarter of an hour.

It repeats the list for the eye, so it may leave out what does not fit; the list never does. Columns and rows are names
of classes from the fixed set in static/css/timeline.css, because our pages carry no styles of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from alliance import dates
from events.models import Conference, Session, SessionState

_QUARTER = timedelta(minutes=15)
MOST_ROWS = 120  # a whole day, and some items that begin between the quarters
MOST_LANES = 24


@dataclass(frozen=True, slots=True)
class Block:
    """An item in the grid: rows from and to (half-open), its column; lane None is an item beside which nothing runs."""

    session: Session
    first: int
    end: int
    lane: int | None
    time: str  # by the venue's clock


@dataclass(frozen=True, slots=True)
class Mark:
    """A time at the side of the grid."""

    row: int
    at: datetime
    time: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """A day as a grid."""

    blocks: list[Block]
    marks: list[Mark]
    lanes: int

    @property
    def starts_at(self) -> datetime:
        """The first instant, which names the clock."""
        return self.marks[0].at


def _rows(spans: Sequence[tuple[datetime, datetime]]) -> tuple[dict[datetime, int], dict[datetime, int]] | None:
    """The rows that begin and end at an instant: one for each quarter of an hour in which something runs.

    A row also ends where an item begins or ends, so that what follows each other never shares one. None when there
    would be too many.
    """
    seconds = int(_QUARTER.total_seconds())
    points = {instant for span in spans for instant in span}
    for starts_at, ends_at in spans:
        if ends_at - starts_at > _QUARTER * MOST_ROWS:
            return None
        quarter = starts_at + timedelta(seconds=seconds - int(starts_at.timestamp()) % seconds)
        while quarter < ends_at:
            points.add(quarter)
            quarter += _QUARTER
    begin: dict[datetime, int] = {}
    end: dict[datetime, int] = {}
    ordered = sorted(points)
    for first, last in pairwise(ordered):
        if any(starts_at <= first and last <= ends_at for starts_at, ends_at in spans):
            begin[first] = end[last] = len(begin) + 1
    return (begin, end) if len(begin) <= MOST_ROWS else None


def timeline(sessions: Sequence[Session], conference: Conference) -> Timeline | None:
    """The grid of a day's scheduled items with a time; None where nothing runs in parallel, or where it is too big."""
    timed = [
        (session.starts_at, session.ends_at, session)
        for session in sessions
        if session.state == SessionState.SCHEDULED and session.starts_at is not None and session.ends_at is not None
    ]
    timed.sort(key=lambda item: item[0])  # stable: what begins together stays in printed order
    lanes: list[datetime] = []  # when each of them is free again
    found: list[tuple[datetime, datetime, Session, int]] = []
    for starts_at, ends_at, session in timed:
        free = next((number for number, until in enumerate(lanes) if until <= starts_at), None)
        if free is None:
            free = len(lanes)
            lanes.append(ends_at)
        lanes[free] = ends_at
        found.append((starts_at, ends_at, session, free + 1))
    if len(lanes) < 2 or len(lanes) > MOST_LANES:
        return None
    rows = _rows([(starts_at, ends_at) for starts_at, ends_at, _session, _lane in found])
    if rows is None:
        return None
    begin, end = rows
    zone = conference.zone
    blocks, marks = [], {}
    for starts_at, ends_at, session, lane in found:
        is_alone = not any(
            other is not session and begins < ends_at and starts_at < ends for begins, ends, other, _lane in found
        )
        clock = dates.clock(starts_at.astimezone(zone))
        time = f"{clock}–{dates.clock(ends_at.astimezone(zone))}"
        blocks.append(Block(session, begin[starts_at], end[ends_at] + 1, None if is_alone else lane, time))
        marks[starts_at] = Mark(begin[starts_at], starts_at, clock)
    return Timeline(blocks, list(marks.values()), len(lanes))
