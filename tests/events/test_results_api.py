"""Results for programs: with their session, and all of them together."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from events import page_cache
from events.models import Conference, Session, Topic
from tests.factories import (
    ConferenceFactory,
    ContributionFactory,
    MaterialFactory,
    PersonFactory,
    RecommendationFactory,
    SessionFactory,
)

BEFORE = datetime(2030, 7, 15, 9, 30, tzinfo=UTC)
AFTER = datetime(2030, 7, 19, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _after_the_conference(time_machine: Any, db: None) -> None:
    time_machine.move_to(AFTER, tick=False)
    page_cache.forget()
    Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts"}})


def rows(client: Client, path: str = "recommendations", **parameters: str) -> list[dict[str, Any]]:
    """The rows of a list. Fails on anything but 200."""
    response = client.get(f"/api/v1/{path}/", parameters)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def english(text: str) -> dict[str, Any]:
    """A text that exists in English alone."""
    return {"text": text, "language": "en", "translations": {"en": text}}


def test_session_has_its_results_in_items_with_topics_and_note(client: Client) -> None:
    session = SessionFactory(conference__results_disclaimer={"en": "Drafted by the office."})
    top = RecommendationFactory(
        session=session,
        kind="observation",
        number=6,
        text={"en": "Trust"},
        addressee={"en": "Courts"},
        topics=["courts"],
    )
    below = RecommendationFactory(session=session, parent=top, kind="recommendation", number=1, text={"en": "Listen"})

    (found,) = rows(client, "sessions")

    assert found["results"] == {
        "note": english("Drafted by the office."),
        "items": [
            {
                "id": str(top.public_id),
                "kind": "observation",
                "label": "6",
                "text": english("Trust"),
                "addressee": english("Courts"),
                "topics": [{"key": "courts", "name": english("Courts")}],
                "items": [
                    {
                        "id": str(below.public_id),
                        "kind": "recommendation",
                        "label": "a",
                        "text": english("Listen"),
                        "addressee": None,
                        "topics": [],
                        "items": [],
                    }
                ],
            }
        ],
    }


def test_session_has_materials_with_language_once_they_are_published(client: Client) -> None:
    session = SessionFactory()
    film = MaterialFactory(
        conference=session.conference,
        session=session,
        language="fr",
        title={"en": "A film"},
        published_on=date(2030, 7, 18),
    )
    MaterialFactory(conference=session.conference, session=session, published_on=date(2030, 8, 1))
    MaterialFactory(conference=session.conference, session=session, visibility="never")
    of_all = MaterialFactory(conference=session.conference)

    (found,) = rows(client, "sessions")

    assert found["materials"] == [
        {
            "id": str(film.public_id),
            "kind": "video",
            "title": english("A film"),
            "address": film.url,
            "language": "fr",
            "publisher": None,
            "place": None,
            "year": None,
            "published_on": "2030-07-18",
        }
    ]
    (conference,) = rows(client, "conferences")
    assert [row["id"] for row in conference["materials"]] == [str(of_all.public_id)]


def test_recommendation_has_every_public_fact_and_nothing_else(client: Client) -> None:
    session = SessionFactory(conference__slug="alliance-20", slug="panel-2", kind="panel", title={"en": "Panel"})
    top = RecommendationFactory(session=session, kind="challenge", number=2, text={"en": "Top"})
    row = RecommendationFactory(session=session, parent=top, number=3, text={"en": "Do this", "fr": "Faites ceci"})

    found = client.get(f"/api/v1/recommendations/{row.public_id}/", {"lang": "fr"}).json()

    assert found["note"]["language"] == "fr"
    assert sorted(found["note"]["translations"]) == ["de", "en", "es", "fr", "it", "ru"]
    assert found | {"note": None, "conference": found["conference"]["slug"], "session": found["session"]["slug"]} == {
        "id": str(row.public_id),
        "conference": "alliance-20",
        "session": "panel-2",
        "kind": "recommendation",
        "label": "2 c",
        "below": str(top.public_id),
        "text": {
            "text": "Faites ceci",
            "language": "fr",
            "translations": {"en": "Do this", "fr": "Faites ceci"},
        },
        "addressee": None,
        "topics": [],
        "note": None,
        "page": f"{settings.SITE_URL}/fr/alliance-20/sessions/panel-2/#result-{row.public_id}",
    }


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["Follow the money", "Few convictions", "Train judges"]),
        ({"conference": "old"}, ["Few convictions", "Train judges"]),
        ({"edition": "20"}, ["Follow the money"]),
        ({"kind": "challenge"}, ["Few convictions"]),
        ({"tag": "courts"}, ["Train judges"]),
        ({"tag": "nothing"}, []),
        ({"addressee": "etats participants"}, ["Train judges"]),
        ({"language": "fr"}, ["Few convictions"]),
        ({"search": "condamnations peu"}, ["Few convictions"]),
        ({"search": "JUDGES"}, ["Train judges"]),
        ({"search": "judges", "kind": "challenge"}, []),
        ({"page_size": "1"}, ["Follow the money"]),
    ],
)
def test_recommendations_are_filtered(client: Client, parameters: dict[str, str], expected: list[str]) -> None:
    old = SessionFactory(
        conference=ConferenceFactory(slug="old", edition=19, starts_on=date(2029, 7, 1), ends_on=date(2029, 7, 2))
    )
    top = RecommendationFactory(
        session=old, kind="challenge", number=1, text={"en": "Few convictions", "fr": "Peu de condamnations"}
    )
    RecommendationFactory(
        session=old, parent=top, number=1, text={"en": "Train judges"}, topics=["courts"],
        addressee={"fr": "États participants"},
    )  # fmt: skip
    RecommendationFactory(session__conference__edition=20, text={"en": "Follow the money"})

    assert [row["text"]["text"] for row in rows(client, **parameters)] == expected


def test_recommendations_of_a_session_are_paged_in_printed_order(client: Client) -> None:
    session = SessionFactory()
    for kind in ("recommendation", "challenge"):
        for number in (2, 1):
            top = RecommendationFactory(session=session, kind=kind, number=number, text={"en": f"{kind} {number}"})
            RecommendationFactory(session=session, parent=top, number=1, text={"en": f"{kind} {number} a"})

    found, address = [], f"/api/v1/recommendations/?session={session.public_id}&page_size=3"
    while address:
        answer = client.get(address.removeprefix(settings.SITE_URL)).json()
        found += [row["text"]["text"] for row in answer["results"]]
        address = answer["next"]

    assert found == [
        f"{kind} {number}{below}"
        for kind in ("challenge", "recommendation")
        for number in (1, 2)
        for below in ("", " a")
    ]


@pytest.mark.parametrize("parameters", [{"kind": "decision"}, {"language": "tlh"}, {"unheard": "of"}, {"session": "1"}])
def test_parameter_that_cannot_be_read_is_refused(client: Client, parameters: dict[str, str]) -> None:
    assert client.get("/api/v1/recommendations/", parameters).status_code == 400


@pytest.mark.parametrize(
    ("changed", "of"),
    [
        ({"state": "draft"}, Session),
        ({"state": "cancelled"}, Session),
        ({"visibility": "internal"}, Session),
        ({"state": "draft"}, Conference),
        ({"visibility": "internal"}, Conference),
    ],
)
def test_results_of_hidden_or_cancelled_things_are_not_there(client: Client, changed: dict[str, str], of: Any) -> None:
    row = RecommendationFactory()
    of.objects.update(**changed)

    assert rows(client) == []
    assert client.get(f"/api/v1/recommendations/{row.public_id}/").status_code == 404
    assert [session["results"] for session in rows(client, "sessions")] in ([], [None])


def test_results_wait_for_the_end_of_the_session(client: Client, time_machine: Any) -> None:
    RecommendationFactory()
    time_machine.move_to(BEFORE, tick=False)

    assert rows(client) == []
    assert rows(client, "sessions")[0]["results"] is None


@pytest.mark.parametrize("item_count", [1, 3])
def test_lists_take_a_constant_number_of_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, item_count: int
) -> None:
    for _number in range(item_count):
        top = RecommendationFactory(topics=["courts"])
        below = RecommendationFactory(session=top.session, parent=top)
        RecommendationFactory(session=top.session, parent=below, topics=["courts"])

    with django_assert_num_queries(3):  # version of the content, results, topics
        assert len(rows(client)) == 3 * item_count
    with django_assert_num_queries(8):  # with topics, without other bodies
        assert len(rows(client, "sessions")) == item_count


# --- who took part --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took_part", "now", "shown"),
    [("yes", AFTER, True), ("yes", BEFORE, None), ("no", AFTER, None), ("unknown", AFTER, None)],
)
def test_took_part_is_true_or_says_nothing(
    client: Client, time_machine: Any, took_part: str, now: datetime, shown: bool | None
) -> None:
    ContributionFactory(took_part=took_part)
    time_machine.move_to(now, tick=False)

    (session,) = rows(client, "sessions")
    (speaker,) = rows(client, "speakers")

    assert [seat["took_part"] for seat in session["contributions"]] == [shown]
    assert [(seat["took_part"], seat["announced"]) for seat in speaker["contributions"]] == [(shown, True)]


def test_who_was_not_announced_is_named_so_afterwards(client: Client) -> None:
    ContributionFactory(is_announced=False)

    assert [seat["announced"] for seat in rows(client, "sessions")[0]["contributions"]] == [False]


@pytest.mark.parametrize("took_part", ["yes", "no"])
@pytest.mark.parametrize("is_announced", [True, False])
def test_neither_is_told_of_a_pseudonym(client: Client, took_part: str, is_announced: bool) -> None:
    ContributionFactory(person=PersonFactory(is_pseudonym=True), took_part=took_part, is_announced=is_announced)

    for path in ("sessions", "speakers"):
        (seat,) = rows(client, path)[0]["contributions"]
        assert (seat["took_part"], seat["announced"]) == (None, None)
