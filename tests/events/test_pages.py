"""Public pages: six languages, the door, and what strangers may see."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from events import page_cache
from events.models import ConferenceState, Material, SegmentKind, SegmentVisibility, SessionState, Visibility
from speakers.models import ContributionStatus
from tests.events.reading import AFTER_THE_CONFERENCE, LANGUAGES, page, words
from tests.factories import (
    NOW,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    MaterialFactory,
    OrganisationFactory,
    ReferenceFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


# --- six languages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_are_there_in_every_language(client: Client, language: str) -> None:
    contribution = ContributionFactory(session=SideEventFactory())
    session, person = contribution.session, contribution.person
    with translation.override(language):
        paths = [
            reverse("events:conferences"),
            reverse("events:conference", args=[session.conference.slug]),
            reverse("events:programme", args=[session.conference.slug]),
            reverse("events:day", args=[session.conference.slug, 1]),
            reverse("events:side-event", args=[session.conference.slug, session.slug]),
            reverse("speakers:speakers", args=[session.conference.slug]),
            reverse("speakers:person", args=[person.public_id]),
            reverse("accessibility"),
            reverse("privacy"),
        ]

    titles = set()
    for path in paths:
        html = page(client, path)
        assert f'<html lang="{language}">' in html
        assert html.count(f'hreflang="{language}"') == 2  # the switch and the head
        assert path.startswith(f"/{language}/")
        titles.update(re.findall("<title>(.*?)</title>", html))
    assert len(titles) == len(paths)


def test_page_names_itself_and_its_other_languages(client: Client, settings: Any) -> None:
    conference = ConferenceFactory(slug="summit")

    html = page(client, "/fr/summit/?tz=Asia/Tokyo")

    assert f'<link rel="canonical" href="{settings.SITE_URL}/fr/{conference.slug}/">' in html
    for code in LANGUAGES:
        assert f'<link rel="alternate" hreflang="{code}" href="{settings.SITE_URL}/{code}/summit/">' in html
        assert f'<a href="/{code}/summit/?tz=Asia%2FTokyo" lang="{code}" hreflang="{code}"' in html
    assert f'hreflang="x-default" href="{settings.SITE_URL}/en/summit/"' in html


def test_title_in_the_readers_language_is_not_marked(client: Client) -> None:
    ConferenceFactory(slug="summit", title={"en": "Summit", "ru": "Саммит"}, venue=None)

    html = page(client, "/ru/summit/")

    assert "<h1>Саммит</h1>" in html


def test_title_in_another_language_says_so(client: Client) -> None:
    ConferenceFactory(slug="summit", title={"en": "Summit"}, venue=None)

    html = page(client, "/ru/summit/")

    assert '<h1><span lang="en">Summit</span><abbr class="lang-mark"' in html
    assert "fallback-note" in html


def test_page_without_foreign_texts_has_no_note_about_them(client: Client) -> None:
    ConferenceFactory(slug="summit", title={"en": "Summit", "de": "Gipfel"}, venue=None)

    assert "fallback-note" not in page(client, "/de/summit/")


# --- the door ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "where"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "/ru/"),
        ("pt-BR,pt;q=0.9,it;q=0.4", "/it/"),
        ("de-AT", "/de/"),
        ("", "/en/"),
        ("tlh", "/en/"),
        ("*;q=0.1,,;;=", "/en/"),
    ],
)
def test_door_leads_to_the_browsers_language(client: Client, header: str, where: str) -> None:
    response = client.get("/", headers={"accept-language": header})

    assert response.status_code == 302
    assert response["Location"] == where
    assert "Accept-Language" in response["Vary"]
    assert not response.cookies


# --- what strangers may see -------------------------------------------------------------------------------------------


def test_list_shows_coming_before_past_and_hides_what_is_not_public(client: Client) -> None:
    ConferenceFactory(title={"en": "Past one"}, starts_on=date(2029, 5, 1), ends_on=date(2029, 5, 2))
    ConferenceFactory(title={"en": "Far one"}, starts_on=date(2031, 5, 1), ends_on=date(2031, 5, 2))
    ConferenceFactory(title={"en": "Near one"})
    ConferenceFactory(title={"en": "Draft canary"}, state=ConferenceState.DRAFT)
    ConferenceFactory(title={"en": "Internal canary"}, visibility=Visibility.INTERNAL)

    text = words(client, "/en/")

    places = [text.index(name) for name in ("Near one", "Far one", "Past one")]
    assert places == sorted(places)
    assert "canary" not in text


def test_list_without_conferences_says_so(client: Client) -> None:
    assert "No conference has been announced yet" in words(client, "/en/")


@pytest.mark.parametrize("path", ["", "programme/", "programme/1/", "sessions/hidden/", "speakers/"])
def test_draft_conference_is_not_found(client: Client, path: str) -> None:
    conference = ConferenceFactory(slug="secret", state=ConferenceState.DRAFT)
    SessionFactory(conference=conference, slug="hidden")

    assert client.get(f"/en/secret/{path}").status_code == 404


def test_draft_session_is_not_found_and_not_in_the_programme(client: Client) -> None:
    session = SessionFactory(state=SessionState.DRAFT, title={"en": "Draft canary"}, slug="draft")
    ContributionFactory(session=session, person__display_name="Person canary")
    slug = session.conference.slug

    assert client.get(f"/en/{slug}/sessions/draft/").status_code == 404
    for path in (f"/en/{slug}/", f"/en/{slug}/programme/", f"/en/{slug}/speakers/", "/sitemap.xml"):
        assert "canary" not in page(client, path)


def test_cancelled_session_stays_and_says_so(client: Client) -> None:
    session = SessionFactory(state=SessionState.CANCELLED, title={"en": "Panel on hope"})
    slug = session.conference.slug

    assert "Panel on hope" in words(client, f"/en/{slug}/programme/")
    assert "Cancelled" in words(client, f"/en/{slug}/programme/")
    assert "This session is cancelled." in words(client, f"/en/{slug}/sessions/{session.slug}/")


def test_day_that_does_not_exist_is_not_found(client: Client) -> None:
    day = ConferenceDayFactory()

    assert client.get(f"/en/{day.conference.slug}/programme/2/").status_code == 404


def test_side_event_under_the_address_of_a_session_is_sent_to_its_own(client: Client) -> None:
    event = SideEventFactory()
    slug = event.conference.slug

    response = client.get(f"/en/{slug}/sessions/{event.slug}/")

    assert (response.status_code, response["Location"]) == (302, f"/en/{slug}/side-events/{event.slug}/")


def test_internal_notes_and_archive_texts_are_shown_nowhere(client: Client) -> None:
    session = SideEventFactory(
        internal_note="note canary", archive_text={"time": "archive canary"}, conference__internal_note="note canary"
    )
    organisation = OrganisationFactory(internal_note="note canary")
    ConvenorshipFactory(session=session, organisation=organisation, internal_note="note canary")
    contribution = ContributionFactory(
        session=session,
        internal_note="note canary",
        organisation=organisation,
        person__internal_note="note canary",
        person__aliases=["alias canary"],
        role_title_in_report={"en": "report canary"},
    )
    ReferenceFactory(conference=session.conference, session=session, internal_note="note canary")
    slug = session.conference.slug

    for path in (
        f"/en/{slug}/",
        f"/en/{slug}/programme/",
        f"/en/{slug}/side-events/{session.slug}/",
        f"/en/{slug}/speakers/",
        f"/en/speakers/{contribution.person.public_id}/",
    ):
        assert "canary" not in page(client, path)


def test_segment_for_after_appears_when_the_session_is_over(client: Client, time_machine: Any) -> None:
    segment = SegmentFactory(
        visibility=SegmentVisibility.AFTER, heading={"en": "Testimony canary"}, kind=SegmentKind.TESTIMONY
    )
    contribution = ContributionFactory(
        session=segment.session, segment=segment, person__display_name="Ivan canary", person__is_pseudonym=True
    )
    slug = segment.session.conference.slug
    paths = [f"/en/{slug}/programme/", f"/en/{slug}/sessions/{segment.session.slug}/", f"/en/{slug}/speakers/"]

    assert not any("canary" in page(client, path) for path in paths)
    assert client.get(f"/en/speakers/{contribution.person.public_id}/").status_code == 404

    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)
    page_cache.forget()
    assert all("Ivan canary" in page(client, path) for path in paths)


def test_segment_for_after_stays_away_when_the_session_was_cancelled(client: Client, time_machine: Any) -> None:
    session = SessionFactory(state=SessionState.CANCELLED)
    segment = SegmentFactory(session=session, visibility=SegmentVisibility.AFTER, heading={"en": "Heading canary"})
    ContributionFactory(session=session, segment=segment, person__display_name="Ivan canary")
    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)

    for path in ("programme/", f"sessions/{session.slug}/", "speakers/"):
        assert "canary" not in page(client, f"/en/{session.conference.slug}/{path}")


def test_what_is_never_shown_stays_away_after_the_session_too(client: Client, time_machine: Any) -> None:
    segment = SegmentFactory(visibility=SegmentVisibility.NEVER, heading={"en": "Heading canary"})
    ContributionFactory(session=segment.session, segment=segment, person__display_name="One canary")
    ContributionFactory(session=segment.session, visibility=SegmentVisibility.NEVER, person__display_name="Two canary")
    ContributionFactory(
        session=segment.session, status=ContributionStatus.DECLINED, person__display_name="Three canary"
    )
    slug = segment.session.conference.slug
    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)

    for path in (f"/en/{slug}/programme/", f"/en/{slug}/sessions/{segment.session.slug}/", f"/en/{slug}/speakers/"):
        assert "canary" not in page(client, path)


def test_video_for_after_appears_when_the_session_is_over(client: Client, time_machine: Any) -> None:
    session = SessionFactory()
    MaterialFactory(conference=session.conference, session=session, url="https://video.example/canary")
    Material.objects.filter(visibility=SegmentVisibility.AFTER).get()
    path = f"/en/{session.conference.slug}/sessions/{session.slug}/"

    assert "canary" not in page(client, path)

    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)
    page_cache.forget()
    assert '<a class="address" href="https://video.example/canary" rel="noopener noreferrer">' in page(client, path)
