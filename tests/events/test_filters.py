"""Filters of the programme: plain addresses, combined, and harmless when made up."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from events import page_cache
from events.models import SessionState
from tests.factories import (
    NOW,
    ConferenceDayFactory,
    ConferenceFactory,
    ConvenorshipFactory,
    OrganisationFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db

PATH = "/en/summit/programme/"


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def conference() -> Any:
    """Three items: English with French interpretation; Russian on-line, convened; German in person on day 2."""
    conference = ConferenceFactory(slug="summit", title={"en": "Summit"})
    SessionFactory(
        conference=conference,
        title={"en": "Alpha"},
        working_languages=["English"],
        interpretation_languages=["French"],
    )
    beta = SideEventFactory(
        conference=conference, title={"en": "Beta"}, working_languages=["Russian", "English"], format="online"
    )
    ConvenorshipFactory(session=beta, organisation=OrganisationFactory(key="body", name={"en": "The Body"}))
    SessionFactory(
        conference=conference,
        day=ConferenceDayFactory(conference=conference, number=2),
        title={"en": "Gamma"},
        working_languages=["German"],
        format="in_person",
    )
    return conference


def shown(client: Client, query: str, path: str = PATH) -> set[str]:
    """Which of the three items the page shows."""
    response = client.get(path + query)
    assert response.status_code == 200
    html = response.content.decode()
    return {name for name in ("Alpha", "Beta", "Gamma") if name in html}


@pytest.mark.parametrize(
    ("query", "items"),
    [
        ("", "Alpha Beta Gamma"),
        ("?language=English", "Alpha Beta"),
        ("?language=German", "Gamma"),
        ("?interpretation=French", "Alpha"),
        ("?convenor=body", "Beta"),
        ("?kind=panel", "Alpha Gamma"),
        ("?kind=side_event&language=Russian", "Beta"),
        ("?attendance=online", "Alpha Beta"),
        ("?attendance=in_person", "Alpha Gamma"),
        ("?language=English&attendance=in_person", "Alpha"),
        ("?language=English&show=side-events", "Beta"),
        ("?language=German&convenor=body", ""),
        ("?language=English&tz=Asia/Tokyo", "Alpha Beta"),
    ],
)
def test_filters_combine(client: Client, conference: Any, query: str, items: str) -> None:
    assert shown(client, query) == set(items.split())


def test_filters_stay_within_the_day(client: Client, conference: Any) -> None:
    assert shown(client, "?attendance=in_person", f"{PATH}2/") == {"Gamma"}
    assert shown(client, "?convenor=body", f"{PATH}2/") == set()


def test_page_tells_how_many_and_how_to_clear(client: Client, conference: Any) -> None:
    html = client.get(f"{PATH}?language=English&show=sessions").content.decode()

    assert "Found: 1" in html
    assert f'<a href="{PATH}?show=sessions">Clear the filters</a>' in html
    assert '<option value="English" selected>' in html
    assert f'href="{PATH}1/?language=English&amp;show=sessions"' in html  # the days keep the choice
    assert f'href="{PATH}?language=English&amp;show=side-events"' in html

    html = client.get(f"{PATH}?language=German&convenor=body").content.decode()
    assert "Nothing matches these filters" in html
    assert f'<a href="{PATH}">Clear the filters</a>' in html


def test_form_comes_back_to_one_address(client: Client, conference: Any) -> None:
    sent = "?language=English&interpretation=&convenor=&attendance=&tz=Asia/Tokyo"

    assert client.get(PATH + sent)["Location"] == f"{PATH}?language=English&tz=Asia%2FTokyo"
    assert client.get(f"{PATH}?language=&convenor=")["Location"] == PATH


@pytest.mark.parametrize("value", ["Klingon", "%00", "%FF", "'", "%25", "x" * 3000, "%F0%9F%98%80"])
@pytest.mark.parametrize("name", ["kind", "language", "interpretation", "convenor", "attendance"])
def test_made_up_values_are_left_out_with_a_notice_and_not_kept(
    client: Client, conference: Any, name: str, value: str
) -> None:
    response = client.get(f"{PATH}?{name}={value}")

    assert response.status_code == 200
    assert "so it was left out" in response.content.decode()
    assert "Gamma" in response.content.decode()
    assert "ETag" not in response
    assert not page_cache.kept()


def test_chosen_pages_are_kept_apart_from_plain_ones(
    client: Client, conference: Any, django_assert_num_queries: Any
) -> None:
    client.get(PATH)
    first = client.get(f"{PATH}?language=English&attendance=online")
    with django_assert_num_queries(0):
        assert client.get(f"{PATH}?&attendance=online&&language=Engl%69sh&").content == first.content
    assert len(page_cache._plain.pages) == len(page_cache._with_query.pages) == 1

    client.get(f"{PATH}?language=English&x=1")
    client.get(f"{PATH}?language=English&language=English")
    assert len(page_cache.kept()) == 2


def test_plain_page_stays_whatever_is_chosen(
    client: Client, conference: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(page_cache, "_MOST_PAGES", 3)
    client.get(PATH)
    for zone in ("Europe/Vienna", "Europe/Rome", "Europe/Paris", "Asia/Tokyo", "Asia/Baku"):
        client.get(f"{PATH}?tz={zone}")

    assert len(page_cache._with_query.pages) == 3
    with django_assert_num_queries(0):
        client.get(PATH)


def test_day_chosen_in_the_form_becomes_the_address_of_the_day(client: Client, conference: Any) -> None:
    sent = "?day=2&kind=&language=German&tz=Asia/Tokyo"

    assert client.get(PATH + sent)["Location"] == f"{PATH}2/?language=German&tz=Asia%2FTokyo"
    assert client.get(f"{PATH}?day=")["Location"] == PATH
    assert client.get(f"{PATH}2/?day=1")["Location"] == f"{PATH}1/"
    assert client.get(f"{PATH}?day=nonsense&kind=panel")["Location"] == f"{PATH}?kind=panel"
    assert client.get(f"{PATH}002/?language=German")["Location"] == f"{PATH}2/?language=German"
    assert client.get(f"{PATH}?day=%FF%00")["Location"] == PATH
    assert '<option value="2" selected>Tuesday 16 July</option>' in client.get(f"{PATH}2/").content.decode()


def test_language_of_the_conference_counts_where_a_session_has_none(client: Client, conference: Any) -> None:
    type(conference).objects.filter(pk=conference.pk).update(
        working_languages=["French"], interpretation_languages=["Russian"]
    )
    SessionFactory(conference=conference, title={"en": "Delta"})
    SessionFactory(conference=conference, kind="break", title={"en": "Epsilon"})

    html = client.get(f"{PATH}?language=French").content.decode()

    assert "Delta" in html
    assert not any(name in html for name in ("Alpha", "Beta", "Gamma", "Epsilon"))
    html = client.get(f"{PATH}?interpretation=Russian").content.decode()
    assert all(name in html for name in ("Beta", "Gamma", "Delta"))
    assert "Alpha" not in html


def test_each_filter_in_force_can_be_taken_off(client: Client, conference: Any) -> None:
    html = client.get(f"{PATH}?language=English&kind=panel&show=sessions").content.decode()

    assert f'<li><a href="{PATH}?language=English&amp;show=sessions">' in html
    assert f'<li><a href="{PATH}?kind=panel&amp;show=sessions">' in html


def test_empty_page_says_what_to_do(client: Client, conference: Any) -> None:
    html = client.get(f"{PATH}1/?language=German").content.decode()

    assert "Nothing matches these filters" in html
    assert f'<a href="{PATH}?language=German">The same filters on all days</a>' in html


def test_choices_do_not_tell_of_drafts(client: Client, conference: Any) -> None:
    draft = SideEventFactory(conference=conference, state=SessionState.DRAFT, working_languages=["Canary"])
    ConvenorshipFactory(session=draft, organisation=OrganisationFactory(name={"en": "Canary Body"}))

    assert "Canary" not in client.get(PATH).content.decode()


def test_programme_without_anything_has_no_filters(client: Client) -> None:
    ConferenceFactory(slug="summit")

    html = client.get(f"{PATH}?language=English").content.decode()

    assert 'class="filters"' not in html
    assert "so it was left out" in html


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_filters_are_there_in_every_language(client: Client, conference: Any, language: str) -> None:
    html = client.get(f"/{language}/summit/programme/?attendance=online").content.decode()

    assert html.count("<select") == 7  # with the clocks
    assert ("Filter the programme" in html) == (language == "en")


@pytest.mark.parametrize("count", [1, 3])
def test_filtering_asks_no_more(client: Client, django_assert_num_queries: Any, count: int) -> None:
    conference = ConferenceFactory(slug="summit")
    for _number in range(count):
        session = SideEventFactory(conference=conference, working_languages=["English"])
        ConvenorshipFactory(session=session)

    with django_assert_num_queries(8):
        assert "Found" in client.get(f"{PATH}?language=English").content.decode()
