"""What pages say in schema.org's words, read as a search engine reads it and held against facts of the vocabulary."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from typing import Any

import pytest
from django.test import Client

from events.models import ConferenceState, ConvenorRelation, DatePrecision, Format, SegmentVisibility, SessionState
from speakers.models import ContributionStatus
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MeetingFactory,
    OrganisationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    VenueFactory,
)

pytestmark = pytest.mark.django_db

# schema.org, version 29: the properties of the types we use, and what a value of each may be. A subset, ours checked by
# hand; a property that is not here is a slip of the pen until somebody looks it up.
VOCABULARY: dict[str, dict[str, set[str]]] = {
    "Event": {
        "name": {"text"},
        "description": {"text"},
        "url": {"url"},
        "startDate": {"date", "datetime"},
        "endDate": {"date", "datetime"},
        "eventStatus": {"enum"},
        "eventAttendanceMode": {"enum"},
        "location": {"Place", "VirtualLocation", "PostalAddress", "text"},
        "organizer": {"Organization", "Person"},
        "performer": {"Organization", "Person"},
        "inLanguage": {"text"},
        "superEvent": {"Event"},
        "subEvent": {"Event"},
    },
    "Place": {"name": {"text"}, "address": {"PostalAddress", "text"}},
    "PostalAddress": {"streetAddress": {"text"}, "addressLocality": {"text"}, "addressCountry": {"text"}},
    "VirtualLocation": {"url": {"url"}},
    "Organization": {"name": {"text"}, "url": {"url"}},
    "Person": {"name": {"text"}, "url": {"url"}},
    "BreadcrumbList": {"itemListElement": {"ListItem"}},
    "ListItem": {"position": {"integer"}, "name": {"text"}, "item": {"url"}},
}
REQUIRED = {  # what search engines document as needed for the type to be used at all
    "Event": {"name", "startDate"},
    "Place": {"name"},
    "VirtualLocation": {"url"},
    "Organization": {"name"},
    "Person": {"name"},
    "BreadcrumbList": {"itemListElement"},
    "ListItem": {"position", "name", "item"},
}
ENUMERATIONS = {
    "eventStatus": {"EventScheduled", "EventCancelled", "EventMovedOnline", "EventPostponed", "EventRescheduled"},
    "eventAttendanceMode": {
        "OfflineEventAttendanceMode",
        "OnlineEventAttendanceMode",
        "MixedEventAttendanceMode",
    },
}


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def blocks(client: Client, path: str) -> dict[str, Any]:
    """The data of a page by its type, judged on the way."""
    response = client.get(path)
    assert response.status_code == 200, path
    found = re.findall(r'<script type="application/ld\+json">(.*?)</script>', response.content.decode(), re.DOTALL)
    read = {}
    for text in found:
        assert not re.search(r"[<>&\u2028\u2029]", text)
        data = json.loads(text)
        assert data.pop("@context") == "https://schema.org"
        judge(data)
        assert data["@type"] not in read, "one of each type on a page"
        read[data["@type"]] = data
    return read


def kind(name: str, value: Any) -> str:
    """What a value is, in the words of the vocabulary."""
    if isinstance(value, dict):
        return str(value["@type"])
    if isinstance(value, int):
        return "integer"
    assert isinstance(value, str), value
    assert value.strip() == value != "", name
    if name in ENUMERATIONS:
        assert value.removeprefix("https://schema.org/") in ENUMERATIONS[name], value
        return "enum"
    if name in {"startDate", "endDate"}:
        if "T" not in value:
            assert date.fromisoformat(value).isoformat() == value
            return "date"
        assert datetime.fromisoformat(value).utcoffset() is not None, "a time without its offset is nobody's time"
        return "datetime"
    return "url" if re.fullmatch(r"https?://[^\s]+", value) else "text"


def judge(node: dict[str, Any]) -> None:
    """Hold a node and all below it against the vocabulary."""
    properties = VOCABULARY[node["@type"]]
    given = {name for name in node if not name.startswith("@")}
    assert given <= set(properties), given - set(properties)
    assert REQUIRED.get(node["@type"], set()) <= given, node
    for name in given:
        values = node[name] if isinstance(node[name], list) else [node[name]]
        assert values, name
        for value in values:
            assert kind(name, value) in properties[name], (name, value)
            if isinstance(value, dict):
                judge(value)


def test_session_page_tells_what_it_shows(client: Client, settings: Any) -> None:
    venue = VenueFactory(name={"en": "Hofburg"}, address="Heldenplatz 1", country=CountryFactory(iso2="AT"))
    conference = ConferenceFactory(
        venue=venue, organiser=OrganisationFactory(name={"en": "The Office"}), working_languages=["en", "Bahasa", "ru"]
    )
    room = RoomFactory(venue=venue, name={"en": "Neuer Saal"})
    session = SessionFactory(
        conference=conference, room=room, title={"en": 'A </script> & "B"'}, summary={"en": "First.\nSecond."}
    )
    ContributionFactory(session=session, person__display_name="Ada Open")
    page = f"{settings.SITE_URL}{session.get_absolute_url()}"
    above = f"{settings.SITE_URL}{conference.get_absolute_url()}"
    address = {
        "@type": "PostalAddress",
        "streetAddress": "Heldenplatz 1",
        "addressLocality": "Vienna",
        "addressCountry": "AT",
    }

    found = blocks(client, session.get_absolute_url())

    event = found["Event"]
    performer = event["performer"]
    assert performer["name"] == "Ada Open"
    assert performer["url"].startswith(f"{settings.SITE_URL}/en/speakers/")
    assert event == {
        "@type": "Event",
        "@id": f"{page}#event",
        "url": page,
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode",
        "name": 'A </script> & "B"',
        "startDate": "2030-07-15T11:00:00+02:00",
        "endDate": "2030-07-15T12:00:00+02:00",
        "description": "First. Second.",
        "location": [
            {"@type": "Place", "name": "Neuer Saal, Hofburg", "address": address},
            {"@type": "VirtualLocation", "url": page},
        ],
        "organizer": {"@type": "Organization", "name": "The Office"},
        "performer": performer,
        "inLanguage": ["en", "ru"],
        "superEvent": {
            "@type": "Event",
            "@id": f"{above}#event",
            "url": above,
            "eventStatus": "https://schema.org/EventScheduled",
            "eventAttendanceMode": "https://schema.org/MixedEventAttendanceMode",
            "name": str(conference.title),
            "startDate": "2030-07-15",
            "endDate": "2030-07-17",
            "location": [
                {"@type": "Place", "name": "Hofburg", "address": address},
                {"@type": "VirtualLocation", "url": above},
            ],
            "organizer": {"@type": "Organization", "name": "The Office"},
        },
    }
    way = found["BreadcrumbList"]["itemListElement"]
    assert [(step["position"], step["name"]) for step in way] == [
        (1, "Conferences"),
        (2, str(conference.title)),
        (3, "Programme"),
        (4, 'A </script> & "B"'),
    ]
    assert way[-1]["item"] == page


def test_conference_page_lists_its_sessions(client: Client) -> None:
    conference = ConferenceFactory(format=Format.IN_PERSON)
    first = SessionFactory(conference=conference)
    side_event = SideEventFactory(conference=conference, state=SessionState.CANCELLED, format=Format.ONLINE)
    SessionFactory(conference=conference, state=SessionState.DRAFT, title={"en": "Canary"})
    SessionFactory(conference=conference, kind="break", title={"en": "Lunch"})
    SessionFactory(conference=conference, starts_at=None, ends_at=None)
    SessionFactory(conference=conference, starts_at=None, ends_at=None, day=None)

    event = blocks(client, conference.get_absolute_url())["Event"]

    below = event["subEvent"]
    assert [item["name"] for item in below[:2]] == [str(first.title), str(side_event.title)]
    assert [item["eventStatus"].rpartition("/")[2] for item in below[:2]] == ["EventScheduled", "EventCancelled"]
    assert [item["location"]["@type"] for item in below[:2]] == ["Place", "VirtualLocation"]
    assert [item["startDate"] for item in below] == ["2030-07-15T11:00:00+02:00"] * 2 + ["2030-07-15"]


@pytest.mark.parametrize("hidden", [{"starts_on": None, "ends_on": None}, {"date_precision": DatePrecision.MONTH}])
def test_conference_without_days_is_no_event_yet(client: Client, hidden: dict[str, Any]) -> None:
    conference = ConferenceFactory(**hidden)

    assert set(blocks(client, conference.get_absolute_url())) == {"BreadcrumbList"}


def test_session_without_a_day_is_no_event_yet(client: Client) -> None:
    session = SessionFactory(day=None, starts_at=None, ends_at=None)

    assert "Event" not in blocks(client, session.get_absolute_url())


def test_cancelled_conference_cancels_everything(client: Client) -> None:
    session = SessionFactory(conference=ConferenceFactory(state=ConferenceState.CANCELLED))

    event = blocks(client, session.get_absolute_url())["Event"]
    assert event["eventStatus"] == event["superEvent"]["eventStatus"] == "https://schema.org/EventCancelled"


def test_those_who_convene_are_the_organisers(client: Client) -> None:
    session = SideEventFactory(conference__organiser=OrganisationFactory(name={"en": "The Office"}))
    for relation, name in (
        (ConvenorRelation.CONVENOR, "First"),
        (ConvenorRelation.CO_ORGANISER, "Second"),
        (ConvenorRelation.SPONSOR, "Third"),
    ):
        ConvenorshipFactory(session=session, organisation=OrganisationFactory(name={"en": name}), relation=relation)

    event = blocks(client, session.get_absolute_url())["Event"]

    assert [body["name"] for body in event["organizer"]] == ["First", "Second"]


def test_nothing_leaks(client: Client) -> None:
    session = SideEventFactory(
        format=Format.ONLINE,
        internal_note="canary",
        registration_url="https://canary.example/form",
        conference__livestream_url="https://canary.example/live",
    )
    MeetingFactory(session=session)
    later = SegmentFactory(session=session, visibility=SegmentVisibility.AFTER)
    never = SegmentFactory(session=session, visibility=SegmentVisibility.NEVER)
    ContributionFactory(session=session, person__display_name="Canary Hidden", person__is_hidden=True)
    ContributionFactory(session=session, segment=later, person__display_name="Canary Later")
    ContributionFactory(session=session, segment=never, person__display_name="Canary Never")
    ContributionFactory(session=session, is_announced=False, person__display_name="Canary Unannounced")
    ContributionFactory(session=session, person__display_name="Canary Declined", status=ContributionStatus.DECLINED)
    ContributionFactory(session=session, person=None, unnamed_label={"en": "Canary seat"})
    ContributionFactory(
        session=session,
        person__is_pseudonym=True,
        person__display_name="Marta",
        name_printed="Canary Name",
        role_title={"en": "Canary title"},
        organisation=OrganisationFactory(name={"en": "Canary body"}),
    )
    paths = [session.get_absolute_url(), session.conference.get_absolute_url()]

    for path in paths:
        assert "canary" not in json.dumps(blocks(client, path)).lower(), path
    event = blocks(client, paths[0])["Event"]
    assert event["performer"] == {"@type": "Person", "name": "Marta"}
    assert event["location"] == {"@type": "VirtualLocation", "url": event["url"]}


def test_page_of_a_pseudonym_says_nothing_to_programs(client: Client) -> None:
    contribution = ContributionFactory(person__is_pseudonym=True)

    assert blocks(client, contribution.person.get_absolute_url()) == {}


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_every_page_below_the_top_tells_its_way(client: Client, language: str) -> None:
    contribution = ContributionFactory(session__kind="side_event")
    slug = contribution.session.conference.slug
    person = contribution.person.public_id
    for path in (f"{slug}/", f"{slug}/programme/", f"{slug}/programme/1/", f"{slug}/speakers/", f"speakers/{person}/"):
        way = blocks(client, f"/{language}/{path}")["BreadcrumbList"]["itemListElement"]
        assert way[0]["item"].endswith(f"/{language}/")
        assert way[-1]["item"].endswith(f"/{language}/{path}")
        assert len({step["name"] for step in way}) == len(way), path
    assert blocks(client, f"/{language}/") == {}


def test_same_content_gives_the_same_words(client: Client, time_machine: Any) -> None:
    session = SessionFactory()
    first = blocks(client, session.get_absolute_url())

    time_machine.move_to(NOW.replace(day=9), tick=False)

    assert blocks(client, session.get_absolute_url()) == first
