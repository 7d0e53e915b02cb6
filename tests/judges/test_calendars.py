"""Calendars as other people's programs read them: libical (Evolution, KDE) and vobject (Radicale, khal's ancestors)."""

from __future__ import annotations

import json
import re
import subprocess
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import vobject
from django.test import Client

from events import page_cache
from events.models import ConferenceState, Format, Session, SessionState
from registration.letters import calendar as registration_calendar
from registration.models import Registration, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoomFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db

SYSTEM_PYTHON = "/usr/bin/python3"
READER = Path(__file__).with_name("libical_reader.py")
LANGUAGES = ["en", "fr", "de", "it", "es", "ru"]
NASTY = 'A\r\nBEGIN:VALARM\r\nEND:VEVENT;,\\ "&:=\x0b \\n \\N ' + "Ё" * 80 + " 🕊 ü"
LAST_SUNDAY_OF_OCTOBER = datetime(2030, 10, 27, 0, 30, tzinfo=UTC)  # 02:30 in Vienna, for the first time


@cache
def why_no_libical() -> str:
    """What libical's absence is due to; empty where it is here."""
    if not Path(SYSTEM_PYTHON).exists():
        return "needs Debian's Python"
    command = [SYSTEM_PYTHON, "-W", "ignore", "-c", "from gi.repository import ICalGLib"]
    is_here = subprocess.run(command, capture_output=True, check=False).returncode == 0
    return "" if is_here else "needs libical (Debian, Ubuntu: apt install python3-gi gir1.2-ical-3.0)"


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def by_libical(content: bytes) -> dict[str, Any]:
    """What libical reads; the test is skipped where there is none."""
    if why := why_no_libical():
        pytest.skip(why)
    command = [SYSTEM_PYTHON, "-W", "ignore", str(READER)]
    done = subprocess.run(command, input=content, capture_output=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def by_vobject(content: bytes) -> list[dict[str, Any]]:
    """What vobject reads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own, about Python and pytz
        book = vobject.readOne(content.decode())
        book.validate(raiseException=True)
        return [
            {
                "uid": entry.uid.value,
                "summary": entry.summary.value,
                "location": entry.location.value,
                "sequence": int(entry.sequence.value),
                "status": entry.status.value,
                "start": int(entry.dtstart.value.timestamp()),
                "end": int(entry.dtend.value.timestamp()),
            }
            for entry in book.contents.get("vevent", [])
        ]


def one_line(text: str) -> str:
    """A title as it may stand in a calendar."""
    return " ".join(re.sub(r"\x0b", " ", text).split())


def programme() -> dict[str, Session]:
    """What is awkward in calendars, by the public id."""
    conference = ConferenceFactory(title={"en": NASTY})
    room = RoomFactory(venue=conference.venue, name={"en": "Room; A, B", "ru": "Зал «А»"})
    at = {"conference": conference, "day": None}
    hour = timedelta(hours=1)
    made = [
        SessionFactory(conference=conference, room=room, title={"en": NASTY, "ru": NASTY}, summary={"en": NASTY}),
        SideEventFactory(conference=conference, format=Format.ONLINE),
        SideEventFactory(conference=conference, state=SessionState.CANCELLED),
        SessionFactory(
            **at, starts_at=datetime(2030, 7, 16, 21, 30, tzinfo=UTC), ends_at=datetime(2030, 7, 17, 1, 0, tzinfo=UTC)
        ),
        SessionFactory(**at, starts_at=LAST_SUNDAY_OF_OCTOBER - 2 * hour, ends_at=LAST_SUNDAY_OF_OCTOBER + 4 * hour),
        SessionFactory(
            **at, starts_at=datetime(2031, 1, 7, 8, 0, tzinfo=UTC), ends_at=datetime(2031, 1, 9, 8, 0, tzinfo=UTC)
        ),
    ]
    SessionFactory(conference=conference, starts_at=None, ends_at=None)
    SessionFactory(conference=conference, state=SessionState.DRAFT)
    return {str(session.public_id): Session.objects.select_related("conference").get(pk=session.pk) for session in made}


def facts(found: list[dict[str, Any]]) -> dict[str, tuple[Any, ...]]:
    """Of each entry what must agree with the data, by the public id."""
    return {
        entry["uid"].partition("@")[0]: (
            one_line(entry["summary"]),
            entry["start"],
            entry["end"],
            entry["sequence"],
            entry["status"],
        )
        for entry in found
    }


def expected(sessions: dict[str, Session]) -> dict[str, tuple[Any, ...]]:
    """The same from the data."""
    return {
        public_id: (
            one_line(str(session.title)),
            int(session.starts_at.timestamp()) if session.starts_at else None,
            int(session.ends_at.timestamp()) if session.ends_at else None,
            session.calendar_sequence + session.conference.calendar_sequence,
            "CANCELLED" if session.state == SessionState.CANCELLED else "CONFIRMED",
        )
        for public_id, session in sessions.items()
    }


def feed(client: Client, path: str) -> bytes:
    """A feed, made anew."""
    page_cache.forget()
    response = client.get(path)
    assert response.status_code == 200, path
    content: bytes = response.content
    return content


@pytest.mark.parametrize("language", LANGUAGES)
def test_libical_reads_what_stands_in_the_programme(client: Client, language: str) -> None:
    sessions = programme()
    slug = next(iter(sessions.values())).conference.slug

    found = by_libical(feed(client, f"/{language}/{slug}/programme.ics"))

    assert (found["errors"], found["complaints"]) == (0, [])
    assert facts(found["events"]) == expected(sessions)
    assert {entry["zone"] for entry in found["events"]} == {"Europe/Vienna"}
    assert all(entry["location"] for entry in found["events"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_vobject_reads_what_stands_in_the_programme(client: Client, language: str) -> None:
    sessions = programme()
    slug = next(iter(sessions.values())).conference.slug

    found = by_vobject(feed(client, f"/{language}/{slug}/programme.ics"))

    assert facts(found) == expected(sessions)
    assert all(entry["location"] for entry in found)


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Asia/Tashkent", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Casablanca"]
)
def test_times_on_any_clock_are_read_back(client: Client, zone: str) -> None:
    conference = ConferenceFactory(time_zone=zone)
    hour = timedelta(hours=1)
    at = {"conference": conference, "day": None}
    months = [datetime(2030, month, 3, 5, 30, tzinfo=UTC) for month in range(1, 13)]
    made = [SessionFactory(**at, starts_at=start, ends_at=start + hour) for start in months]
    sessions = {
        str(session.public_id): Session.objects.select_related("conference").get(pk=session.pk) for session in made
    }

    content = feed(client, f"/en/{conference.slug}/programme.ics")

    assert facts(by_vobject(content)) == expected(sessions)
    assert facts(by_libical(content)["events"]) == expected(sessions)


def test_hour_that_the_clock_shows_twice_is_told_apart(client: Client) -> None:
    minutes = [LAST_SUNDAY_OF_OCTOBER + timedelta(minutes=30 * step) for step in range(-2, 6)]
    conference = ConferenceFactory()
    made = [
        SessionFactory(conference=conference, day=None, starts_at=start, ends_at=start + timedelta(hours=1))
        for start in minutes
    ]
    sessions = {
        str(session.public_id): Session.objects.select_related("conference").get(pk=session.pk) for session in made
    }

    content = feed(client, f"/en/{conference.slug}/programme.ics")

    assert facts(by_vobject(content)) == expected(sessions)
    assert facts(by_libical(content)["events"]) == expected(sessions)


def test_calendar_without_entries_is_read(client: Client) -> None:
    session = SessionFactory(starts_at=None, ends_at=None)
    for name in ("programme.ics", f"sessions/{session.slug}.ics"):
        content = feed(client, f"/en/{session.conference.slug}/{name}")
        assert by_vobject(content) == []
        found = by_libical(content)
        assert (found["errors"], found["complaints"], found["events"]) == (0, [], [])


def test_cancelled_conference_is_read_as_cancelled(client: Client) -> None:
    session = SessionFactory(conference=ConferenceFactory(state=ConferenceState.CANCELLED))

    content = feed(client, f"/en/{session.conference.slug}/programme.ics")

    assert [entry["status"] for entry in by_vobject(content)] == ["CANCELLED"]
    assert [entry["status"] for entry in by_libical(content)["events"]] == ["CANCELLED"]


def test_agenda_of_a_reader_is_read(client: Client) -> None:
    sessions = programme()
    picked = dict(list(sessions.items())[:3])
    below = f"/en/{next(iter(sessions.values())).conference.slug}"
    for public_id in picked:
        client.post(f"{below}/agenda/", {"add": public_id})

    content = feed(client, f"{below}/agenda.ics")

    assert facts(by_vobject(content)) == expected(picked)
    found = by_libical(content)
    assert (found["errors"], found["complaints"]) == (0, [])
    assert facts(found["events"]) == expected(picked)


@pytest.mark.parametrize(
    ("method", "status", "shown"),
    [
        ("REQUEST", RegistrationStatus.CONFIRMED, "CONFIRMED"),
        ("CANCEL", RegistrationStatus.CANCELLED, "CANCELLED"),
        (None, RegistrationStatus.CONFIRMED, "CONFIRMED"),
    ],
)
@pytest.mark.parametrize("has_alias", [False, True])
def test_calendar_of_a_registration_is_read(
    method: str | None, status: RegistrationStatus, shown: str, has_alias: bool
) -> None:
    admission = AdmissionFactory(session__title={"en": NASTY})
    MeetingFactory(session=admission.session)
    alias = {"display_name": 'Marta; "M"', "has_alias": True} if has_alias else {}
    participant = ParticipantFactory(conference=admission.conference, **alias)
    made = RegistrationFactory(admission=admission, participant=participant, status=status)
    registration = Registration.objects.with_all().get(pk=made.pk)

    content = registration_calendar.calendar([registration], method=method, now=NOW)

    assert content is not None
    title = "Meeting" if has_alias else one_line(NASTY)
    start, end = int(admission.session.starts_at.timestamp()), int(admission.session.ends_at.timestamp())
    for found in (by_vobject(content), by_libical(content)["events"]):
        ((public_id, (summary, *times, _sequence, state)),) = facts(found).items()
        assert (public_id, summary, times, state) == (str(made.public_id), title, [start, end], shown)
    judged = by_libical(content)
    assert (judged["errors"], judged["complaints"]) == (0, [])


def test_libical_finds_what_is_wrong() -> None:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "METHOD:REQUEST", "BEGIN:VEVENT", "UID:1", "SUMMARY:x"]
    lines += ["DTSTAMP:20300101T000000Z", "DTSTART:20300715T110000Z", "DTEND:20300715T120000Z", "SEQUENCE:0"]
    lines += ["STATUS:CONFIRMED", "END:VEVENT", "END:VCALENDAR", ""]

    found = by_libical("\r\n".join(lines).encode())

    assert found["errors"] > 0 or found["complaints"], "a request without organiser and attendee"
