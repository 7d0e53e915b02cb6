"""Public pages: queries, what is kept, headers."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from events import page_cache
from events.models import Conference, SegmentVisibility, Visibility
from speakers.models import CountryMeaning
from tests.events.reading import LANGUAGES, page
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    RecommendationFactory,
    ReferenceFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def _full_session(conference: Conference, number: int) -> None:
    session = SideEventFactory(conference=conference, number=number, room=RoomFactory())
    segment = SegmentFactory(session=session)
    contribution = ContributionFactory(session=session, segment=segment, organisation=OrganisationFactory())
    contribution.other_organisations.add(OrganisationFactory())
    ContributionFactory(session=session, country=CountryFactory(iso2="AT"), country_meaning=CountryMeaning.STATED)
    ConvenorshipFactory(session=session, with_unit=OrganisationFactory())
    TextSectionFactory(session=session)
    RecommendationFactory(session=session)
    ReferenceFactory(conference=conference, session=session)
    MaterialFactory(conference=conference, session=session)


@pytest.mark.parametrize("item_count", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/en/", 2),
        ("/en/summit/", 9),
        ("/en/summit/programme/", 8),
        ("/en/summit/programme/1/", 8),
        ("/en/summit/speakers/", 4),
        ("/en/summit/side-events/the-first/", 15),
    ],
)
def test_pages_ask_a_constant_number_of_queries(
    client: Client, django_assert_num_queries: Any, item_count: int, path: str, queries: int
) -> None:
    conference = ConferenceFactory(slug="summit")
    for n in range(item_count):
        _full_session(conference, n + 1)
        ConferenceFactory()
    first = conference.sessions.order_by("pk")[0]
    conference.sessions.filter(pk=first.pk).update(slug="the-first")
    for _n in range(item_count):
        ContributionFactory(session=first).other_organisations.add(OrganisationFactory())
    page_cache.forget()

    with django_assert_num_queries(queries):
        assert client.get(path).status_code == 200


def test_kept_page_is_answered_without_asking_the_view(client: Client, django_assert_num_queries: Any) -> None:
    path = f"/en/{SessionFactory().conference.slug}/programme/"
    first = client.get(path)

    with django_assert_num_queries(0):
        again = client.get(path)

    assert again.content == first.content
    assert client.get(path, headers={"if-none-match": first["ETag"]}).status_code == 304
    zipped = client.get(path, headers={"accept-encoding": "gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    assert len(zipped.content) < len(first.content) / 2


def test_page_with_a_made_up_query_is_answered_but_not_kept(client: Client) -> None:
    path = f"/en/{SessionFactory().conference.slug}/programme/"

    for query in ("?x=1", "?tz=Mars/Base", "?tz=Asia/Tokyo&x=1", "?show=x", "?show=sessions&show=sessions"):
        response = client.get(path + query)
        assert response.status_code == 200
        assert "ETag" not in response


@pytest.mark.django_db(transaction=True)  # the version rises once in a transaction
def test_change_of_the_programme_shows_at_once_after_the_version_is_read(client: Client) -> None:
    contribution = ContributionFactory(person__display_name="Removed canary")
    slug = contribution.session.conference.slug
    paths = [f"/en/{slug}/programme/", f"/en/{slug}/speakers/", f"/en/speakers/{contribution.person.public_id}/"]
    for path in paths:
        assert "Removed canary" in page(client, path)

    contribution.person.is_hidden = True
    contribution.person.save(update_fields=["is_hidden"])
    page_cache._version = (0.0, -1)  # what half a second does; the kept pages stay in memory

    assert "canary" not in client.get(paths[0]).content.decode()
    assert "canary" not in client.get(paths[1]).content.decode()
    assert client.get(paths[2]).status_code == 404


def test_public_pages_set_no_cookie_and_load_nothing_from_elsewhere(client: Client, settings: Any) -> None:
    contribution = ContributionFactory(session=SideEventFactory(registration_mode="external_other"))
    slug = contribution.session.conference.slug
    MaterialFactory(conference=contribution.session.conference, visibility=SegmentVisibility.BEFORE)

    for path in (
        "/en/",
        f"/en/{slug}/",
        f"/en/{slug}/programme/",
        f"/en/{slug}/side-events/{contribution.session.slug}/",
        f"/en/{slug}/speakers/",
        f"/en/speakers/{contribution.person.public_id}/",
        "/en/about/privacy/",
        "/en/about/accessibility/",
        "/en/nothing-here/",
        "/robots.txt",
        "/sitemap.xml",
    ):
        response = client.get(path)
        html = response.content.decode()
        assert not response.cookies, path
        assert "default-src 'none'" in response["Content-Security-Policy"], path
        assert "unsafe" not in response["Content-Security-Policy"], path
        loaded = re.findall(r'(?:src|srcset)="([^"]+)"|<link rel="(?:stylesheet|icon)" href="([^"]+)"', html)
        assert all((one or two).startswith("/static/") for one, two in loaded), path
        runs = re.sub(r'<script type="application/ld\+json">[^<>&]*</script>', "", html)  # data, which nothing runs
        assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son[a-z]+=", runs), path


def test_every_page_has_a_quick_way_out_that_works_without_javascript(client: Client, settings: Any) -> None:
    settings.EXIT_URL = "https://neutral.example"

    for path in ("/en/", "/ru/about/privacy/", "/en/nothing-here/"):
        html = client.get(path).content.decode()
        assert '<a class="exit" href="https://neutral.example" rel="nofollow noopener noreferrer"' in html


def test_sitemap_lists_public_pages_in_six_languages_and_no_person(client: Client, settings: Any) -> None:
    contribution = ContributionFactory(session=SideEventFactory())
    session = contribution.session

    xml = page(client, "/sitemap.xml")

    for code in LANGUAGES:
        assert f"<loc>{settings.SITE_URL}/{code}/{session.conference.slug}/side-events/{session.slug}/</loc>" in xml
    assert str(contribution.person.public_id) not in xml


def test_session_for_insiders_is_not_public(client: Client) -> None:
    session = SessionFactory(visibility=Visibility.INVITATION, title={"en": "Closed canary"})

    assert client.get(f"/en/{session.conference.slug}/sessions/{session.slug}/").status_code == 404
    assert "canary" not in page(client, f"/en/{session.conference.slug}/programme/")


def test_cache_expires_with_the_minute_so_that_after_comes_in_time(client: Client, time_machine: Any) -> None:
    segment = SegmentFactory(visibility=SegmentVisibility.AFTER, heading={"en": "Later on"})
    path = f"/en/{segment.session.conference.slug}/programme/"
    assert "Later on" not in page(client, path)

    time_machine.move_to(segment.session.ends_at + timedelta(seconds=1), tick=False)
    for kept in page_cache._plain.pages.values():
        object.__setattr__(kept, "made_at", kept.made_at - 61)

    assert "Later on" in page(client, path)
