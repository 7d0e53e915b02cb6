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

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext, gettext_lazy

from events.models import Conference, ConferenceDay, Country, CountryStatus, Session
from registration.models import AttendanceMode, Category, CheckIn, Figure, Registration, RegistrationStatus
from registration.models.figure import Breakdown, LiveMeasure
from registration.models.registration import ENDED

Label = str | Promise

# The three groups of the report on the 2020 conference: "243 participants representing state institutions; 393 from
# international and non-governmental organizations; and 94 from academia and business circles". What the report does
# not name (media, other) stands with the last.
REPORT_CATEGORIES: dict[str, tuple[Category, ...]] = {
    "state": (Category.DELEGATION,),
    "organisations": (
        Category.INTERNATIONAL_ORGANISATION,
        Category.EXECUTIVE_STRUCTURE,
        Category.FIELD_OPERATION,
        Category.CIVIL_SOCIETY,
        Category.SURVIVOR_NETWORK,
        Category.TRADE_UNION,
    ),
    "others": (Category.ACADEMIA, Category.THINK_TANK, Category.BUSINESS, Category.MEDIA, Category.OTHER),
}
REPORT_OF = {str(category): report for report, within in REPORT_CATEGORIES.items() for category in within}
REPORT_LABELS: dict[str, Label] = {
    "state": gettext_lazy("Delegations and State institutions"),
    "organisations": gettext_lazy("International and non-governmental organisations"),
    "others": gettext_lazy("Academia, business and others"),
}
NO_COUNTRY = "none"
STANDING_LABELS: dict[str, Label] = {
    **{status.value: status.label for status in CountryStatus},
    NO_COUNTRY: gettext_lazy("No country stated"),
}
# The 67 countries of 2020 are given as participating States, Partners and others.
PARTNERS = (CountryStatus.ASIAN_PARTNER, CountryStatus.MEDITERRANEAN_PARTNER)
COUNTRY_GROUPS: dict[str, tuple[str, ...]] = {
    "participating_states": (CountryStatus.PARTICIPATING_STATE,),
    "partners": tuple(PARTNERS),
    "others": (CountryStatus.OTHER,),
}
COUNTRY_GROUP_LABELS: dict[str, Label] = {
    "participating_states": gettext_lazy("Participating States"),
    "partners": gettext_lazy("Partners for Co-operation"),
    "others": gettext_lazy("Other countries"),
}
# Ways to attend as bits: somebody may come to the hall one day and by video the other.
MODES: dict[str, int] = {"in_person": 1, "online": 2, "both": 3}
MODE_LABELS: dict[str, Label] = {
    "in_person": gettext_lazy("In person only"),
    "online": gettext_lazy("On-line only"),
    "both": gettext_lazy("In person and on-line"),
}
WHOLE_CONFERENCE = "conference"
TITLES: dict[str, Label] = {
    Breakdown.REPORT_CATEGORY: gettext_lazy("By report category"),
    Breakdown.CATEGORY: gettext_lazy("By category"),
    Breakdown.STANDING: gettext_lazy("By standing of the State"),
    Breakdown.COUNTRIES: gettext_lazy("Countries"),
    Breakdown.COUNTRY: gettext_lazy("By country"),
    Breakdown.LANGUAGE: gettext_lazy("By language"),
    Breakdown.MODE: gettext_lazy("By way of attending"),
    Breakdown.DAY: gettext_lazy("By day"),
    Breakdown.SESSION: gettext_lazy("By session"),
}
_S = RegistrationStatus
_CONFIRMED = (_S.CONFIRMED, _S.ATTENDED, _S.ABSENT)
MEASURES = tuple(LiveMeasure)
MEASURE_NOTES: dict[str, Label] = {
    LiveMeasure.REGISTERED: gettext_lazy("with a registration that stands: also waiting, offered or not decided yet"),
    LiveMeasure.CONFIRMED: gettext_lazy("with a place, whether or not they came"),
    LiveMeasure.WAITING: gettext_lazy("on a waiting list; some have a place for something else"),
    LiveMeasure.ATTENDED: gettext_lazy("checked in, joined on-line, or recorded as having attended"),
}


# --- counting -------------------------------------------------------------------------------------------------------

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
    values |= {"ended": sorted(ENDED), "confirmed": sorted(_CONFIRMED)}
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


def languages() -> list[tuple[str, str]]:
    """The languages people are written to in, by name in the active language."""
    return [(code, gettext(str(name))) for code, name in settings.LANGUAGES]


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


# --- the list behind a figure ---------------------------------------------------------------------------------------


def behind(measure: str, breakdown: str, code: str) -> Q | None:
    """The registrations of the people whom a figure counts, as a filter of them; None for what is not counted.

    The people behind these registrations, each once, are as many as the figure says.
    """
    if measure not in LiveMeasure.values:
        return None
    measured = _measured(LiveMeasure(measure))
    if breakdown == Breakdown.MODE and code in MODES:
        return measured & _in_mode(LiveMeasure(measure), code)
    if breakdown in (Breakdown.SESSION, Breakdown.DAY):
        return _of_thing(LiveMeasure(measure), breakdown, code)
    found = _who(breakdown, code)
    return None if found is None else measured & found


def _measured(measure: LiveMeasure) -> Q:
    entered = CheckIn.objects.standing().filter(registration=OuterRef("pk"))
    return {
        LiveMeasure.REGISTERED: ~Q(status__in=ENDED),
        LiveMeasure.CONFIRMED: Q(status__in=_CONFIRMED),
        LiveMeasure.WAITING: Q(status=_S.WAITLISTED),
        LiveMeasure.ATTENDED: Q(status=_S.ATTENDED) | Q(Exists(entered)),
    }[measure]


def _key(code: str) -> int | None:
    return int(code) if code.isascii() and code.isdigit() and len(code) < 19 else None


def _who(breakdown: str, code: str) -> Q | None:
    if breakdown == Breakdown.TOTAL and not code:
        return Q()
    if breakdown == Breakdown.REPORT_CATEGORY and code in REPORT_CATEGORIES:
        return Q(participant__category__in=REPORT_CATEGORIES[code])
    if breakdown == Breakdown.CATEGORY and code in Category.values:
        return Q(participant__category=code)
    if breakdown == Breakdown.STANDING and code in STANDING_LABELS:
        nowhere = Q(participant__country__isnull=True)
        return nowhere if code == NO_COUNTRY else Q(participant__country__status=code)
    if breakdown == Breakdown.COUNTRIES and (not code or code in COUNTRY_GROUPS):
        within = COUNTRY_GROUPS.get(code, CountryStatus.values)
        return Q(participant__country__status__in=within)
    if breakdown == Breakdown.COUNTRY and _key(code) is not None:
        return Q(participant__country_id=_key(code))
    if breakdown == Breakdown.LANGUAGE:
        return Q(participant__language=code)
    return None


def _in_mode(measure: LiveMeasure, code: str) -> Q:
    def some(mode: AttendanceMode) -> Q:
        others = Registration.objects.filter(_measured(measure), participant=OuterRef("participant"))
        return Q(Exists(others.filter(admission__mode=mode)))

    in_person, online = some(AttendanceMode.IN_PERSON), some(AttendanceMode.ONLINE)
    return {"in_person": in_person & ~online, "online": online & ~in_person, "both": in_person & online}[code]


def _of_thing(measure: LiveMeasure, breakdown: str, code: str) -> Q | None:
    key = _key(code)
    if breakdown == Breakdown.SESSION and code == WHOLE_CONFERENCE:
        found, entry = Q(admission__session__isnull=True), Q(session__isnull=True)
    elif key is None:
        return None
    elif breakdown == Breakdown.SESSION:
        found, entry = Q(admission__session_id=key), Q(session_id=key)
    else:
        found = Q(admission__session__day_id=key)
        entry = Q(on_day=ConferenceDay.objects.filter(pk=key).values("date")[:1])
    if measure != LiveMeasure.ATTENDED:
        return _measured(measure) & found
    # Who was let in to a session may have registered for the conference as a whole.
    entered = CheckIn.objects.standing().filter(entry, registration=OuterRef("pk"))
    return Q(status=_S.ATTENDED) & found | Q(Exists(entered))


# --- editions of a series -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Edition:
    """One conference of a series: what is counted, and what was written by hand about it."""

    conference: Conference
    total: Numbers
    countries: Numbers
    imported: list[Figure]


def editions(conferences: Sequence[Conference]) -> list[Edition]:
    """The conferences side by side. Two queries, however many there are."""
    people: dict[int, list[People]] = defaultdict(list)
    for group in people_of(conferences):
        people[group.conference_id].append(group)
    imported: dict[int, list[Figure]] = defaultdict(list)
    for figure in Figure.objects.filter(conference__in=conferences, session=None, group="").order_by("pk"):
        imported[figure.conference_id].append(figure)
    return [
        Edition(
            conference,
            numbers(people[conference.pk]),
            number_of_countries(people[conference.pk]),
            imported[conference.pk],
        )
        for conference in conferences
    ]


def describe(measure: str, breakdown: str, code: str) -> str:
    """A figure in words, for the heading of its list."""
    labels: dict[str, dict[str, Label]] = {
        Breakdown.REPORT_CATEGORY: REPORT_LABELS,
        Breakdown.CATEGORY: {category.value: category.label for category in Category},
        Breakdown.STANDING: STANDING_LABELS,
        Breakdown.COUNTRIES: COUNTRY_GROUP_LABELS,
        Breakdown.MODE: MODE_LABELS,
        Breakdown.LANGUAGE: dict(languages()),
    }
    label = str(LiveMeasure(measure).label)
    named = labels.get(breakdown, {}).get(code) or (TITLES.get(breakdown, "") if code else "")
    return f"{label}: {named}" if named else label
