"""Figures: who is counted for what, the lists behind them, and the 730 of 2020."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from events.models import Conference, Country, CountryStatus
from registration.figures import behind, editions, words
from registration.figures import chart as figure_chart
from registration.figures import counting as figures
from registration.models import Admission, AttendanceMode, Category, CheckIn, Participant, Registration
from registration.models import RegistrationStatus as Status
from registration.models.figure import Breakdown, LiveMeasure
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    CountryFactory,
    FigureFactory,
    ParticipantFactory,
    RegistrationFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db
REGISTERED, CONFIRMED, WAITING, ATTENDED = LiveMeasure


def whole(conference: Conference, mode: str = AttendanceMode.ONLINE) -> Admission:
    """The admission to a conference as a whole."""
    return AdmissionFactory(conference=conference, session=None, mode=mode)


def crowd(admission: Admission, people: list[dict[str, Any]], *, status: str = Status.CONFIRMED) -> None:
    """Many people at once, without identities: figures never open them. people: what each of them is."""
    made = Participant.objects.bulk_create(
        Participant(
            conference=admission.conference,
            display_name="Somebody",
            email_index=uuid4().bytes + uuid4().bytes,
            sealed_identity=b"-",
            link_hash=uuid4().bytes + uuid4().bytes,
            created_at=NOW,
            **facts,
        )
        for facts in people
    )
    Registration.objects.bulk_create(
        Registration(
            admission=admission,
            participant=participant,
            status=status,
            join_hash=uuid4().bytes + uuid4().bytes,
            created_at=NOW + timedelta(minutes=number),
        )
        for number, participant in enumerate(made)
    )


def countries(number: int, status: str) -> list[Country]:
    """Countries of a standing."""
    return [CountryFactory(status=status) for _ in range(number)]


def people_of_2020() -> list[dict[str, Any]]:
    """730 people in twelve categories from 67 countries; bodies without a country have none."""
    states = countries(53, CountryStatus.PARTICIPATING_STATE)
    partners = [*countries(2, CountryStatus.ASIAN_PARTNER), *countries(3, CountryStatus.MEDITERRANEAN_PARTNER)]
    others = countries(9, CountryStatus.OTHER)
    bodies = (Category.INTERNATIONAL_ORGANISATION, Category.EXECUTIVE_STRUCTURE, Category.FIELD_OPERATION)
    categories = [Category.DELEGATION] * 243
    categories += islice(cycle([*bodies, Category.CIVIL_SOCIETY, Category.SURVIVOR_NETWORK]), 393)
    categories += islice(cycle([Category.ACADEMIA, Category.THINK_TANK, Category.BUSINESS, Category.MEDIA]), 94)
    where = cycle([*states, *partners, *others])
    return [{"category": one, "country": None if one in bodies else next(where)} for one in categories]


def by_code(found: figures.Figures, breakdown: Breakdown, measure: LiveMeasure = REGISTERED) -> dict[str, int]:
    """The numbers of a table."""
    return {row.code: row.numbers[measure] for row in found.table(breakdown).rows}


def test_every_category_stands_in_one_report_category() -> None:
    within = [category for group in words.REPORT_CATEGORIES.values() for category in group]

    assert sorted(within) == sorted(Category)


def test_figures_of_2020_come_out_exactly() -> None:
    conference = ConferenceFactory()
    crowd(whole(conference), people_of_2020())

    found = figures.count(conference, now=NOW)

    assert found.total == {REGISTERED: 730, CONFIRMED: 730, WAITING: 0, ATTENDED: 0}
    assert by_code(found, Breakdown.REPORT_CATEGORY) == {"state": 243, "organisations": 393, "others": 94}
    assert by_code(found, Breakdown.COUNTRIES) == {"": 67, "participating_states": 53, "partners": 5, "others": 9}
    for breakdown in (Breakdown.CATEGORY, Breakdown.STANDING, Breakdown.LANGUAGE, Breakdown.MODE):
        assert sum(by_code(found, breakdown).values()) == 730, breakdown
    assert sum(by_code(found, Breakdown.COUNTRY).values()) + by_code(found, Breakdown.STANDING)["none"] == 730


@pytest.mark.parametrize("people", [10, 1000])
def test_figures_cost_the_same_for_few_and_many_people(people: int) -> None:
    conference = ConferenceFactory()
    where = countries(7, CountryStatus.PARTICIPATING_STATE)
    crowd(whole(conference), [{"country": where[number % 7]} for number in range(people)])

    with CaptureQueriesContext(connection) as queries:
        found = figures.count(conference, now=NOW)

    assert found.total[REGISTERED] == people
    assert len(queries) == 6


def test_each_status_counts_for_its_measures() -> None:
    conference = ConferenceFactory()
    admission = whole(conference)
    for status in Status:
        RegistrationFactory(admission=admission, status=status)

    found = figures.count(conference, now=NOW)

    # Registered: all but rejected and cancelled. Confirmed: confirmed, attended, absent. An offer is neither.
    assert found.total == {REGISTERED: 6, CONFIRMED: 3, WAITING: 1, ATTENDED: 1}


def test_somebody_with_several_registrations_counts_once() -> None:
    conference = ConferenceFactory()
    person = ParticipantFactory(conference=conference)
    RegistrationFactory(admission=whole(conference, AttendanceMode.IN_PERSON), participant=person)
    session = SessionFactory(conference=conference)
    RegistrationFactory(admission=AdmissionFactory(session=session), participant=person, status=Status.WAITLISTED)

    found = figures.count(conference, now=NOW)

    assert found.total == {REGISTERED: 1, CONFIRMED: 1, WAITING: 1, ATTENDED: 0}
    assert by_code(found, Breakdown.MODE) == {"in_person": 0, "online": 0, "both": 1}
    assert by_code(found, Breakdown.MODE, CONFIRMED) == {"in_person": 1, "online": 0, "both": 0}
    assert by_code(found, Breakdown.SESSION) == {words.WHOLE_CONFERENCE: 1, str(session.pk): 1}
    assert by_code(found, Breakdown.DAY) == {str(session.day_id): 1}


def check_in(registration: Registration, **values: Any) -> CheckIn:
    """Somebody was let in."""
    defaults: dict[str, Any] = {
        "conference": registration.participant.conference,
        "participant": registration.participant,
        "registration": registration,
        "on_day": registration.participant.conference.starts_on,
        "at": NOW,
        "received_at": NOW,
        "nonce": uuid4(),
    }
    return CheckIn.objects.create(**defaults | values)


def test_a_check_in_counts_as_attended_until_it_is_undone() -> None:
    conference = ConferenceFactory()
    session = SessionFactory(conference=conference)
    admission = whole(conference, AttendanceMode.IN_PERSON)
    first, second = RegistrationFactory(admission=admission), RegistrationFactory(admission=admission)
    check_in(first, session=session)
    check_in(second, session=session, undone_at=NOW)

    found = figures.count(conference, now=NOW)

    assert found.total[ATTENDED] == 1
    assert by_code(found, Breakdown.SESSION, ATTENDED)[str(session.pk)] == 1
    assert by_code(found, Breakdown.DAY, ATTENDED) == {str(session.day_id): 1}


def test_other_conferences_do_not_count() -> None:
    conference, other = ConferenceFactory(), ConferenceFactory()
    RegistrationFactory(admission=whole(other))

    assert figures.count(conference, now=NOW).total == dict.fromkeys(LiveMeasure, 0)


def a_mixed_conference() -> Conference:
    """People of many kinds, so that every table has something to count."""
    conference = ConferenceFactory()
    session = SessionFactory(conference=conference)
    online, hall = whole(conference), whole(conference, AttendanceMode.IN_PERSON)
    side = AdmissionFactory(session=session)
    where: list[Country | None] = [
        *countries(2, CountryStatus.PARTICIPATING_STATE), *countries(1, CountryStatus.ASIAN_PARTNER), None
    ]  # fmt: skip
    choices = zip(cycle(where), cycle(Category), cycle(["en", "ru"]), cycle(Status), range(24), strict=False)
    for country, category, language, status, number in choices:
        person = ParticipantFactory(
            conference=conference, country=country, category=category, language=language, has_alias=number % 5 == 0
        )
        joined = NOW if number % 7 == 0 else None
        made = RegistrationFactory(
            admission=(online, hall)[number % 2], participant=person, status=status, joined_at=joined
        )
        if number % 3 == 0:
            RegistrationFactory(admission=side, participant=person, status=Status.CONFIRMED, joined_at=joined)
        if number % 4 == 0 and status == Status.CONFIRMED:
            check_in(made, session=session if number % 8 else None)
    return conference


def test_the_list_behind_each_figure_holds_the_people_it_counts() -> None:
    conference = a_mixed_conference()
    RegistrationFactory(admission=whole(ConferenceFactory()))
    found = figures.count(conference, now=NOW)

    counted, listed = {}, {}
    for table in found.tables:
        for row in table.rows:
            for measure in LiveMeasure:
                name = (measure, table.breakdown, row.code)
                those = behind.registrations(*name)
                assert those is not None
                rows = Registration.objects.filter(those, admission__conference=conference)
                if table.breakdown == Breakdown.COUNTRIES:
                    listed[name] = rows.order_by().values("participant__country").distinct().count()
                else:
                    listed[name] = rows.order_by().values("participant").distinct().count()
                counted[name] = row.numbers[measure]

    assert listed == counted
    assert any(counted[name] for name in counted if name[0] == ATTENDED)


@pytest.mark.parametrize(
    "name",
    [
        ("paid", "total", ""),
        ("registered", "shoe_size", "42"),
        ("registered", "country", "x"),
        ("registered", "country", "9" * 30),
        ("registered", "mode", "by_mule"),
        ("registered", "session", "x"),
        ("registered", "total", "x"),
    ],
)
def test_what_is_not_counted_has_no_list(name: tuple[str, str, str]) -> None:
    assert behind.registrations(*name) is None


def test_registrations_over_time_are_on_the_venues_calendar_and_without_gaps() -> None:
    conference = ConferenceFactory()  # in Vienna: two hours ahead of UTC in July
    admission = whole(conference)
    late = datetime(2030, 7, 2, 22, 30, tzinfo=NOW.tzinfo)
    for at in (late, late + timedelta(days=2), late + timedelta(days=2)):
        RegistrationFactory(admission=admission, created_at=at)
    RegistrationFactory(admission=admission, created_at=late, status=Status.CANCELLED)

    days = figures.count(conference, now=NOW).over_time

    assert [(day.date.day, day.new, day.so_far) for day in days] == [(3, 1, 1), (4, 0, 1), (5, 2, 3)]


def test_chart_ends_at_the_last_day_and_the_highest_number() -> None:
    first = NOW.date()
    days = [figures.Day(first + timedelta(days=number), 2, 2 * number + 2) for number in range(5)]

    drawn = figure_chart.chart(days)

    assert drawn is not None
    assert drawn.line.split()[-1] == f"{drawn.right}.0,24.0"
    assert [mark.text for mark in drawn.ups] == [0, 5, 10]
    assert figure_chart.chart(days[:1]) is None


def test_editions_stand_side_by_side_with_what_was_imported() -> None:
    older = ConferenceFactory(edition=19)
    newer = ConferenceFactory(series=older.series, edition=20)
    crowd(whole(newer), [{"country": CountryFactory()}] * 3)
    imported = FigureFactory(conference=older, value=700, qualifier="more_than", source="report")

    with CaptureQueriesContext(connection) as queries:
        found = editions.read([newer, older])

    assert [(edition.total[REGISTERED], edition.countries[REGISTERED]) for edition in found] == [(3, 1), (0, 0)]
    assert [edition.imported for edition in found] == [[], [imported]]
    assert len(queries) == 2
