"""Results on the page of their session, and the page of all results: what is found, when, and what never is."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events import page_cache
from events.models import Conference, Recommendation, Session, Topic
from events.releases import publishing
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
ALL = "/en/recommendations/"


@pytest.fixture(autouse=True)
def _after_the_conference(time_machine: Any, db: None) -> None:
    time_machine.move_to(AFTER, tick=False)
    page_cache.forget()


def page(client: Client, path: str, **query: str) -> str:
    """The page's HTML."""
    response = client.get(path, query)
    assert response.status_code == 200, (path, response.status_code)
    return response.content.decode()


def texts(client: Client, **query: str) -> list[str]:
    """The results on the page of all results, in its order."""
    return re.findall(r'<span class="result-text">(?:<span[^>]*>)?([^<]*)<', page(client, ALL, **query))


def path_of(session: Session, language: str = "en") -> str:
    """The page of a session."""
    return f"/{language}/{session.conference.slug}/sessions/{session.slug}/"


# --- the page of the session ----------------------------------------------------------------------------------------


def test_session_prints_items_below_items_with_addressee_topics_and_note(client: Client) -> None:
    Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts of law"}})
    session = SessionFactory(conference__results_disclaimer={"en": "Drafted by the office."})
    sixth = RecommendationFactory(
        session=session,
        kind="observation",
        number=6,
        text={"en": "Trust"},
        addressee={"en": "courts"},
        topics=["courts"],
    )
    RecommendationFactory(session=session, parent=sixth, number=2, text={"en": "Second below"})
    RecommendationFactory(session=session, parent=sixth, number=1, text={"en": "First below"})

    html = page(client, path_of(session))

    assert re.search(
        r"<h2>Observations</h2>\s*<ol class=\"result-items\">\s*<li id=\"result-[-0-9a-f]+\" value=\"6\">", html
    )
    assert re.search(r'<ol type="a" class="result-items">.*First below.*Second below.*</ol></li>', html, re.DOTALL)
    assert '<span class="soft">(courts)</span>' in html
    assert '<a href="/en/recommendations/?tag=courts">Courts of law</a>' in html
    assert html.count("Drafted by the office.") == 1
    assert "position of any single speaker" not in html


def test_results_wait_for_the_end_of_the_session(client: Client, time_machine: Any) -> None:
    row = RecommendationFactory(text={"en": "Canary result"})
    time_machine.move_to(BEFORE, tick=False)

    assert "Canary result" not in page(client, path_of(row.session))
    assert texts(client) == []

    time_machine.move_to(AFTER, tick=False)
    page_cache.forget()
    assert "Canary result" in page(client, path_of(row.session))
    assert texts(client) == ["Canary result"]


def test_cancelled_session_has_no_results(client: Client) -> None:
    row = RecommendationFactory(text={"en": "Canary result"}, session__state="cancelled")

    assert "Canary result" not in page(client, path_of(row.session))
    assert texts(client) == []


def test_material_tells_its_language_and_waits_for_its_day(client: Client, time_machine: Any) -> None:
    session = SessionFactory()
    MaterialFactory(conference=session.conference, session=session, language="fr", title={"en": "A film"})
    MaterialFactory(
        conference=session.conference,
        session=session,
        title={"en": "Canary"},
        published_on=date(2030, 8, 1),
        kind="document",
    )

    html = page(client, path_of(session))

    assert re.search(r'hreflang="fr">A film</a> <span class="soft small">\(Video, French\)</span>', html)
    assert "Canary" not in html
    time_machine.move_to(datetime(2030, 8, 1, 9, tzinfo=UTC), tick=False)
    page_cache.forget()
    assert "Canary" in page(client, path_of(session))


# --- who took part --------------------------------------------------------------------------------------------------


def test_page_says_who_took_part_once_the_session_is_over(client: Client, time_machine: Any) -> None:
    contribution = ContributionFactory(took_part="yes")
    path = path_of(contribution.session)

    assert page(client, path).count("Took part") == 1
    assert "Took part" not in page(client, f"/en/{contribution.session.conference.slug}/programme/")
    time_machine.move_to(BEFORE, tick=False)
    page_cache.forget()
    assert "Took part" not in page(client, path)


def test_page_does_not_tell_absence_from_what_is_not_known(client: Client) -> None:
    contribution = ContributionFactory(took_part="no")
    path = path_of(contribution.session)
    absent = page(client, path)

    contribution.took_part = "unknown"
    contribution.save()
    page_cache.forget()

    assert page(client, path) == absent


@pytest.mark.parametrize("took_part", ["yes", "no"])
def test_page_says_nothing_of_the_kind_about_a_pseudonym(client: Client, took_part: str) -> None:
    contribution = ContributionFactory(person=PersonFactory(is_pseudonym=True), took_part=took_part)

    assert "Took part" not in page(client, path_of(contribution.session))


# --- all results ----------------------------------------------------------------------------------------------------


@pytest.fixture
def two_editions() -> tuple[Recommendation, Recommendation, Recommendation]:
    """A challenge with a recommendation below it in 2029, and a recommendation in 2030."""
    for key, name in (("courts", "Courts"), ("money", "Money")):
        Topic.objects.get_or_create(
            key=key, defaults={"name": {"en": name, "ru": "Суды" if key == "courts" else "Деньги"}}
        )
    old = SessionFactory(
        conference=ConferenceFactory(
            slug="old", title={"en": "The old one"}, starts_on=date(2029, 7, 1), ends_on=date(2029, 7, 2)
        ),
        starts_at=datetime(2029, 7, 1, 9, tzinfo=UTC),
        ends_at=datetime(2029, 7, 1, 10, tzinfo=UTC),
        title={"en": "Demand"},
    )
    challenge = RecommendationFactory(
        session=old, kind="challenge", number=1, text={"en": "Few convictions", "fr": "Peu de condamnations"}
    )
    below = RecommendationFactory(
        session=old, parent=challenge, number=1, text={"en": "Train judges", "ru": "Обучать судей"},
        addressee={"en": "Participating States", "fr": "États participants"}, topics=["courts"],
    )  # fmt: skip
    new = RecommendationFactory(
        session__conference__slug="new", number=1, text={"en": "Follow the money at the café"}, topics=["money"],
        addressee={"en": "Banks"},
    )  # fmt: skip
    return challenge, below, new


def test_results_stand_newest_conference_first_and_as_printed(client: Client, two_editions: tuple[Any, ...]) -> None:
    html = page(client, ALL)

    assert texts(client) == ["Follow the money at the café", "Few convictions", "Train judges"]
    _challenge, below, _new = two_editions
    assert "Recommendation 1 a</a></p>" in html
    assert f'href="{path_of(below.session)}#result-{below.public_id}"' in html
    assert html.count("They are not the position of any single speaker.") == 2  # once for each conference


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "money"}, ["Follow the money at the café"]),
        ({"q": "CAFE the"}, ["Follow the money at the café"]),
        ({"q": "судей"}, ["Train judges"]),
        ({"q": "condamnations"}, ["Few convictions"]),
        ({"q": "etats"}, ["Train judges"]),
        ({"q": "demand"}, ["Few convictions", "Train judges"]),
        ({"q": "convinctions"}, ["Few convictions"]),
        ({"q": "zzzzzz"}, []),
        ({"q": "100%"}, []),
        ({"q": "x"}, ["Follow the money at the café", "Few convictions", "Train judges"]),
        ({"tag": "courts"}, ["Train judges"]),
        ({"tag": "unheard-of"}, []),
        ({"conference": "old"}, ["Few convictions", "Train judges"]),
        ({"conference": "old", "kind": "challenge"}, ["Few convictions"]),
        ({"kind": "recommendation", "q": "the"}, ["Follow the money at the café"]),
        ({"addressee": "participating states"}, ["Train judges"]),
        ({"addressee": "Etats participants"}, ["Train judges"]),
        ({"addressee": "States"}, []),
    ],
)
def test_results_are_found_by_words_and_filters(
    client: Client, two_editions: tuple[Any, ...], query: dict[str, str], expected: list[str]
) -> None:
    assert texts(client, **query) == expected


def test_similar_words_are_said_to_be_similar(client: Client, two_editions: tuple[Any, ...]) -> None:
    assert "These are spelled similarly." in page(client, ALL, q="convinctions")
    assert "These are spelled similarly." not in page(client, ALL, q="convictions")


def test_choices_are_those_of_public_results_in_the_language_of_the_reader(
    client: Client, two_editions: tuple[Any, ...]
) -> None:
    Topic.objects.get_or_create(key="tourism", defaults={"name": {"en": "Tourism"}})
    RecommendationFactory(session__state="draft", topics=["tourism"])

    html = page(client, "/ru/recommendations/", tag="courts")

    options = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)<', html)
    assert [value for value, _selected, _label in options if value in {"courts", "money", "tourism"}] == [
        "money",
        "courts",
    ]
    assert ("courts", " selected", "Суды") in options
    assert '<span lang="en">The old one</span>' in html


def test_form_with_empty_fields_has_one_address(client: Client, two_editions: tuple[Any, ...]) -> None:
    response = client.get(ALL, {"q": " ", "tag": "courts", "kind": "", "conference": "", "addressee": ""})

    assert (response.status_code, response.headers["Location"]) == (302, f"{ALL}?tag=courts")
    assert client.get(ALL, {"q": ""}).headers["Location"] == ALL


@pytest.mark.parametrize(
    ("changed", "of"),
    [
        ({"state": "draft"}, Session),
        ({"visibility": "internal"}, Session),
        ({"state": "draft"}, Conference),
        ({"state": "cancelled"}, Conference),
        ({"visibility": "invitation"}, Conference),
    ],
)
def test_results_of_hidden_things_are_not_found_nor_offered(client: Client, changed: dict[str, str], of: Any) -> None:
    Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts"}})
    row = RecommendationFactory(text={"en": "Canary"}, addressee={"en": "Canary body"}, topics=["courts"])
    of.objects.update(**changed)

    html = page(client, ALL)

    assert "Canary" not in html
    assert "courts" not in html
    assert row.session.conference.slug not in html
    assert texts(client, q="Canary") == []


def test_many_results_come_page_by_page(client: Client) -> None:
    session = SessionFactory()
    for number in range(1, 46):
        RecommendationFactory(session=session, number=number, text={"en": f"Thing {number:02d} & more"})

    assert texts(client)[0] == "Thing 01 &amp; more"
    assert texts(client, page="3", q="thing") == [f"Thing {number} &amp; more" for number in range(41, 46)]
    html = page(client, ALL, page="2", q="thing")
    assert "Page 2 of 3" in html
    assert 'rel="next" href="?page=3&amp;q=thing"' in html
    assert texts(client, page="nonsense")[0] == "Thing 01 &amp; more"


@pytest.mark.parametrize("count", [1, 15])
def test_number_of_queries_does_not_grow(client: Client, count: int) -> None:
    Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts"}})
    for _number in range(count):
        top = RecommendationFactory(topics=["courts"])
        RecommendationFactory(session=top.session, parent=top)
    client.get(ALL)
    page_cache.forget()

    with CaptureQueriesContext(connection) as plain:
        page(client, ALL)
    with CaptureQueriesContext(connection) as searched:
        page(client, ALL, q="this")

    assert (len(plain), len(searched)) == (7, 7)


def test_plain_page_is_kept_and_a_search_is_not(client: Client, two_editions: tuple[Any, ...]) -> None:
    page(client, ALL)
    with CaptureQueriesContext(connection) as again:
        page(client, ALL)
    searched = client.get(ALL, {"q": "money"})

    assert len(again) <= 1
    assert "ETag" not in searched.headers
    assert '<meta name="robots" content="noindex">' in searched.content.decode()
    assert not searched.cookies


def test_what_was_typed_is_escaped(client: Client) -> None:
    html = page(client, ALL, q='"><script>alert(1)</script>')

    assert "&lt;script&gt;alert(1)" in html
    assert "<script>" not in html


# --- releases -------------------------------------------------------------------------------------------------------


def test_results_are_those_of_the_release_and_come_back_with_it(client: Client, time_machine: Any) -> None:
    Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts"}})
    first = RecommendationFactory(number=1, text={"en": "First"}, topics=["courts"])
    second = RecommendationFactory(session=first.session, number=2, text={"en": "Second"})
    RecommendationFactory(session=first.session, parent=first, number=1, text={"en": "Below"})
    conference = first.session.conference
    release = publishing.publish(conference, by=None, now=AFTER)

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    Recommendation.objects.filter(pk=second.pk).update(number=1)
    Recommendation.objects.filter(pk=first.pk).update(number=2, topics=[], text={"en": "Draft"})
    RecommendationFactory(session=first.session, parent=second, number=1, text={"en": "New"})
    page_cache.forget()
    assert texts(client) == ["First", "Below", "Second"]
    assert texts(client, tag="courts") == ["First"]

    publishing.restore(release)
    assert list(first.session.recommendations.in_printed_order().values_list("text__en", "number", "topics")) == [
        ("First", 1, ["courts"]),
        ("Below", 1, []),
        ("Second", 2, []),
    ]
