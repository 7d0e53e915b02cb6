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
