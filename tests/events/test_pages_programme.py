"""Public pages of the programme: time, order and wording."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.test import Client

from events import page_cache
from events.models import ConferenceDay, SegmentKind
from speakers.models import Contribution, ContributionStatus, CountryMeaning, Delivery, Person, Role
from tests.events.reading import AFTER_THE_CONFERENCE, page, words
from tests.factories import (
    NOW,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    CountryFactory,
    OrganisationFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


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
