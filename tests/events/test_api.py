"""Conferences and countries for programs, and what all public lists have in common."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from events.models import ConferenceState, CountryStatus, Session, SessionState, Visibility
from tests.factories import (
    ConferenceDayFactory,
    ConferenceFactory,
    ConvenorshipFactory,
    CountryFactory,
    OrganisationFactory,
    RoomFactory,
    SegmentFactory,
    SeriesFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
    VenueFactory,
)

pytestmark = pytest.mark.django_db


def rows(client: Client, path: str, **parameters: str) -> list[dict[str, Any]]:
    """The rows of a list. Fails on anything but 200."""
    response = client.get(f"/api/v1/{path}/", parameters)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def english(text: str) -> dict[str, Any]:
    """A text that exists in English alone."""
    return {"text": text, "language": "en", "translations": {"en": text}}


def test_conference_has_every_public_fact_and_nothing_else(client: Client) -> None:
    austria = CountryFactory(iso2="AT", name={"en": "Austria"})
    organiser = OrganisationFactory(name={"en": "Office"}, abbreviation="OSR", internal_note="canary-note")
    conference = ConferenceFactory(
        series=SeriesFactory(name={"en": "Alliance"}),
        edition=20,
        slug="alliance-20",
        title={"en": "20th Conference", "ru": "20-я конференция"},
        theme={"en": "Ending Impunity"},
        starts_on=date(2020, 7, 20),
        ends_on=date(2020, 7, 22),
        venue=VenueFactory(name={}, city={"en": "Vienna"}, country=austria),
        organiser=organiser,
        hashtag="#CTHB20",
        is_livestreamed=True,
        livestream_url="https://stream.example/20",
        contact_email="canary@office.example",
        internal_note="canary-note",
        archive_text={"text": "canary-note"},
    )
    ConferenceDayFactory(conference=conference, number=2)
    ConferenceDayFactory(conference=conference, number=1)

    response = client.get("/api/v1/conferences/alliance-20/")

    assert response.json() == {
        "id": str(conference.public_id),
        "slug": "alliance-20",
        "title": {
            "text": "20th Conference",
            "language": "en",
            "translations": {"en": "20th Conference", "ru": "20-я конференция"},
        },
        "edition": 20,
        "series": english("Alliance"),
        "kind": "conference",
        "state": "published",
        "format": "hybrid",
        "level": None,
        "theme": english("Ending Impunity"),
        "theme_subtitle": None,
        "goal": None,
        "description": None,
        "starts_on": "2020-07-20",
        "ends_on": "2020-07-22",
        "date_precision": "day",
        "time_zone": "Europe/Vienna",
        "days": [{"number": 1, "date": "2020-07-20"}, {"number": 2, "date": "2020-07-21"}],
        "venue": {
            "name": None,
            "address": None,
            "city": english("Vienna"),
            "country": {"id": str(austria.public_id), "code": "AT", "name": english("Austria")},
            "footnote": None,
        },
        "organiser": {"id": str(organiser.public_id), "name": english("Office"), "abbreviation": "OSR"},
        "chairmanship": None,
        "working_languages": None,
        "interpretation_languages": None,
        "hashtag": "#CTHB20",
        "is_livestreamed": True,
        "livestream": "https://stream.example/20",
        "event_page": None,
        "materials": [],
        "page": f"{settings.SITE_URL}/en/alliance-20/",
    }
    assert client.get(f"/api/v1/conferences/{conference.public_id}/").json() == response.json()


def test_conference_in_another_language_says_which_language_each_text_became(client: Client) -> None:
    ConferenceFactory(slug="a", title={"en": "Conference", "ru": "Конференция"}, theme={"fr": "Thème"})

    found = client.get("/api/v1/conferences/a/", {"lang": "ru"}).json()

    assert (found["title"]["text"], found["title"]["language"]) == ("Конференция", "ru")
    assert (found["theme"]["text"], found["theme"]["language"]) == ("Thème", "fr")
    assert found["page"] == f"{settings.SITE_URL}/ru/a/"


def test_texts_do_not_depend_on_the_language_of_the_browser(client: Client) -> None:
    ConferenceFactory(slug="a", title={"en": "Conference", "ru": "Конференция"})

    found = client.get("/api/v1/conferences/a/", headers={"Accept-Language": "ru"})

    assert found.json()["title"]["text"] == "Conference"
    assert found.headers["Content-Language"] == "en"


@pytest.mark.parametrize(
    "hidden",
    [{"state": ConferenceState.DRAFT}, *({"visibility": value} for value in Visibility.values if value != "public")],
)
def test_conference_that_is_not_public_is_not_there(client: Client, hidden: dict[str, str]) -> None:
    conference = ConferenceFactory(slug="secret", **hidden)
    SessionFactory(conference=conference)

    assert rows(client, "conferences") == []
    assert rows(client, "sessions", conference="secret") == []
    assert client.get("/api/v1/conferences/secret/").status_code == 404
    assert client.get(f"/api/v1/conferences/{conference.public_id}/").status_code == 404


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"edition": "20"}, ["a"]),
        ({"kind": "workshop"}, ["b"]),
        ({"state": "announced"}, ["b"]),
        ({"format": "online"}, ["b"]),
        ({"starts_after": "2020-07-20"}, ["a"]),
        ({"starts_before": "2020-07-20"}, ["b"]),
        ({"country": "AT"}, ["a"]),
        ({"language": "English"}, ["a"]),
        ({"interpretation": "Russian"}, ["b"]),
        ({"search": "impunity"}, ["a"]),
        ({"search": "безнаказанн"}, ["a"]),
        ({"search": "ending nothing"}, []),
        ({"search": "en"}, ["a"]),
        ({"ordering": "starts_on"}, ["b", "a", "c"]),
        ({"ordering": "-starts_on"}, ["a", "b", "c"]),
        ({}, ["a", "b", "c"]),
    ],
)
def test_conferences_are_filtered_and_ordered(client: Client, parameters: dict[str, str], expected: list[str]) -> None:
    ConferenceFactory(
        slug="a",
        edition=20,
        starts_on=date(2020, 7, 20),
        ends_on=date(2020, 7, 22),
        theme={"en": "Ending Impunity", "ru": "Положить конец безнаказанности"},
        title={"de": "Konferenz"},
        venue__country=CountryFactory(iso2="AT"),
        working_languages=["English"],
    )
    ConferenceFactory(
        slug="b",
        edition=None,
        kind="workshop",
        state="announced",
        format="online",
        starts_on=date(2019, 1, 1),
        ends_on=date(2019, 1, 2),
        interpretation_languages=["Russian"],
        title={"fr": "Atelier"},
    )
    ConferenceFactory(slug="c", edition=None, starts_on=None, ends_on=None, title={"de": "Ohne Tag"})

    assert [row["slug"] for row in rows(client, "conferences", **parameters)] == expected


def test_countries_stand_in_protocol_order_with_their_standing(client: Client) -> None:
    CountryFactory(iso2="MA", name={"en": "Morocco"}, status=CountryStatus.MEDITERRANEAN_PARTNER, protocol_order=200)
    albania = CountryFactory(iso2="AL", name={"en": "Albania"}, protocol_order=2)
    CountryFactory(iso2="DE", name={"en": "Germany"}, protocol_order=1)

    assert [row["code"] for row in rows(client, "countries")] == ["DE", "AL", "MA"]
    assert [row["code"] for row in rows(client, "countries", status="mediterranean_partner")] == ["MA"]
    assert client.get(f"/api/v1/countries/{albania.public_id}/").json() == {
        "id": str(albania.public_id),
        "code": "AL",
        "name": english("Albania"),
        "status": "participating_state",
        "footnote": None,
    }


def test_session_has_every_public_fact_and_nothing_else(client: Client) -> None:
    session = SideEventFactory(
        conference__slug="alliance-20",
        conference__title={"en": "20th"},
        conference__edition=20,
        slug="side-1",
        number=1,
        position=3,
        title={"en": "Trust"},
        starts_at=datetime(2020, 7, 21, 9, 30, tzinfo=UTC),
        ends_at=datetime(2020, 7, 21, 11, 0, tzinfo=UTC),
        format="online",
        room=RoomFactory(name={"en": "Neuer Saal"}),
        platform_label="WebEx",
        working_languages=["English"],
        audience={"en": "Delegations"},
        registration_mode="external_other",
        registration_url="https://register.example/1",
        join_link_rule={"en": "canary"},
        archive_text={"text": "canary"},
        internal_note="canary",
    )
    convenor = ConvenorshipFactory(session=session, position=1, internal_note="canary").organisation
    SegmentFactory(session=session, position=2, kind="discussion", heading={})
    SegmentFactory(
        session=session, position=1, heading={"en": "Speakers"}, starts_at=session.starts_at, ends_at=session.ends_at
    )
    TextSectionFactory(session=session, kind="objectives", heading={"en": "Objectives"}, text={"en": "Why"})

    found = rows(client, "side-events")

    assert found == [
        {
            "id": str(session.public_id),
            "conference": {
                "id": str(session.conference.public_id),
                "slug": "alliance-20",
                "title": english("20th"),
                "edition": 20,
            },
            "slug": "side-1",
            "kind": "side_event",
            "number": 1,
            "title": english("Trust"),
            "state": "scheduled",
            "day": {"number": 1, "date": "2030-07-15"},
            "position": 3,
            "starts_at": "2020-07-21T11:30:00+02:00",
            "ends_at": "2020-07-21T13:00:00+02:00",
            "time_zone": "Europe/Vienna",
            "format": "online",
            "room": english("Neuer Saal"),
            "room_id": str(session.room.public_id),
            "platform": "WebEx",
            "working_languages": ["English"],
            "interpretation_languages": [],
            "summary": None,
            "audience": english("Delegations"),
            "sections": [{"kind": "objectives", "heading": english("Objectives"), "text": english("Why")}],
            "convenors": [
                {
                    "relation": "convenor",
                    "organisation": {
                        "id": str(convenor.public_id),
                        "name": dict(english(str(convenor.name))),
                        "abbreviation": None,
                    },
                    "with_unit": None,
                }
            ],
            "registration": {"mode": "external_other", "address": "https://register.example/1"},
            "segments": [
                {
                    "position": 1,
                    "kind": "panel",
                    "heading": english("Speakers"),
                    "starts_at": "2020-07-21T11:30:00+02:00",
                    "ends_at": "2020-07-21T13:00:00+02:00",
                },
                {"position": 2, "kind": "discussion", "heading": None, "starts_at": None, "ends_at": None},
            ],
            "results": None,
            "materials": [],
            "page": f"{settings.SITE_URL}/en/alliance-20/side-events/side-1/",
            "contributions": [],
        }
    ]
    assert rows(client, "sessions") == found
    assert client.get(f"/api/v1/sessions/{session.public_id}/").json() == found[0]


def test_session_times_have_the_offset_of_the_venue_at_that_time_of_the_year(client: Client) -> None:
    winter = datetime(2030, 1, 15, 9, 0, tzinfo=UTC)
    SessionFactory(starts_at=winter, ends_at=winter.replace(hour=10), conference__time_zone="America/New_York")

    assert rows(client, "sessions")[0]["starts_at"] == "2030-01-15T04:00:00-05:00"


def test_session_without_a_time_says_so_with_null(client: Client) -> None:
    SessionFactory(starts_at=None, ends_at=None, day=None)

    found = rows(client, "sessions")[0]

    assert (found["starts_at"], found["ends_at"], found["day"]) == (None, None, None)


@pytest.mark.parametrize(
    "hidden",
    [{"state": SessionState.DRAFT}, {"visibility": Visibility.INVITATION}, {"visibility": Visibility.INTERNAL}],
)
def test_session_that_is_not_public_is_not_there(client: Client, hidden: dict[str, str]) -> None:
    session = SideEventFactory(**hidden)
    organisation = ConvenorshipFactory(session=session).organisation

    assert rows(client, "sessions") == rows(client, "side-events") == rows(client, "organisations") == []
    assert client.get(f"/api/v1/sessions/{session.public_id}/").status_code == 404
    assert client.get(f"/api/v1/organisations/{organisation.public_id}/").status_code == 404


def test_session_that_is_cancelled_stays_and_says_so(client: Client) -> None:
    SessionFactory(state=SessionState.CANCELLED)

    assert rows(client, "sessions")[0]["state"] == "cancelled"


@pytest.mark.parametrize(
    ("mode", "broken"), [("own_form", False), ("external_other", True), ("with_conference", False)]
)
def test_registration_address_that_is_ours_or_broken_is_not_given(client: Client, mode: str, broken: bool) -> None:
    SideEventFactory(
        registration_mode=mode, registration_url="https://register.example/", registration_url_is_broken=broken
    )

    assert rows(client, "side-events")[0]["registration"] == {"mode": mode, "address": None}


@pytest.fixture
def programme() -> dict[str, Session]:
    """Three sessions of two conferences: "a" and "b" at the 20th, "c" at another one, later."""
    conference = ConferenceFactory(slug="alliance-20", edition=20)
    first, second = (ConferenceDayFactory(conference=conference, number=number) for number in (1, 2))
    a = SessionFactory(slug="a", conference=conference, day=second, position=1, working_languages=["English"])
    b = SideEventFactory(
        slug="b",
        conference=conference,
        day=first,
        position=2,
        title={"en": "Trust of the community"},
        starts_at=None,
        ends_at=None,
        interpretation_languages=["French"],
        format="online",
    )
    c = SessionFactory(
        slug="c",
        conference__edition=21,
        conference__starts_on=date(2031, 7, 1),
        conference__ends_on=date(2031, 7, 2),
        starts_at=datetime(2031, 7, 1, 9, 0, tzinfo=UTC),
        ends_at=datetime(2031, 7, 1, 10, 0, tzinfo=UTC),
        state=SessionState.CANCELLED,
    )
    return {"a": a, "b": b, "c": c}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, ["c", "b", "a"]),
        ({"conference": "alliance-20"}, ["b", "a"]),
        ({"edition": "21"}, ["c"]),
        ({"day": "1", "conference": "alliance-20"}, ["b"]),
        ({"day": "2030-07-16"}, ["a"]),
        ({"starts_after": "2030-07-15T11:00:00+02:00"}, ["c", "a"]),
        ({"starts_after": "2030-07-15T11:00:01 02:00"}, ["c"]),
        ({"starts_before": "2031-07-01T09:00:00Z"}, ["a"]),
        ({"kind": "side_event"}, ["b"]),
        ({"state": "cancelled"}, ["c"]),
        ({"format": "online"}, ["b"]),
        ({"language": "English"}, ["a"]),
        ({"interpretation": "French"}, ["b"]),
        ({"search": "COMMUNITY trust"}, ["b"]),
        ({"ordering": "starts_at"}, ["a", "c", "b"]),
        ({"ordering": "-starts_at"}, ["c", "a", "b"]),
    ],
)
def test_sessions_are_filtered_and_ordered(
    client: Client, programme: dict[str, Session], parameters: dict[str, str], expected: list[str]
) -> None:
    assert [row["slug"] for row in rows(client, "sessions", **parameters)] == expected


def test_sessions_of_a_conference_by_its_id(client: Client, programme: dict[str, Session]) -> None:
    wanted = str(programme["c"].conference.public_id)

    assert [row["slug"] for row in rows(client, "sessions", conference=wanted)] == ["c"]


def test_sessions_of_a_convenor_or_of_the_unit_named_with_it(client: Client, programme: dict[str, Session]) -> None:
    convenorship = ConvenorshipFactory(session=programme["a"], with_unit=OrganisationFactory())
    ConvenorshipFactory(session=programme["a"], organisation=convenorship.organisation, relation="host")

    for organisation in (convenorship.organisation, convenorship.with_unit):
        assert [row["slug"] for row in rows(client, "sessions", convenor=str(organisation.public_id))] == ["a"]


@pytest.mark.parametrize("item_count", [1, 3])
def test_conferences_take_a_constant_number_of_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, item_count: int
) -> None:
    for _number in range(item_count):
        ConferenceDayFactory(
            conference__organiser=OrganisationFactory(),
            conference__chairmanship=OrganisationFactory(),
            conference__venue__country=CountryFactory(),
        )

    with django_assert_num_queries(4):  # version of the content, conferences, days, materials
        assert len(rows(client, "conferences")) == item_count
