"""The feeds of the programme, read back by programs that are not ours."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import icalendar
import pytest
from django.test import Client

from events import page_cache, programme_file
from events.feeds import schedule
from events.models import Conference, ConferenceState, Format, SegmentVisibility, Session, SessionState
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    MeetingFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db

SCHEMAS = Path(__file__).resolve().parents[3] / "shared" / "specs" / "schedule"  # lent for development, not ours
PROGRAMME_2020 = SCHEMAS.parents[1] / "data" / "programme-2020.yaml"
with_schemas = pytest.mark.skipif(not SCHEMAS.is_dir(), reason="the schemas of the formats are not here")
LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]
NASTY = 'A\r\nBEGIN:VALARM\r\nEND:VEVENT;,\\ "&<![CDATA[x]]></title><script>\x0b ü Ё'


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def addresses(session: Session, language: str = "en") -> list[str]:
    """All feeds in which a session stands."""
    below = f"/{language}/{session.conference.slug}"
    return [
        f"{below}/programme.ics",
        f"{below}/sessions/{session.slug}.ics",
        f"{below}/programme.xml",
        f"{below}/programme.json",
    ]


def fetch(client: Client, path: str) -> bytes:
    """The feed's bytes, made anew."""
    page_cache.forget()
    response = client.get(path)
    assert response.status_code == 200, path
    content: bytes = response.content
    return content


def read(content: bytes) -> Any:
    """A calendar, as icalendar reads it back."""
    return icalendar.Calendar.from_ical(content)


def events(content: bytes) -> list[Any]:
    """The entries of a calendar."""
    return list(read(content).walk("VEVENT"))


def xml(content: bytes) -> ET.Element:
    """A schedule.xml, read."""
    return ET.fromstring(content)  # noqa: S314  # our own answer


def items(content: bytes) -> list[dict[str, Any]]:
    """The events of a schedule.json, in order."""
    days = json.loads(content)["schedule"]["conference"]["days"]
    return [event for day in days for room in day["rooms"].values() for event in room]


# --- the calendar -----------------------------------------------------------------------------------------------------


def test_calendar_reads_back_with_the_clock_of_the_venue(client: Client) -> None:
    session = SessionFactory(title={"en": "Opening"}, summary={"en": "First.\nSecond."})
    programme, single, *_rest = addresses(session)

    for path, name in ((programme, str(session.conference.title)), (single, "Opening")):
        response = client.get(path)
        assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
        book = read(response.content)
        assert (book["name"], book["x-wr-calname"]) == (name, name)
        assert book["source"].endswith(path)
        assert book["refresh-interval"].dt == timedelta(hours=1)
        assert "method" not in book
        (event,) = events(response.content)
        assert event["uid"].startswith(f"{session.public_id}@")
        assert event["dtstart"].params["TZID"] == "Europe/Vienna"
        assert event["dtstart"].dt == session.starts_at
        assert event["dtstart"].dt.tzinfo == ZoneInfo("Europe/Vienna")
        assert event["dtend"].dt == session.ends_at
        assert event["dtstamp"].dt == event["last-modified"].dt
        assert (event["status"], event["summary"], event["description"]) == ("CONFIRMED", "Opening", "First.\nSecond.")
        assert event["url"].endswith(session.get_absolute_url())
        assert not {"attendee", "organizer", "conference"} & {name.lower() for name in event}
        assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in response.content
        assert max(map(len, response.content.split(b"\r\n"))) <= 75


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "Asia/Tashkent", "Australia/Sydney"])
def test_clock_in_the_calendar_is_that_of_the_zone(client: Client, zone: str) -> None:
    session = SessionFactory(conference__time_zone=zone)
    content = fetch(client, addresses(session)[0])
    (clock,) = read(content).walk("VTIMEZONE")

    offsets = sorted(
        (part["dtstart"].dt - part["tzoffsetfrom"].td, part["tzoffsetto"].td) for part in clock.subcomponents
    )

    assert clock["tzid"] == zone
    for hours in range(24 * 366):
        instant = datetime(2030, 1, 1) + timedelta(hours=hours)
        expected = instant.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).utcoffset()
        assert [offset for start, offset in offsets if start <= instant][-1] == expected, instant


def test_cancelled_entry_stays_and_its_number_rises(client: Client, time_machine: Any) -> None:
    session = SessionFactory()
    (before,) = events(fetch(client, addresses(session)[0]))
    time_machine.move_to(NOW + timedelta(hours=1), tick=False)
    session.state = SessionState.CANCELLED
    session.save()

    for path in addresses(session)[:2]:
        (after,) = events(fetch(client, path))
        assert (after["uid"], after["status"]) == (before["uid"], "CANCELLED")
        assert before["sequence"] < after["sequence"] < 2**31
    assert items(fetch(client, addresses(session)[3])) == []

    other = SessionFactory(conference=ConferenceFactory(state=ConferenceState.CANCELLED))
    assert events(fetch(client, addresses(other)[0]))[0]["status"] == "CANCELLED"


def test_place_is_never_empty(client: Client) -> None:
    conference = ConferenceFactory(venue__name={"en": "Hofburg"})
    room = RoomFactory(venue=conference.venue, name={"en": "Neuer Saal"})
    places = {
        "Neuer Saal, Hofburg, Vienna": SessionFactory(conference=conference, room=room),
        "Hofburg, Vienna": SessionFactory(conference=conference),
        "On-line": SideEventFactory(conference=conference, format=Format.ONLINE),
        "Venue to be announced": SessionFactory(conference__venue=None),
    }
    for place, session in places.items():
        (event,) = events(fetch(client, addresses(session)[1]))
        assert event["location"] == place


def test_session_without_a_time_waits_for_it(client: Client) -> None:
    session = SessionFactory(starts_at=None, ends_at=None)
    for path in addresses(session)[:2]:
        content = fetch(client, path)
        assert events(content) == []
        assert read(content).walk("VTIMEZONE")
    assert items(fetch(client, addresses(session)[3])) == []
    html = client.get(session.get_absolute_url()).content.decode()
    assert ".ics" not in html


# --- what stays inside ------------------------------------------------------------------------------------------------


def test_nothing_leaks(client: Client) -> None:
    session = SideEventFactory(title={"en": "Open"}, internal_note="canary-note")
    MeetingFactory(session=session)
    later = SegmentFactory(session=session, visibility=SegmentVisibility.AFTER, heading={"en": "canary-heading"})
    never = SegmentFactory(session=session, visibility=SegmentVisibility.NEVER, heading={"en": "canary-heading"})
    ContributionFactory(session=session, person__display_name="Canary Hidden", person__is_hidden=True)
    ContributionFactory(session=session, segment=later, person__display_name="Canary Later")
    ContributionFactory(session=session, segment=never, person__display_name="Canary Never")
    ContributionFactory(session=session, is_announced=False, person__display_name="Canary Unannounced")
    ContributionFactory(
        session=session,
        person__is_pseudonym=True,
        person__display_name="Marta",
        name_printed="Canary Name",
        role_title={"en": "Canary title"},
    )
    ContributionFactory(session=session, person__display_name="Ada Open")
    draft = SessionFactory(
        conference=session.conference, state=SessionState.DRAFT, title={"en": "Canary draft"}, slug="canary-draft"
    )

    for path in addresses(session):
        content = fetch(client, path)
        assert b"Open" in content
        assert b"canary" not in content.lower(), path
    assert client.get(addresses(draft)[1]).status_code == 404
    names = {person["public_name"] for person in items(fetch(client, addresses(session)[3]))[0]["persons"]}
    assert names == {"Marta", "Ada Open"}


def test_person_kept_for_later_shows_once_the_session_is_over(client: Client, time_machine: Any) -> None:
    session = SessionFactory()
    segment = SegmentFactory(session=session, visibility=SegmentVisibility.AFTER)
    ContributionFactory(session=session, segment=segment, person__display_name="Later")
    path = addresses(session)[2]
    assert b"Later" not in fetch(client, path)

    time_machine.move_to(datetime(2030, 7, 15, 10, 0, tzinfo=UTC), tick=False)

    assert b"Later" in fetch(client, path)


@pytest.mark.parametrize("hidden", [{"state": ConferenceState.DRAFT}, {"visibility": "internal"}])
def test_conference_that_strangers_may_not_see_has_no_feeds(client: Client, hidden: dict[str, Any]) -> None:
    session = SessionFactory(conference=ConferenceFactory(**hidden))
    for path in addresses(session):
        assert client.get(path).status_code == 404


# --- schedule.xml and schedule.json -----------------------------------------------------------------------------------


def programme() -> Session:
    """A programme with everything that is awkward in the formats; gives its first session."""
    conference: Conference = ConferenceFactory(slug="c3", working_languages=["en", "Bahasa"])
    room = RoomFactory(venue=conference.venue)
    first: Session = SessionFactory(conference=conference, room=room, title={"en": NASTY}, summary={"ru": NASTY})
    ContributionFactory(session=first, person__display_name="Ада & <Ada>")
    ContributionFactory(session=first, person=None, unnamed_label={"en": "To be named"})
    SideEventFactory(conference=conference, format=Format.ONLINE, working_languages=["Bahasa"])
    SessionFactory(conference=conference, starts_at=None, ends_at=None)
    SessionFactory(conference=conference, state=SessionState.CANCELLED)
    SessionFactory(conference=conference, ends_at=datetime(2030, 7, 17, 9, 0, tzinfo=UTC), title={"en": "Exhibition"})
    late = datetime(2030, 7, 16, 21, 30, tzinfo=UTC)
    SessionFactory(conference=conference, day=None, starts_at=late, ends_at=late + timedelta(hours=3))
    return first


def judge_json(content: bytes, directory: Path) -> None:
    """Hold a schedule.json against its schema."""
    found = directory / "schedule.json"
    found.write_bytes(content)
    checker = Path(sys.executable).with_name("check-jsonschema")
    if not checker.exists():
        pytest.skip("check-jsonschema is one of the tools of ./run lint")
    command = [str(checker), "--schemafile", str(SCHEMAS / "schedule.schema.json"), str(found)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def judge_xml(content: bytes, directory: Path) -> None:
    """Hold a schedule.xml against its schema."""
    if shutil.which("xmllint") is None:
        pytest.skip("needs xmllint (Debian, Ubuntu: apt install libxml2-utils)")
    found = directory / "schedule.xml"
    found.write_bytes(content)
    command = ["xmllint", "--noout", "--schema", str(SCHEMAS / "schedule.xsd"), str(found)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@with_schemas
@pytest.mark.parametrize("language", LANGUAGES)
def test_schedule_json_satisfies_the_schema(client: Client, language: str, tmp_path: Path) -> None:
    judge_json(fetch(client, addresses(programme(), language)[3]), tmp_path)


@with_schemas
@pytest.mark.parametrize("language", LANGUAGES)
def test_schedule_xml_satisfies_the_schema(client: Client, language: str, tmp_path: Path) -> None:
    judge_xml(fetch(client, addresses(programme(), language)[2]), tmp_path)


@with_schemas
@pytest.mark.shared
@pytest.mark.skipif(not PROGRAMME_2020.exists(), reason="../shared is not here")
def test_schedule_of_2020_satisfies_both_schemas(client: Client, tmp_path: Path) -> None:
    programme_file.load(PROGRAMME_2020.read_bytes())
    sessions = Session.objects.public().filter(is_in_agenda=True, starts_at__isnull=False)
    below = f"/en/{Conference.objects.get().slug}"

    content = fetch(client, f"{below}/programme.json")

    assert {item["guid"] for item in items(content)} == {str(session.public_id) for session in sessions}
    judge_json(content, tmp_path)
    judge_xml(fetch(client, f"{below}/programme.xml"), tmp_path)


def test_both_schedules_say_the_same(client: Client) -> None:
    session = programme()
    _calendar, _single, xml_path, json_path = addresses(session)
    response = client.get(xml_path)
    assert response.headers["Content-Type"] == "application/vnd.c3voc.schedule+xml; charset=utf-8"
    root = xml(response.content)
    found = items(client.get(json_path).content)

    assert len(found) == 3  # without the one that has no time and the exhibition of two days
    assert [event.get("guid") for event in root.iter("event")] == [event["guid"] for event in found]
    assert [event.findtext("title") for event in root.iter("event")] == [event["title"] for event in found]
    assert found[0]["id"] == schedule.number(session.public_id) != session.pk
    assert [person["public_name"] for person in found[0]["persons"]] == ["Ада & <Ada>"]
    assert [person.text for person in root.iter("person")] == ["Ада & <Ada>"]
    assert [event["date"] for event in found] == [
        "2030-07-15T11:00:00+02:00",
        "2030-07-15T11:00:00+02:00",
        "2030-07-16T23:30:00+02:00",
    ]
    assert [event["language"] for event in found] == ["en", "", "en"]
    assert found[1]["room"] == "On-line"


def test_parallel_items_stand_beside_each_other_and_each_once(client: Client) -> None:
    conference = ConferenceFactory()
    one, two = RoomFactory.create_batch(2, venue=conference.venue)
    at = {"conference": conference}
    hour = timedelta(hours=1)
    first = SessionFactory(**at, room=one)
    late = datetime(2030, 7, 15, 21, 30, tzinfo=UTC)
    sessions = [
        first,
        SessionFactory(**at, room=two),
        SessionFactory(**at),
        SideEventFactory(**at, format=Format.ONLINE),
        SideEventFactory(**at, format=Format.ONLINE, starts_at=first.starts_at - hour),
        SideEventFactory(**at, state=SessionState.CANCELLED),
        SessionFactory(**at, room=one, starts_at=late, ends_at=late + 3 * hour),
    ]
    path = addresses(first)[3]

    days = json.loads(fetch(client, path))["schedule"]["conference"]["days"]

    (day,) = days
    rooms = {name: [event["guid"] for event in found] for name, found in day["rooms"].items()}
    ids = [str(session.public_id) for session in sessions]
    hall = str(conference.venue.name)
    assert rooms == {
        str(one.name): [ids[0], ids[6]],
        str(two.name): [ids[1]],
        hall: [ids[2]],
        "On-line": [ids[4], ids[3]],
    }
    assert day["day_start"] == "2030-07-15T00:00:00+02:00"
    assert day["day_end"] == "2030-07-16T02:30:00+02:00"
    assert xml(fetch(client, addresses(first)[2])).find("day").get("end") == day["day_end"]  # type: ignore[union-attr]


def test_no_schedule_before_a_day_is_known(client: Client) -> None:
    conference = ConferenceFactory(starts_on=None, ends_on=None)
    for name in ("programme.xml", "programme.json"):
        assert client.get(f"/en/{conference.slug}/{name}").status_code == 404
    assert client.get(f"/en/{conference.slug}/programme.ics").status_code == 200
    assert "programme.ics" not in client.get(f"/en/{conference.slug}/").content.decode()


# --- all of them ------------------------------------------------------------------------------------------------------


def test_title_cannot_break_out_of_its_line(client: Client) -> None:
    session = programme()
    calendar, single, xml_path, json_path = addresses(session)
    title = 'A BEGIN:VALARM END:VEVENT;,\\ "&<![CDATA[x]]></title><script> ü Ё'

    for path in (calendar, single):
        content = fetch(client, path)
        assert b"\r\nBEGIN:VALARM" not in content
        assert not read(content).walk("VALARM")
        assert title in [str(event["summary"]) for event in events(content)]
    assert title in [item.findtext("title") for item in xml(fetch(client, xml_path)).iter("event")]
    assert title in [item["title"] for item in items(fetch(client, json_path))]


@pytest.mark.parametrize("language", LANGUAGES)
def test_feeds_speak_the_language_of_their_address(client: Client, language: str) -> None:
    title = {code: f"Title {code}" for code in LANGUAGES if code != "es"}
    session = SessionFactory(title=title, format=Format.ONLINE)
    shown = "en" if language == "es" else language
    calendar, _single, xml_path, json_path = addresses(session, language)

    (event,) = events(fetch(client, calendar))
    assert (event["summary"], event["summary"].params["LANGUAGE"]) == (f"Title {shown}", shown)
    (item,) = items(fetch(client, json_path))
    assert item["title"] == xml(fetch(client, xml_path)).findtext(".//event/title") == f"Title {shown}"
    assert event["location"] == item["room"]
    assert f"/{language}/" in event["url"]


def test_same_content_gives_the_same_bytes_and_304(client: Client, time_machine: Any) -> None:
    session = programme()
    for path in addresses(session):
        first = client.get(path)
        time_machine.move_to(NOW + timedelta(days=3), tick=False)
        assert fetch(client, path) == first.content, path
        again = client.get(path, headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert first.cookies == {}
        time_machine.move_to(NOW, tick=False)


def test_made_up_queries_are_answered_and_not_kept(client: Client, django_assert_num_queries: Any) -> None:
    for path in addresses(SessionFactory()):
        first = client.get(path)
        with django_assert_num_queries(0):
            assert client.get(path).content == first.content
        made_up = client.get(f"{path}?made=up")
        assert made_up.status_code == 200
        assert "ETag" not in made_up.headers


def test_number_of_queries_does_not_grow(client: Client, django_assert_max_num_queries: Any) -> None:
    session = programme()
    for _ in range(5):
        ContributionFactory(session=SessionFactory(conference=session.conference))
    for path in addresses(session):
        page_cache.forget()
        with django_assert_max_num_queries(8):
            assert client.get(path).status_code == 200


def test_pages_lead_to_the_feeds(client: Client) -> None:
    session = SideEventFactory()
    calendar, single, xml_path, json_path = addresses(session)
    for page in (f"/en/{session.conference.slug}/", f"/en/{session.conference.slug}/programme/"):
        html = client.get(page).content.decode()
        for path in (calendar, xml_path, json_path):
            assert html.count(f'href="{path}"') == 2  # in the head for programs, below for readers
    assert client.get(session.get_absolute_url()).content.decode().count(f'href="{single}"') == 2
