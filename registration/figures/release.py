"""What of the figures may be public, and releasing it: nothing under five, nor anything it could be computed from.

The rules and the attacks they answer stand in docs/figures.md. In short: one measure at a time; a line under five is
left out, and with it so many others that the sum of what is left out does not give it away; who appears under an alias
counts for no country. What is released is kept as it stood, so that nobody sees single people come and go.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from accounts import actors
from accounts.actors import Actor
from events.models import Conference, Country, Session
from registration.figures import counting as figures
from registration.figures.counting import People
from registration.figures.words import COUNTRY_GROUPS, NO_COUNTRY
from registration.models.figure import LEAST_PEOPLE, Breakdown, LiveMeasure, PublicFigure

# How many steps the number of a group that is left out can be wrong at least, for whoever knows all that is shown.
_LEAST_DOUBT = 2


@dataclass(frozen=True, slots=True)
class Cell:
    """A number of people under a code, and whether it is known that there are some (a country that came)."""

    code: str
    value: int
    least: int = 0


def shown(cells: Sequence[Cell]) -> set[str] | None:
    """The codes of the lines that may be shown beside their sum; None when none of the table may be.

    The lines must be all there are, each person in one of them. A line under five is hidden. Then others are hidden
    from the end on, in the order given and not by size, which would tell something about them, until the sum of what
    is hidden leaves each of the small ones at least three possible values.
    """
    hidden = [cell for cell in cells if cell.value < LEAST_PEOPLE]
    if not hidden:
        return {cell.code for cell in cells}
    rest = [cell for cell in cells if cell.value >= LEAST_PEOPLE]
    others: list[Cell] = []
    while not _in_doubt(hidden, others):
        if not rest:
            return None
        others.append(rest.pop())
    return {cell.code for cell in rest}


def _in_doubt(small: Sequence[Cell], others: Sequence[Cell]) -> bool:
    """Whether the sum of both could come about in enough ways, also for somebody who knows which of them are small."""
    if len(small) + len(others) < 2:
        return False
    upwards = sum(cell.value - cell.least for cell in small) + sum(cell.value - LEAST_PEOPLE for cell in others)
    # Without a large one among them, the small ones cannot all be at their highest.
    downwards = sum(LEAST_PEOPLE - 1 - cell.value for cell in small) if not others else LEAST_PEOPLE
    return upwards >= _LEAST_DOUBT and downwards >= _LEAST_DOUBT


def protected(people: Iterable[People]) -> list[People]:
    """The same people; those who appear under an alias have no country."""
    return [replace(group, country_id=None, standing=NO_COUNTRY) if group.has_alias else group for group in people]


def _cells(table: figures.Table, measure: LiveMeasure, *, least: int = 0) -> list[Cell]:
    return [Cell(row.code, row.numbers[measure], least) for row in table.rows]


@dataclass(frozen=True, slots=True)
class Line:
    """A line that may be public."""

    breakdown: Breakdown
    code: str
    value: int


def lines(conference: Conference, *, measure: LiveMeasure) -> list[Line]:
    """What may be public of one measure, in order. Empty when fewer than five people are counted."""
    people = protected(figures.people_of([conference]))
    countries = {country.pk: country for country in Country.objects.in_protocol_order().defer("aliases")}
    tables = {table.breakdown: table for table in figures.tables_of_people(people, countries)}
    total = figures.numbers(people)[measure]
    if total < LEAST_PEOPLE:
        return []
    found = [Line(Breakdown.TOTAL, "", total)]
    for outer, inner in ((Breakdown.REPORT_CATEGORY, Breakdown.CATEGORY), (Breakdown.STANDING, Breakdown.COUNTRY)):
        above = shown(_cells(tables[outer], measure)) or set()
        found += _of(tables[outer], measure, above)
        if outer == Breakdown.STANDING:
            found += _numbers_of_countries(tables[Breakdown.COUNTRIES], measure, above)
        found += _of(tables[inner], measure, _within(tables[inner], measure, above))
    for breakdown in (Breakdown.LANGUAGE, Breakdown.MODE):
        found += _of(tables[breakdown], measure, shown(_cells(tables[breakdown], measure)) or set())
    return found + _sessions(conference, measure, total)


def _of(table: figures.Table, measure: LiveMeasure, codes: set[str]) -> list[Line]:
    return [Line(table.breakdown, row.code, row.numbers[measure]) for row in table.rows if row.code in codes]


def _within(table: figures.Table, measure: LiveMeasure, above: set[str]) -> set[str]:
    """The lines of an inner table: only below lines that are shown themselves, each group with its own sum."""
    groups: dict[str, list[Cell]] = defaultdict(list)
    for row in table.rows:
        is_country = table.breakdown == Breakdown.COUNTRY
        if row.within in above and (row.numbers[measure] or not is_country):
            groups[row.within].append(Cell(row.code, row.numbers[measure], least=1 if is_country else 0))
    return {code for cells in groups.values() for code in shown(cells) or ()}


def _numbers_of_countries(table: figures.Table, measure: LiveMeasure, standings: set[str]) -> list[Line]:
    """How many countries: of the groups whose people are shown, and of all when each group is."""
    groups = {code for code, within in COUNTRY_GROUPS.items() if standings.issuperset(within)}
    if groups == set(COUNTRY_GROUPS):
        groups.add("")
    return _of(table, measure, groups)


def _sessions(conference: Conference, measure: LiveMeasure, total: int) -> list[Line]:
    """Sessions that strangers may see, where neither those who are there nor those who are not are few."""
    public = {str(pk) for pk in Session.objects.public().filter(conference=conference).values_list("pk", flat=True)}
    table, _days = figures.things(conference)
    return [
        Line(Breakdown.SESSION, row.code, row.numbers[measure])
        for row in table.rows
        if row.code in public
        and row.numbers[measure] >= LEAST_PEOPLE
        and (row.numbers[measure] == total or total - row.numbers[measure] >= LEAST_PEOPLE)
    ]


@transaction.atomic
def release(conference: Conference, *, measure: LiveMeasure, by: Actor, now: datetime) -> int:
    """Publish the figures of one measure as they stand now, instead of those released before; how many lines."""
    locked = Conference.objects.select_for_update(no_key=True).get(pk=conference.pk)
    PublicFigure.objects.filter(conference=locked).delete()
    found = lines(locked, measure=measure)
    PublicFigure.objects.bulk_create(
        PublicFigure(
            conference=locked,
            measure=measure,
            breakdown=line.breakdown,
            group="" if line.breakdown in (Breakdown.COUNTRY, Breakdown.SESSION) else line.code,
            country_id=int(line.code) if line.breakdown == Breakdown.COUNTRY else None,
            session_id=int(line.code) if line.breakdown == Breakdown.SESSION else None,
            position=position,
            value=line.value,
            counted_at=now,
        )
        for position, line in enumerate(found)
    )
    _audit("figures.released", locked, by=by, now=now, measure=measure.value, lines=len(found))
    return len(found)


@transaction.atomic
def withdraw(conference: Conference, *, by: Actor, now: datetime) -> bool:
    """Take the released figures back. False when there were none."""
    count, _by_model = PublicFigure.objects.filter(conference=conference).delete()
    if count:
        _audit("figures.withdrawn", conference, by=by, now=now)
    return bool(count)


def _audit(action: str, conference: Conference, *, by: Actor, now: datetime, **details: object) -> None:
    actors.audit_entry(
        at=now, by=by, action=action, about_kind="conference", about_id=conference.public_id, details=details
    ).save()
