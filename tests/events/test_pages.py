"""The public pages of conferences, programme and sessions, as strangers read them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from events import page_cache
from events.models import (
    Conference,
    ConferenceDay,
    ConferenceState,
    ConvenorRelation,
    Material,
    SegmentKind,
    SegmentVisibility,
    SessionState,
    Visibility,
)
from speakers.models import Contribution, ContributionStatus, CountryMeaning, Delivery, Person, Role
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    RecommendationFactory,
    ReferenceFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]
AFTER_THE_CONFERENCE = datetime(2030, 7, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def words(client: Client, path: str, **more: Any) -> str:
    """What a reader of the page sees: its text without tags, in one line."""
    response = client.get(path, **more)
    assert response.status_code == 200, path
    body = response.content.decode()
    main = re.sub(r"<(script|style|head)\b.*?</\1>", "", body, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def page(client: Client, path: str) -> str:
    """The page's HTML."""
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


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


# --- time -------------------------------------------------------------------------------------------------------------


def test_programme_prints_the_venues_clock_first_and_utc_for_readers_without_javascript(client: Client) -> None:
    session = SessionFactory()  # 09:00 to 10:00 UTC in July

    text = words(client, f"/en/{session.conference.slug}/programme/")

    assert "11:00 – 12:00 Vienna time (CEST, UTC+2) 09:00–10:00 UTC" in text


def test_programme_labels_winter_as_winter(client: Client) -> None:
    session = SessionFactory(
        conference__starts_on=date(2030, 10, 30),
        conference__ends_on=date(2030, 10, 30),
        starts_at=datetime(2030, 10, 30, 9, 0, tzinfo=UTC),
        ends_at=datetime(2030, 10, 30, 10, 0, tzinfo=UTC),
    )

    assert "10:00 – 11:00 Vienna time (CET, UTC+1)" in words(client, f"/en/{session.conference.slug}/programme/")


def test_programme_on_a_chosen_clock_names_the_other_day(client: Client) -> None:
    session = SessionFactory(
        starts_at=datetime(2030, 7, 15, 16, 0, tzinfo=UTC), ends_at=datetime(2030, 7, 15, 17, 0, tzinfo=UTC)
    )

    text = words(client, f"/en/{session.conference.slug}/programme/?tz=Asia/Vladivostok")

    assert "18:00 – 19:00 Vienna time (CEST, UTC+2) 02:00–03:00 Vladivostok time (UTC+10), Tuesday 16 July" in text


def test_chosen_clock_stays_chosen_from_page_to_page(client: Client) -> None:
    session = SessionFactory()
    slug = session.conference.slug

    html = page(client, f"/en/{slug}/programme/?tz=America/Vancouver")

    assert f'href="/en/{slug}/sessions/{session.slug}/?tz=America%2FVancouver"' in html
    assert f'href="/en/{slug}/speakers/?tz=America%2FVancouver"' in html
    assert '<option value="America/Vancouver" selected>' in html


@pytest.mark.parametrize("zone", ["Etc/GMT%2B2", "Mars/Base", "../etc/passwd", "<script>", "GMT", "%00", "a" * 5000])
def test_clock_we_do_not_know_is_ignored_with_a_notice(client: Client, zone: str) -> None:
    session = SessionFactory()

    html = page(client, f"/en/{session.conference.slug}/programme/?tz={zone}")

    assert "We do not know this time zone" in html
    assert "09:00–10:00 UTC" in html
    assert "<script>" not in html


def test_javascript_gets_the_instants_for_the_readers_own_clock(client: Client) -> None:
    session = SessionFactory()

    html = page(client, f"/en/{session.conference.slug}/programme/")

    assert '<time datetime="2030-07-15T11:00:00+02:00">11:00</time>' in html
    assert 'data-own-clock data-starts="2030-07-15T09:00:00Z" data-ends="2030-07-15T10:00:00Z"' in html
    assert 'data-zone="Europe/Vienna" data-offset="120"' in html


def test_session_without_a_time_says_so(client: Client, time_machine: Any) -> None:
    session = SessionFactory(starts_at=None, ends_at=None)
    path = f"/en/{session.conference.slug}/sessions/{session.slug}/"

    assert "Time to be announced" in words(client, path)

    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)
    page_cache.forget()
    assert "Time not recorded" in words(client, path)


# --- order and wording of the programme -------------------------------------------------------------------------------


def test_programme_is_in_printed_order_across_kinds_and_without_times(client: Client) -> None:
    conference = ConferenceFactory()
    second = ConferenceDayFactory(conference=conference, number=2)
    first = ConferenceDayFactory(conference=conference, number=1)
    SessionFactory(conference=conference, day=second, position=1, title={"en": "Item C"}, starts_at=None, ends_at=None)
    SessionFactory(conference=conference, day=first, position=2, title={"en": "Item B"}, starts_at=None, ends_at=None)
    SideEventFactory(conference=conference, day=first, position=1, title={"en": "Item A"})
    SessionFactory(conference=conference, day=None, position=1, title={"en": "Item D"}, starts_at=None, ends_at=None)

    text = words(client, f"/en/{conference.slug}/programme/")

    assert [text.index(f"Item {letter}") for letter in "ABCD"] == sorted(text.index(f"Item {c}") for c in "ABCD")
    assert "Day to be announced" in text


def test_one_day_shows_only_its_sessions(client: Client) -> None:
    conference = ConferenceFactory()
    SessionFactory(conference=conference, title={"en": "Monday item"})
    second = ConferenceDay.objects.create(conference=conference, number=2, date=date(2030, 7, 16))
    SessionFactory(conference=conference, day=second, title={"en": "Tuesday item"})

    text = words(client, f"/en/{conference.slug}/programme/2/")

    assert "Day 2: Tuesday 16 July 2030" in text
    assert "Tuesday item" in text
    assert "Monday item" not in text


def test_programme_shows_only_what_was_chosen(client: Client) -> None:
    conference = ConferenceFactory()
    SessionFactory(conference=conference, title={"en": "Main item"})
    SideEventFactory(conference=conference, title={"en": "Margin item"})
    ConferenceDayFactory(conference=conference, number=2)
    path = f"/en/{conference.slug}/programme/"

    assert "Main item" in words(client, path)
    assert "Margin item" in words(client, path)
    assert "Main item" not in words(client, f"{path}?show=side-events")
    assert "Margin item" in words(client, f"{path}?show=side-events")
    assert "Margin item" not in words(client, f"{path}?show=sessions")
    assert "Margin item" in words(client, f"{path}?show=canary")
    html = page(client, f"{path}?show=side-events&tz=Asia/Tokyo")
    assert f'href="/en/{conference.slug}/programme/1/?tz=Asia%2FTokyo&amp;show=side-events"' in html
    assert f'href="{path}?tz=Asia%2FTokyo"' in html
    assert '<input type="hidden" name="show" value="side-events">' in html


def test_programme_without_side_events_offers_no_choice(client: Client) -> None:
    conference = SessionFactory().conference

    assert "Everything" not in words(client, f"/en/{conference.slug}/programme/")


def test_session_prints_number_headings_roles_and_lines_as_approved(client: Client) -> None:
    session = SessionFactory(number=2, title={"en": "Working smarter"})
    panel = SegmentFactory(session=session, heading={"en": "Panel of experts"}, position=1)
    SegmentFactory(session=session, heading={"en": "Discussion"}, kind=SegmentKind.DISCUSSION, position=2)
    ContributionFactory(
        session=session,
        segment=panel,
        position=1,
        role=Role.MODERATOR,
        honorific="Rt. Hon. Dame",
        name_printed="Ada Speaker-Byron",
        post_nominals="DBE MP",
        role_title={"en": "Head"},
        organisation=OrganisationFactory(name={"en": "Institute of Numbers"}),
        country=CountryFactory(iso2="AT", name={"en": "Austria"}),
        country_meaning=CountryMeaning.STATED,
        topic={"en": "On engines"},
        delivery=Delivery.VIDEO,
    )

    text = words(client, f"/en/{session.conference.slug}/sessions/{session.slug}/")

    assert "Panel 2 Working smarter" in text
    assert (
        "Panel of experts Moderator Rt. Hon. Dame Ada Speaker-Byron DBE MP (by video) "
        "Head, Institute of Numbers, Austria On engines Discussion"
    ) in text


def test_speaker_who_is_not_confirmed_gets_tbc_from_us(client: Client) -> None:
    contribution = ContributionFactory(status=ContributionStatus.TBC, person__display_name="Kim Maybe")
    slug = contribution.session.conference.slug

    assert "Kim Maybe (tbc) Adviser" in words(client, f"/en/{slug}/programme/")
    assert "Kim Maybe (tbc) Adviser" in words(client, f"/en/{slug}/speakers/")


def test_seat_without_a_name_shows_its_label_once(client: Client) -> None:
    label = {"en": "Representative of local authorities"}
    contribution = ContributionFactory(
        person=None, unnamed_label=label, role_title=label, status=ContributionStatus.CONFIRMED
    )
    slug = contribution.session.conference.slug

    assert words(client, f"/en/{slug}/programme/").count("Representative of local authorities") == 1
    assert "Representative of local authorities" not in words(client, f"/en/{slug}/speakers/")


def test_organisation_that_the_title_names_is_not_printed_twice(client: Client) -> None:
    unit = OrganisationFactory(name={"en": "Strategic Police Matters Unit"})
    office = OrganisationFactory(name={"en": "General Prosecutor's Office, Moldova"})
    derived = OrganisationFactory(name={"en": "Ministry made up by us"}, is_name_derived=True)
    session = SessionFactory()
    ContributionFactory(session=session, organisation=unit, role_title={"en": "Head, Strategic Police Matters Unit"})
    ContributionFactory(session=session, organisation=derived, role_title={"en": "Minister"})
    ContributionFactory(
        session=session,
        organisation=office,
        role_title={"en": "Head of a section of the General Prosecutor's Office"},
        country=CountryFactory(iso2="MD", name={"en": "Moldova"}),
        country_meaning=CountryMeaning.STATED,
    )

    text = words(client, f"/en/{session.conference.slug}/programme/")

    assert text.count("Strategic Police Matters Unit") == 1
    assert "made up by us" not in text
    assert text.count("Prosecutor&#x27;s Office") == text.count("Prosecutor&#x27;s Office, Moldova") == 1


def test_country_footnote_is_printed_once_with_a_mark_at_every_name(client: Client) -> None:
    country = CountryFactory(iso2="XK", name={"en": "Somewhere"}, footnote={"en": "Status-neutral wording."})
    session = SessionFactory()
    for _n in range(2):
        ContributionFactory(session=session, country=country, country_meaning=CountryMeaning.STATED)

    html = page(client, f"/en/{session.conference.slug}/programme/")

    assert html.count('<a href="#note-1"') == 2
    assert html.count("Status-neutral wording.") == 1
    assert html.count('id="note-1"') == 1


def test_pseudonyms_carry_one_footnote_and_no_trace(client: Client) -> None:
    """The display name, the role and the place in the programme; what the programme says beside it stays with us."""
    country = CountryFactory(name={"en": "Country canary"}, footnote={"en": "Footnote canary"})
    session = SessionFactory()
    for name in ("Ivan", "Mikhail"):
        person = PersonFactory(
            display_name=name,
            key=f"key-canary-{name}".lower(),
            is_pseudonym=True,
        )
        contribution = ContributionFactory(
            session=session,
            person=person,
            role=Role.TESTIMONY,
            role_title={"en": "Victim of labour exploitation"},
            name_printed="printed canary",
            heading_printed={"en": "Heading canary"},
            honorific="Mr. canary",
            post_nominals="canary",
            organisation=OrganisationFactory(name={"en": "Body canary"}),
            country=country,
            country_meaning=CountryMeaning.STATED,
            topic={"en": "Topic canary"},
            unnamed_label={"en": "Label canary"},
            delivery="video",
        )
        contribution.other_organisations.add(OrganisationFactory(name={"en": "Second body canary"}))
    slug = session.conference.slug

    for path in (f"/en/{slug}/programme/", f"/en/{slug}/sessions/{session.slug}/", f"/en/{slug}/speakers/"):
        html = page(client, path)
        assert "Ivan" in html
        assert "Mikhail" in html
        assert html.count("The name has been changed to protect the person's privacy.") == 1
        assert "Testimony" in html
        assert "canary" not in html
        assert "Victim of labour exploitation" not in html
        assert "by video" not in html
    assert Contribution.objects.filter(role_title={"en": "Victim of labour exploitation"}).count() == 2
    html = page(client, f"/en/speakers/{Person.objects.get(display_name='Ivan').public_id}/")
    assert "Ivan" in html
    assert "canary" not in html
    assert "Victim of labour exploitation" not in html
    assert '<meta name="robots" content="noindex">' in html


# --- the rest of a session's page -------------------------------------------------------------------------------------


def test_side_event_prints_convenors_audience_languages_and_platform(client: Client) -> None:
    event = SideEventFactory(
        number=1,
        audience={"en": "delegations\nfield operations"},
        working_languages=["English"],
        interpretation_languages=["Russian", "Kazakh"],
        platform_label="WebEx",
        room=RoomFactory(name={"en": "Neuer Saal"}),
    )
    department = OrganisationFactory(name={"en": "Threats Department"})
    unit = OrganisationFactory(name={"en": "Police Unit"})
    ConvenorshipFactory(session=event, organisation=department, with_unit=unit)
    helper = OrganisationFactory(name={"en": "Commissioner"})
    ConvenorshipFactory(session=event, organisation=helper, relation=ConvenorRelation.COLLABORATOR)

    html = page(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())

    assert "Convenor Threats Department (Police Unit)" in text
    assert "In collaboration with Commissioner" in text
    assert "<li>delegations</li><li>field operations</li>" in html
    assert "Working languages English Interpretation Russian, Kazakh" in text
    assert "Platform WebEx" in text
    assert "Neuer Saal" in text


def test_languages_that_are_not_known_are_not_invented(client: Client) -> None:
    event = SideEventFactory(working_languages=[], interpretation_languages=[])

    text = words(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")

    assert "Working languages" not in text
    assert "Interpretation" not in text


def test_external_registration_warns_before_the_link_out(client: Client) -> None:
    event = SideEventFactory(
        registration_mode="external_zoom_webinar", registration_url="https://zoom.example/register/abc"
    )

    html = page(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")

    assert "What you enter there goes to them, not to us." in html
    assert '<a class="address" href="https://zoom.example/register/abc" rel="nofollow noopener noreferrer"' in html


def test_external_address_that_is_broken_is_text_and_no_link(client: Client) -> None:
    event = SideEventFactory(
        registration_mode="external_google_form",
        registration_url="https://forms.example/brok",
        registration_url_is_broken=True,
    )

    html = page(client, f"/en/{event.conference.slug}/side-events/{event.slug}/")

    assert "https://forms.example/brok" in html
    assert 'href="https://forms.example/brok"' not in html


def test_own_form_is_offered_while_registration_is_open(client: Client) -> None:
    admission = AdmissionFactory()
    event = admission.session
    slug = event.conference.slug

    html = page(client, f"/en/{slug}/side-events/{event.slug}/")

    assert f'<a class="button" href="/en/{slug}/register/?session={event.slug}">Register</a>' in html
    assert f'data-live="/en/{slug}/places/{event.slug}/"' in html
    assert f'href="/en/{slug}/register/"' in page(client, f"/en/{slug}/")


def test_own_form_is_not_offered_when_registration_is_closed(client: Client) -> None:
    event = AdmissionFactory(is_closed=True).session
    slug = event.conference.slug

    html = page(client, f"/en/{slug}/side-events/{event.slug}/")

    assert "Registration is not open." in html
    assert f"/en/{slug}/register/" not in html


def test_results_are_numbered_with_the_disclaimer_and_references_listed(client: Client, time_machine: Any) -> None:
    time_machine.move_to(AFTER_THE_CONFERENCE, tick=False)
    session = SessionFactory()
    RecommendationFactory(session=session, number=2, text={"en": "Second thing"})
    RecommendationFactory(session=session, number=1, text={"en": "First thing"})
    ReferenceFactory(conference=session.conference, session=session, citation="ILO, Global Estimates")
    ReferenceFactory(conference=session.conference, session=session, citation="", url="")

    html = page(client, f"/en/{session.conference.slug}/sessions/{session.slug}/")

    assert html.index("First thing") < html.index("Second thing")
    assert "They are not the position of any single speaker." in html
    assert html.count("<li>ILO, Global Estimates</li>") == 1
    assert "<li></li>" not in html


def test_texts_are_prose_and_never_markup_of_their_authors(client: Client) -> None:
    section = TextSectionFactory(
        text={
            "en": "A **bold** claim\n\n- one\n- two\n\n<script>alert(1)</script> [link](javascript:alert(1)) "
            "[source](https://source.example) <img src=x onerror=alert(1)>\n\n# Heading"
        }
    )

    html = page(client, f"/en/{section.session.conference.slug}/sessions/{section.session.slug}/")

    assert "<strong>bold</strong>" in html
    assert "<li>one</li>" in html
    assert '<a href="https://source.example" rel="noopener noreferrer nofollow">source</a>' in html
    assert "<script>alert" not in html
    assert 'href="javascript' not in html
    assert "<img src=x" not in html
    assert "<h1>Heading" not in html


# --- queries, cache, headers ------------------------------------------------------------------------------------------


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
        ("/en/summit/side-events/the-first/", 14),
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
