"""What is public of figures: nothing under five, nor anything it could be computed from."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.actors import SYSTEM
from accounts.models import AuditEntry
from events import page_cache
from events.models import Conference, ConferenceState, CountryStatus, SessionState
from registration.figures import release as figure_release
from registration.figures.release import Cell
from registration.models import Category
from registration.models.figure import Breakdown, LiveMeasure, PublicFigure
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
from tests.registration.test_figures import countries, crowd, people_of_2020, whole

REGISTERED = LiveMeasure.REGISTERED


def cells(values: tuple[int, ...], least: int) -> list[Cell]:
    """A table of these numbers."""
    return [Cell(str(place), value, least) for place, value in enumerate(values)]


# --- suppression ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lines", "least", "most"), [(2, 0, 14), (2, 1, 14), (3, 0, 13), (3, 1, 13), (4, 1, 9)])
def test_nobody_who_knows_the_rule_can_compute_what_is_hidden(lines: int, least: int, most: int) -> None:
    """Every table there can be: two that look the same from outside must differ in each small number that is hidden.

    An attacker who knows the program, the sum and all that is shown knows the set of tables that look so, no more.
    """
    alike: dict[Any, list[tuple[int, ...]]] = defaultdict(list)
    for values in itertools.product(range(least, most + 1), repeat=lines):
        visible = figure_release.shown(cells(values, least)) or set()
        assert all(values[int(code)] >= 5 for code in visible)
        outside = tuple(value if str(place) in visible else None for place, value in enumerate(values))
        alike[sum(values), outside].append(values)

    for (total, outside), tables in alike.items():
        if total > most or total < 5:
            continue  # beyond it, tables that would look the same were not tried; below it nothing is published
        for place, seen in enumerate(outside):
            possible = {values[place] for values in tables}
            if seen is None and min(possible) < 5:
                assert len(possible) >= 2, (total, outside, place)


def test_one_small_line_takes_another_with_it() -> None:
    shown = figure_release.shown(cells((100, 3, 40, 60), 0))

    assert shown == {"0", "2"}  # 203 - 100 - 40 = 63 are the two hidden ones together


def test_a_table_without_small_lines_is_shown_whole() -> None:
    assert figure_release.shown(cells((5, 6, 7), 0)) == {"0", "1", "2"}


def test_a_single_small_line_hides_the_table() -> None:
    assert figure_release.shown(cells((3,), 1)) is None


# --- what is released -------------------------------------------------------------------------------------------------


def numbers(conference: Conference, breakdown: Breakdown) -> dict[str, int]:
    """What was released, by group, ISO code or session."""
    return {
        row.group or (row.country.iso2 if row.country else row.session.key if row.session else ""): row.value
        for row in PublicFigure.objects.filter(conference=conference, breakdown=breakdown).select_related(
            "country", "session"
        )
    }


def release(conference: Conference) -> None:
    """Make the registered people public."""
    figure_release.release(conference, measure=REGISTERED, by=SYSTEM, now=NOW)


@pytest.mark.django_db
def test_figures_of_2020_may_be_public_as_they_were_printed() -> None:
    conference = ConferenceFactory()
    crowd(whole(conference), people_of_2020())

    release(conference)

    assert numbers(conference, Breakdown.TOTAL) == {"": 730}
    assert numbers(conference, Breakdown.REPORT_CATEGORY) == {"state": 243, "organisations": 393, "others": 94}
    assert numbers(conference, Breakdown.COUNTRIES) == {
        "": 67, "participating_states": 53, "partners": 5, "others": 9,
    }  # fmt: skip


@pytest.mark.django_db
def test_a_small_country_is_not_named_and_not_the_rest_of_its_standing() -> None:
    conference = ConferenceFactory()
    big, middle, small = countries(3, CountryStatus.PARTICIPATING_STATE)
    people = [{"country": country} for country, number in ((big, 30), (middle, 9), (small, 1)) for _ in range(number)]
    crowd(whole(conference), people + [{}] * 20)

    release(conference)

    # 40 - 30 - 9 would be the one person of the small country: a second country goes, too.
    found = numbers(conference, Breakdown.COUNTRY)
    assert small.iso2 not in found
    assert len(found) == 1


@pytest.mark.django_db
def test_people_under_an_alias_count_for_no_country() -> None:
    conference = ConferenceFactory()
    country, other = countries(2, CountryStatus.PARTICIPATING_STATE)
    people: list[dict[str, Any]] = [{"country": country}] * 10 + [{"country": other}] * 10 + [{}] * 10
    crowd(whole(conference), people + [{"country": country, "has_alias": True}] * 7)

    release(conference)

    assert numbers(conference, Breakdown.TOTAL) == {"": 37}
    assert numbers(conference, Breakdown.COUNTRY) == {country.iso2: 10, other.iso2: 10}


@pytest.mark.django_db
def test_a_country_from_which_only_protected_people_come_is_not_counted() -> None:
    conference = ConferenceFactory()
    country, secret = countries(2, CountryStatus.PARTICIPATING_STATE)
    people: list[dict[str, Any]] = [{"country": country}] * 10 + [{"country": secret, "has_alias": True}] * 8
    crowd(whole(conference), people)

    release(conference)

    assert secret.iso2 not in numbers(conference, Breakdown.COUNTRY)
    assert numbers(conference, Breakdown.COUNTRIES).get("participating_states", 1) == 1


@pytest.mark.django_db
def test_a_session_that_nearly_everybody_attends_is_not_shown() -> None:
    conference = ConferenceFactory()
    nearly, half, few = (SessionFactory(conference=conference, key=key) for key in ("nearly", "half", "few"))
    admissions = {session.key: AdmissionFactory(session=session) for session in (nearly, half, few)}
    for number in range(12):
        person = ParticipantFactory(conference=conference)
        for key, admission in admissions.items():
            if {"nearly": number < 10, "half": number < 6, "few": number > 9}[key]:
                RegistrationFactory(admission=admission, participant=person)

    release(conference)

    # 12 people less the 10 would be the two who stay away.
    assert numbers(conference, Breakdown.SESSION) == {"half": 6}


@pytest.mark.django_db
def test_fewer_than_five_people_publish_nothing() -> None:
    conference = ConferenceFactory()
    crowd(whole(conference), [{}] * 4)

    release(conference)

    assert not PublicFigure.objects.exists()


@pytest.mark.django_db
def test_the_database_refuses_a_small_number_of_people() -> None:
    with pytest.raises(IntegrityError, match="public_figure_is_of_five_or_more"):
        PublicFigure.objects.create(
            conference=ConferenceFactory(), measure=REGISTERED, breakdown=Breakdown.TOTAL, position=0, value=4,
            counted_at=NOW,
        )  # fmt: skip


@pytest.mark.django_db
def test_who_comes_later_does_not_change_what_was_released() -> None:
    conference = ConferenceFactory()
    admission = whole(conference)
    crowd(admission, [{}] * 8)
    release(conference)

    crowd(admission, [{}])

    assert numbers(conference, Breakdown.TOTAL) == {"": 8}


@pytest.mark.django_db
def test_release_and_withdrawal_are_on_the_record() -> None:
    conference = ConferenceFactory()
    crowd(whole(conference), [{}] * 8)

    release(conference)
    first = figure_release.withdraw(conference, by=SYSTEM, now=NOW)
    second = figure_release.withdraw(conference, by=SYSTEM, now=NOW)

    assert (first, second) == (True, False)
    assert not PublicFigure.objects.exists()
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["figures.released", "figures.withdrawn"]


# --- the page and the API ---------------------------------------------------------------------------------------------


@pytest.fixture
def released() -> Conference:
    """A conference with figures for everybody: ten people from one country, two survivors' friends under an alias."""
    conference = ConferenceFactory(slug="alliance-20")
    country = CountryFactory(iso2="AT", name={"en": "Austria"})
    people: list[dict[str, Any]] = [{"country": country, "category": Category.ACADEMIA}] * 10
    people += [{"category": Category.DELEGATION}] * 8 + [{"category": Category.SURVIVOR_NETWORK, "has_alias": True}] * 2
    crowd(whole(conference), people)
    FigureFactory(conference=conference, value=700, source="The report")
    release(conference)
    return conference


@pytest.mark.django_db
def test_page_says_measure_instant_and_what_is_left_out(released: Conference, client: Client) -> None:
    response = client.get("/en/alliance-20/figures/")

    assert response.status_code == 200
    page = response.content.decode()
    for text in ("Registered", "Counted at", "Numbers under five are not shown", "not shown", "The report"):
        assert text in page, text
    assert "Set-Cookie" not in response.headers


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_page_is_there_in_six_languages(released: Conference, client: Client, language: str) -> None:
    assert client.get(f"/{language}/alliance-20/figures/").status_code == 200


@pytest.mark.django_db
def test_page_of_the_conference_links_to_released_figures_and_no_others(released: Conference, client: Client) -> None:
    link = f"/en/{released.slug}/figures/"
    assert link in client.get(released.get_absolute_url()).text

    figure_release.withdraw(released, by=SYSTEM, now=NOW)
    page_cache.forget()  # within this transaction the process keeps the number of the content

    assert link not in client.get(released.get_absolute_url()).text


@pytest.mark.django_db(transaction=True)
def test_releasing_and_withdrawing_make_kept_pages_old(released: Conference) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT number FROM events_contentversion")
        before = cursor.fetchone()
        figure_release.withdraw(released, by=SYSTEM, now=NOW)
        cursor.execute("SELECT number FROM events_contentversion")
        assert cursor.fetchone() != before


@pytest.mark.django_db
def test_page_is_not_there_before_release_or_for_a_draft(client: Client) -> None:
    conference = ConferenceFactory(slug="quiet")
    crowd(whole(conference), [{}] * 8)

    assert client.get("/en/quiet/figures/").status_code == 404
    release(conference)
    assert client.get("/en/quiet/figures/").status_code == 200
    Conference.objects.filter(pk=conference.pk).update(state=ConferenceState.DRAFT)
    assert client.get("/en/quiet/figures/").status_code == 404
    assert client.get("/api/v1/figures/").json()["results"] == []


@pytest.mark.django_db
def test_api_lists_what_was_released(released: Conference, client: Client) -> None:
    response = client.get("/api/v1/figures/", {"conference": "alliance-20", "breakdown": "total"})

    (row,) = response.json()["results"]
    assert row == {
        "id": row["id"],
        "conference": row["conference"],
        "measure": "registered",
        "breakdown": "total",
        "group": "",
        "country": None,
        "session": None,
        "value": 20,
        "counted_at": "2030-07-02T11:00:00+02:00",
    }


@pytest.mark.django_db
def test_api_never_tells_a_number_of_people_under_five(released: Conference, client: Client) -> None:
    rows = client.get("/api/v1/figures/").json()["results"]

    assert len(rows) > 3
    assert all(row["value"] >= 5 or row["breakdown"] == "countries" for row in rows)


@pytest.mark.django_db
def test_a_session_that_is_hidden_later_is_hidden_here(client: Client) -> None:
    conference = ConferenceFactory()
    session = SessionFactory(conference=conference)
    crowd(AdmissionFactory(session=session), [{}] * 9)
    release(conference)
    before = client.get("/api/v1/figures/", {"breakdown": "session"}).json()["results"]

    session.state = SessionState.DRAFT
    session.save(update_fields=["state"])

    assert len(before) == 1
    assert client.get("/api/v1/figures/", {"breakdown": "session"}).json()["results"] == []


@pytest.mark.django_db
@pytest.mark.parametrize("people", [10, 100])
def test_page_and_api_cost_the_same_for_few_and_many(
    people: int, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    conference = ConferenceFactory(slug="alliance-20")
    where = countries(people // 5, CountryStatus.PARTICIPATING_STATE)
    crowd(whole(conference), [{"country": where[number % len(where)]} for number in range(people)])
    release(conference)

    with django_assert_num_queries(4):
        client.get("/en/alliance-20/figures/")
    with django_assert_num_queries(1):
        client.get("/api/v1/figures/")
