"""A conference with 300 sessions and 400 contributions: what its pages ask the database, and that they still answer."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from events import page_cache
from events.models import Convenorship, Organisation, Segment, Session, TextSection
from speakers.models import Contribution, ContributionStatus, Person
from tests.factories import NOW, ConferenceDayFactory, ConferenceFactory

pytestmark = pytest.mark.django_db

SESSIONS, CONTRIBUTIONS = 300, 400
# The worst that PostgreSQL can believe: tables with pages, but without a row, as after much was deleted. It then joins
# by trying every row with every row, unless it is left no way to (docs/decisions/0021).
_EMPTY = """
    UPDATE pg_class SET relpages = greatest(pg_relation_size(oid) / 8192, 1), reltuples = 0
    WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'released'::regnamespace)
"""
FIRST = datetime(2030, 7, 15, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def conference() -> Any:
    """Three days of a hundred sessions each, ten at a time, with blocks, speakers, convenors and texts."""
    conference = ConferenceFactory(slug="summit", title={"en": "Summit"}, working_languages=["English"])
    days = [ConferenceDayFactory(conference=conference, number=number) for number in (1, 2, 3)]
    bodies = Organisation.objects.bulk_create(
        Organisation(key=f"body-{n}", name={"en": f"Body number {n}"}) for n in range(40)
    )
    people = Person.objects.bulk_create(
        Person(key=f"person-{n}", display_name=f"Person Number{n}") for n in range(CONTRIBUTIONS)
    )
    sessions = Session.objects.bulk_create(
        Session(
            conference=conference,
            day=days[n // 100],
            position=n % 100 + 1,
            key=f"session-{n}",
            slug=f"session-{n}",
            kind="side_event" if n % 2 else "panel",
            title={"en": f"Session about topic {n}", "ru": f"Заседание о теме {n}"},
            summary={"en": "An abstract of some length. " * 10},
            starts_at=FIRST + timedelta(days=n // 100, minutes=45 * (n % 100 // 10)),
            ends_at=FIRST + timedelta(days=n // 100, minutes=45 * (n % 100 // 10) + 40),
            state="scheduled",
            working_languages=["English"] if n % 3 else [],
            interpretation_languages=["Russian"] if n % 5 == 0 else [],
        )
        for n in range(SESSIONS)
    )
    segments = Segment.objects.bulk_create(
        Segment(session=session, key="panel", kind="panel", heading={"en": "Speakers"}, position=1)
        for session in sessions
    )
    TextSection.objects.bulk_create(
        TextSection(session=session, text={"en": "Background of the matter. " * 40}, position=1) for session in sessions
    )
    Convenorship.objects.bulk_create(
        Convenorship(session=session, organisation=bodies[n % 40]) for n, session in enumerate(sessions) if n % 2
    )
    Contribution.objects.bulk_create(
        Contribution(
            session=sessions[n % SESSIONS],
            segment=segments[n % SESSIONS],
            person=person,
            position=n // SESSIONS + 1,
            status=ContributionStatus.CONFIRMED,
            role_title={"en": "Adviser"},
            organisation=bodies[n % 40],
        )
        for n, person in enumerate(people)
    )
    page_cache.forget()
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY)
    return conference


def test_programme_asks_at_most_eight_questions_cold_and_one_warm(
    client: Client, conference: Any, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with django_assert_max_num_queries(8):
        cold = client.get("/en/summit/programme/")
    html = cold.content.decode()
    assert html.count("<article") == SESSIONS
    assert html.count('class="speaker-name"') == CONTRIBUTIONS
    assert html.count("timeline-grid lanes-10") == 3
    assert html.count('class="agenda-button"') == SESSIONS

    monkeypatch.setattr(page_cache, "_VERSION_SECONDS", -1.0)  # half a second later
    with django_assert_max_num_queries(1):
        assert client.get("/en/summit/programme/").content == cold.content
    with django_assert_max_num_queries(1):
        assert client.get("/en/summit/programme/", headers={"If-None-Match": cold["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("programme/2/", 8),
        ("programme/?language=English&kind=panel&interpretation=Russian", 8),
        ("", 9),
        ("speakers/", 4),
        ("organisations/", 6),
        ("search/?q=Body+number+7", 8),
        ("search/?q=topik", 8),
    ],
)
def test_other_pages_ask_no_more_than_for_a_small_conference(
    client: Client, conference: Any, django_assert_max_num_queries: Any, path: str, most: int
) -> None:
    with django_assert_max_num_queries(most):
        response = client.get(f"/en/summit/{path}")

    assert response.status_code == 200


def test_ids_of_a_big_page_are_unique(client: Client, conference: Any) -> None:
    found = re.findall(r'\sid="([^"]+)"', client.get("/en/summit/programme/").content.decode())

    assert len(found) == len(set(found))
