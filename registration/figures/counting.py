"""Live figures of a conference: how many people, by what is measured and by who they are. docs/figures.md defines them.

Always people, each once, however many registrations somebody has. What is measured is never mixed: a number without its
measure does not leave this module. Everything is counted by the database in a fixed number of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import formats
from django.utils.translation import gettext_lazy

from events.models import Conference, ConferenceDay, Country, Session
from registration.figures.words import (
    CONFIRMED,
    COUNTRY_GROUP_LABELS,
    COUNTRY_GROUPS,
    MEASURES,
    MODE_LABELS,
    MODES,
    NO_COUNTRY,
    REPORT_CATEGORIES,
    REPORT_LABELS,
    REPORT_OF,
    STANDING_LABELS,
    TITLES,
    WHOLE_CONFERENCE,
    Label,
    languages,
)
from registration.models.figure import Breakdown, LiveMeasure
from registration.models.registration import ENDED

_PEOPLE = """
WITH entered AS (
    SELECT DISTINCT registration_id FROM registration_checkin
    WHERE conference_id = ANY(%(conferences)s) AND undone_at IS NULL
), people AS (
    SELECT r.participant_id,
        bit_or(w.bit) FILTER (WHERE r.status <> ALL(%(ended)s)) AS registered,
        bit_or(w.bit) FILTER (WHERE r.status = ANY(%(confirmed)s)) AS confirmed,
        bit_or(w.bit) FILTER (WHERE r.status = 'waitlisted') AS waiting,
        bit_or(w.bit) FILTER (
            WHERE r.status = 'attended' OR e.registration_id IS NOT NULL
                OR r.joined_at IS NOT NULL AND r.status = ANY(%(confirmed)s)
        ) AS attended
    FROM registration_registration r
    JOIN registration_admission a ON a.id = r.admission_id
    CROSS JOIN LATERAL (SELECT CASE a.mode WHEN 'in_person' THEN 1 ELSE 2 END AS bit) w
    LEFT JOIN entered e ON e.registration_id = r.id
    WHERE a.conference_id = ANY(%(conferences)s)
    GROUP BY r.participant_id
)
SELECT p.conference_id, p.category, p.country_id, coalesce(c.status, ''), p.language, p.has_alias,
    coalesce(people.registered, 0), coalesce(people.confirmed, 0), coalesce(people.waiting, 0),
    coalesce(people.attended, 0), count(*)
FROM people
JOIN registration_participant p ON p.id = people.participant_id
LEFT JOIN events_country c ON c.id = p.country_id
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
"""

# What is attended and who attends it. A day counts people with something on that day; the entrance counts for its day.
_THINGS = """
WITH facts AS (
    SELECT a.session_id, s.day_id, r.participant_id, r.status <> ALL(%(ended)s) AS registered,
        r.status = ANY(%(confirmed)s) AS confirmed, r.status = 'waitlisted' AS waiting,
        r.status = 'attended' OR r.joined_at IS NOT NULL AND r.status = ANY(%(confirmed)s) AS attended
    FROM registration_registration r
    JOIN registration_admission a ON a.id = r.admission_id
    LEFT JOIN events_session s ON s.id = a.session_id
    WHERE a.conference_id = %(conference)s
    UNION ALL
    SELECT k.session_id, d.id, k.participant_id, false, false, false, true
    FROM registration_checkin k
    LEFT JOIN events_conferenceday d ON d.conference_id = k.conference_id AND d.date = k.on_day
    WHERE k.conference_id = %(conference)s AND k.undone_at IS NULL
)
SELECT grouping(session_id) = 1, session_id, day_id,
    count(DISTINCT participant_id) FILTER (WHERE registered), count(DISTINCT participant_id) FILTER (WHERE confirmed),
    count(DISTINCT participant_id) FILTER (WHERE waiting), count(DISTINCT participant_id) FILTER (WHERE attended)
FROM facts GROUP BY GROUPING SETS ((session_id), (day_id))
"""

_OVER_TIME = """
SELECT came_at, count(*) FROM (
    SELECT (min(r.created_at) AT TIME ZONE %(zone)s)::date AS came_at
    FROM registration_registration r JOIN registration_admission a ON a.id = r.admission_id
    WHERE a.conference_id = %(conference)s AND r.status <> ALL(%(ended)s)
    GROUP BY r.participant_id
) AS firsts GROUP BY came_at ORDER BY came_at
"""


@dataclass(frozen=True, slots=True)
class People:
    """Some people who are alike in all that is counted. ways: for each measure the ways to attend, as bits of MODES."""

    conference_id: int
    category: str
    country_id: int | None
    standing: str
    language: str
    has_alias: bool
    ways: dict[LiveMeasure, int]
    number: int


Numbers = dict[LiveMeasure, int]


def _rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    values |= {"ended": sorted(ENDED), "confirmed": sorted(CONFIRMED)}
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def people_of(conferences: Iterable[Conference]) -> list[People]:
    """Everybody who ever registered for the conferences, grouped by what is counted. One query."""
    keys = [conference.pk for conference in conferences]
    return [
        People(
            conference_id,
            category,
            country_id,
            standing or NO_COUNTRY,
            language,
            has_alias,
            dict(zip(MEASURES, ways, strict=True)),
            number,
        )
        for conference_id, category, country_id, standing, language, has_alias, *ways, number in _rows(
            _PEOPLE, conferences=keys
        )
    ]


def numbers(people: Iterable[People], matches: Callable[[People], bool] | None = None) -> Numbers:
    """How many people there are for each measure. matches: only of those; all without it."""
    found = dict.fromkeys(MEASURES, 0)
    for group in people:
        if matches is None or matches(group):
            for measure in MEASURES:
                found[measure] += group.number if group.ways[measure] else 0
    return found


def _numbers_by(people: Iterable[People], key: Callable[[People], Any]) -> dict[Any, Numbers]:
    found: dict[Any, Numbers] = defaultdict(lambda: dict.fromkeys(MEASURES, 0))
    for group in people:
        counted = found[key(group)]
        for measure in MEASURES:
            counted[measure] += group.number if group.ways[measure] else 0
    return found


def number_of_countries(people: Sequence[People], standings: Sequence[str] | None = None) -> Numbers:
    """How many countries people come from, for each measure. Who has no country counts for none."""
    return {
        measure: len(
            {
                group.country_id
                for group in people
                if group.country_id is not None
                and group.ways[measure]
                and (standings is None or group.standing in standings)
            }
        )
        for measure in MEASURES
    }


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table. code: what it counts, for programs. within: the line of the table above it belongs to."""

    code: str
    label: Label
    numbers: Numbers
    within: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers by one property. adds_up: everybody is in exactly one line."""

    breakdown: Breakdown
    rows: list[Row]
    adds_up: bool = True

    @property
    def title(self) -> Label:
        """Its heading."""
        return TITLES[self.breakdown]


@dataclass(frozen=True, slots=True)
class Day:
    """People whose first standing registration came on a day, and all of them until its end."""

    date: date
    new: int
    so_far: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is counted at one instant."""

    conference: Conference
    counted_at: datetime
    total: Numbers
    tables: list[Table]
    over_time: list[Day] = field(default_factory=list)

    def table(self, breakdown: Breakdown) -> Table:
        """The table of a breakdown."""
        return next(table for table in self.tables if table.breakdown == breakdown)


def count(conference: Conference, *, now: datetime) -> Figures:
    """All figures of a conference. now: what is said of when they were counted. Six queries, however many people."""
    people = people_of([conference])
    countries = {country.pk: country for country in Country.objects.in_protocol_order().defer("aliases")}
    by_session, by_day = things(conference)
    tables = [*tables_of_people(people, countries), by_day, by_session]
    return Figures(conference, now, numbers(people), tables, _over_time(conference))


def tables_of_people(people: Sequence[People], countries: dict[int, Country]) -> list[Table]:
    """The tables by who somebody is. countries: all of them by key, in protocol order."""
    categories = _numbers_by(people, lambda group: group.category)
    reports = _numbers_by(people, lambda group: REPORT_OF[group.category])
    standings = _numbers_by(people, lambda group: group.standing)
    by_country = _numbers_by(people, lambda group: group.country_id)
    by_language = _numbers_by(people, lambda group: group.language)
    modes = [
        Row(
            code,
            label,
            {m: sum(group.number for group in people if group.ways[m] == MODES[code]) for m in MEASURES},
        )
        for code, label in MODE_LABELS.items()
    ]
    whole = Row("", gettext_lazy("All countries"), number_of_countries(people))
    groups = [
        Row(code, COUNTRY_GROUP_LABELS[code], number_of_countries(people, within))
        for code, within in COUNTRY_GROUPS.items()
    ]
    return [
        Table(Breakdown.REPORT_CATEGORY, [Row(code, label, reports[code]) for code, label in REPORT_LABELS.items()]),
        Table(
            Breakdown.CATEGORY,
            [
                Row(category.value, category.label, categories[category.value], within=report)
                for report, within in REPORT_CATEGORIES.items()
                for category in within
            ],
        ),
        Table(Breakdown.STANDING, [Row(code, label, standings[code]) for code, label in STANDING_LABELS.items()]),
        Table(Breakdown.COUNTRIES, [whole, *groups], adds_up=False),
        Table(
            Breakdown.COUNTRY,
            [
                Row(str(pk), str(country.name), by_country[pk], within=country.status)
                for pk, country in countries.items()
                if pk in by_country and any(by_country[pk].values())
            ],
        ),
        Table(Breakdown.LANGUAGE, [Row(code, name, by_language[code]) for code, name in languages()]),
        Table(Breakdown.MODE, modes),
    ]


def things(conference: Conference) -> tuple[Table, Table]:
    """The tables by session and by day."""
    sessions: dict[int | None, Numbers] = {}
    days: dict[int | None, Numbers] = {}
    for is_day, session_id, day_id, *counted in _rows(_THINGS, conference=conference.pk):
        (days if is_day else sessions)[day_id if is_day else session_id] = dict(zip(MEASURES, counted, strict=True))
    rows = []
    if None in sessions:
        rows.append(Row(WHOLE_CONFERENCE, gettext_lazy("The conference as a whole"), sessions[None]))
    rows += [
        Row(str(session.pk), str(session.title), sessions[session.pk])
        for session in Session.objects.filter(conference=conference).in_programme_order()
        if session.pk in sessions
    ]
    of_days = [
        Row(str(day.pk), formats.date_format(day.date), days[day.pk])
        for day in ConferenceDay.objects.filter(conference=conference).order_by("number")
        if day.pk in days
    ]
    return Table(Breakdown.SESSION, rows, adds_up=False), Table(Breakdown.DAY, of_days, adds_up=False)


def _over_time(conference: Conference) -> list[Day]:
    """Registrations day by day on the venue's calendar, from the first to the last; days without any are there too."""
    came = dict(_rows(_OVER_TIME, conference=conference.pk, zone=conference.zone.key))
    if not came:
        return []
    found, so_far = [], 0
    first, last = min(came), max(came)
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        so_far += came.get(day, 0)
        found.append(Day(day, came.get(day, 0), so_far))
    return found
