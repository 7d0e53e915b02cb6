"""The chart of registrations over time: geometry for an SVG that the server draws. Its text is the table beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from registration.figures.counting import Day

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 8, 24, 34
_WORDS = 270
_MOST_POINTS = 400  # a line needs no more than it has pixels


@dataclass(frozen=True, slots=True)
class Mark:
    """A number or a day on an axis. at: its place in the picture."""

    at: float
    text: int | date
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Chart:
    """What the template draws: the line of all so far, the area below it, and the axes."""

    line: str
    area: str
    ups: list[Mark]
    days: list[Mark]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    bottom: int = HEIGHT - _BOTTOM
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a chart that lies: its words, its number, its place and length in the picture."""

    label: object
    number: int
    at: int
    long: float
    end: float


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars below each other, the longest as wide as there is room."""

    bars: list[Bar]
    height: int
    left: int = _WORDS
    width: int = WIDTH


def bars(rows: Sequence[tuple[object, int]], widest: int) -> Bars:
    """Bars for words and numbers. widest: the greatest of the numbers."""
    room = WIDTH - _WORDS - 70  # words on the left, the number on the right
    longs = [round(max(2.0, room * number / max(widest, 1)), 1) for _label, number in rows]
    drawn = [
        Bar(label, number, 28 * place, long, round(_WORDS + long + 8, 1))
        for place, ((label, number), long) in enumerate(zip(rows, longs, strict=True))
    ]
    return Bars(drawn, 28 * len(drawn))


@dataclass(frozen=True, slots=True)
class Piece:
    """One part of a column. kind: which of the parts it is, from 1, for its colour and its pattern of edges."""

    kind: int
    at: float
    up: float
    wide: float
    high: float


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns beside each other, each of several parts, and the axes."""

    pieces: list[Piece]
    ups: list[Mark]
    marks: list[tuple[float, object, str]]
    legend: list[tuple[int, float, object]]
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    width: int = WIDTH
    height: int = HEIGHT + 26


def columns(rows: Sequence[tuple[object, Sequence[int]]], parts: Sequence[object]) -> Columns:
    """Columns for moments and numbers, one number for each of the parts. rows must not be empty."""
    top = _round_up(max(1, *(sum(numbers) for _label, numbers in rows)))
    ground, room = HEIGHT - _BOTTOM, HEIGHT - _TOP - _BOTTOM
    step = (WIDTH - _LEFT - _RIGHT) / len(rows)
    pieces = []
    for place, (_label, numbers) in enumerate(rows):
        below = 0
        for kind, number in enumerate(numbers, start=1):
            if number:
                below += number
                high = room * number / top
                at = _LEFT + step * (place + 0.15)
                pieces.append(
                    Piece(
                        kind, round(at, 1), round(ground - room * below / top, 1), round(step * 0.7, 1), round(high, 1)
                    )
                )
    shown = {0: "start", len(rows) - 1: "end"} if len(rows) > 1 else {0: "start"}
    if len(rows) > 4:
        shown[len(rows) // 2] = "middle"
    places = {"start": 0.15, "middle": 0.5, "end": 0.85}
    marks = [
        (round(_LEFT + step * (place + places[anchor]), 1), rows[place][0], anchor)
        for place, anchor in sorted(shown.items())
    ]
    ups = [Mark(round(ground - room * number / top, 1), number, "end") for number in sorted({0, top // 2, top})]
    legend = [(kind, round(_LEFT + 200.0 * (kind - 1), 1), part) for kind, part in enumerate(parts, start=1)]
    return Columns(pieces, ups, marks, legend)


def chart(days: Sequence[Day]) -> Chart | None:
    """The chart; None for fewer than two days, which make no line."""
    if len(days) < 2:
        return None
    step = max(1, -(-len(days) // _MOST_POINTS))
    kept = [day for number, day in enumerate(days) if number % step == 0 or number == len(days) - 1]
    top = _round_up(max(1, days[-1].so_far))
    span = (days[-1].date - days[0].date).days

    def across(day: date) -> float:
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (day - days[0].date).days / span, 1)

    def up(number: int) -> float:
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * number / top, 1)

    points = [f"{across(day.date)},{up(day.so_far)}" for day in kept]
    ground = HEIGHT - _BOTTOM
    area = " ".join([f"{_LEFT},{ground}", *points, f"{WIDTH - _RIGHT},{ground}"])
    ups = [Mark(up(number), number, "end") for number in sorted({0, top // 2, top})]
    marks = [Mark(across(days[0].date), days[0].date, "start"), Mark(across(days[-1].date), days[-1].date, "end")]
    if len(days) > 4:
        middle = days[len(days) // 2].date
        marks.insert(1, Mark(across(middle), middle))
    return Chart(" ".join(points), area, ups, marks)


def _round_up(number: int) -> int:
    """The next number that reads well at the top of an axis: 1, 2, 4, 5, 10, 20, 40, 50, 100..."""
    size = 1
    while True:
        for factor in (1, 2, 4, 5):
            if factor * size >= number:
                return factor * size
        size *= 10
