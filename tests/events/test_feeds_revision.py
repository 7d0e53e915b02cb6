"""How calendars learn of a change: UID, SEQUENCE, LAST-MODIFIED, kept by the database whatever path a change takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.db import connection
from django.test import Client

from events import page_cache
from events.feeds import calendar
from events.models import Conference, ConferenceState, Format, Session, SessionState
from registration.letters import calendar as registration_calendar
from registration.models import Registration
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    RegistrationFactory,
    RoomFactory,
    SessionFactory,
    SideEventFactory,
    VenueFactory,
)

pytestmark = pytest.mark.django_db

LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)


def revision(session: Session) -> calendar.Revision:
    """The revision of a session as the database has it."""
    found = Session.objects.select_related("conference").get(pk=session.pk)
    return calendar.revision(found.conference, found)


def age(session: Session) -> None:
    """Let the last change be long ago, which nobody but a superuser around the trigger can do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE events_session SET calendar_changed_at = %s", [LONG_AGO])
        cursor.execute("UPDATE events_conference SET calendar_changed_at = %s", [LONG_AGO])
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    assert revision(session).changed_at == LONG_AGO


NEWS: dict[str, Callable[[Session], dict[str, Any]]] = {
    "start": lambda session: {"starts_at": session.starts_at - timedelta(minutes=5) if session.starts_at else None},
    "end": lambda session: {"ends_at": session.ends_at + timedelta(minutes=5) if session.ends_at else None},
    "no time": lambda session: {"starts_at": None, "ends_at": None},
    "room": lambda session: {"room": RoomFactory(venue=session.conference.venue)},
    "format": lambda session: {"format": Format.ONLINE},
    "title": lambda session: {"title": {"en": "Another"}},
    "title in one language": lambda session: {"title": {**session.title, "ru": "Другое"}},
    "state": lambda session: {"state": SessionState.CANCELLED},
}


@pytest.mark.parametrize("what", NEWS)
@pytest.mark.parametrize("path", ["save", "queryset"])
def test_change_of_time_place_title_or_state_raises_the_number(what: str, path: str) -> None:
    session = SessionFactory()
    before = revision(session)
    age(session)
    values = NEWS[what](session)

    if path == "save":
        for name, value in values.items():
            setattr(session, name, value)
        session.save()
    else:
        Session.objects.filter(pk=session.pk).update(**values)

    after = revision(session)
    assert after.sequence > before.sequence
    assert after.changed_at > LONG_AGO


@pytest.mark.parametrize(
    ("values", "is_shown"),
    [
        ({"summary": {"en": "More"}}, True),
        ({"slug": "elsewhere"}, True),
        ({"internal_note": "Call them."}, False),
        ({"position": 7}, False),
        ({"working_languages": ["en", "ru"]}, False),
        ({}, False),
        ({"calendar_sequence": 0, "calendar_changed_at": NOW}, False),
    ],
)
def test_other_changes_leave_the_number(values: dict[str, Any], is_shown: bool) -> None:
    session = SessionFactory()
    before = revision(session)
    age(session)

    for name, value in values.items():
        setattr(session, name, value)
    session.save()

    after = revision(session)
    assert after.sequence == before.sequence
    assert (after.changed_at > LONG_AGO) is is_shown


@pytest.mark.parametrize(
    ("values", "is_news"),
    [
        ({"state": ConferenceState.CANCELLED}, True),
        ({"time_zone": "Europe/Warsaw"}, True),
        ({"format": Format.ONLINE}, True),
        ({"state": ConferenceState.RUNNING}, False),
        ({"title": {"en": "Another"}}, False),
        ({"hashtag": "#news"}, False),
    ],
)
def test_conference_that_moves_or_is_cancelled_raises_the_number(values: dict[str, Any], is_news: bool) -> None:
    session = SessionFactory()
    before = revision(session)

    Conference.objects.filter(pk=session.conference_id).update(**values)

    assert (revision(session).sequence > before.sequence) is is_news


def test_conference_that_changes_its_house_raises_the_number() -> None:
    session = SessionFactory()
    before = revision(session)

    Conference.objects.filter(pk=session.conference_id).update(venue=VenueFactory())

    assert revision(session).sequence > before.sequence


def test_number_never_falls_also_when_a_row_is_deleted_and_put_back() -> None:
    session = SessionFactory()
    Session.objects.filter(pk=session.pk).update(title={"en": "Second"})
    seen = revision(session)
    public_id = session.public_id
    session.delete()

    # A restored row brings the number it once had; the database gives it a new one.
    again = SessionFactory(conference=session.conference, public_id=public_id, calendar_sequence=1)

    assert again.public_id == public_id
    assert revision(again).sequence > seen.sequence


def test_numbers_stay_within_what_a_calendar_can_hold() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT max_value FROM pg_sequences WHERE sequencename = 'events_calendar_sequence'")
        (largest,) = cursor.fetchone()
    assert largest == 2**31 - 1


def test_feed_tells_the_revision(client: Client) -> None:
    session = SessionFactory()

    page_cache.forget()
    content = client.get(f"/en/{session.conference.slug}/sessions/{session.slug}.ics").content

    event: Any
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    expected = revision(session)
    assert event["uid"] == calendar.uid(session.public_id)
    assert event["sequence"] == expected.sequence
    assert event["last-modified"].dt == event["dtstamp"].dt == expected.changed_at


def test_withdrawn_session_leaves_the_feed_without_a_trace(client: Client) -> None:
    conference = ConferenceFactory()
    kept = SessionFactory(conference=conference)
    withdrawn = SessionFactory(conference=conference, title={"en": "Canary"}, state=SessionState.DRAFT)
    deleted = SessionFactory(conference=conference)
    deleted.delete()

    page_cache.forget()
    content = client.get(f"/en/{conference.slug}/programme.ics").content

    assert [event["uid"] for event in icalendar.Calendar.from_ical(content).walk("VEVENT")] == [
        calendar.uid(kept.public_id)
    ]
    assert str(withdrawn.public_id).encode() not in content


# --- the calendar part of a confirmation ------------------------------------------------------------------------------


def entry(registration: Registration) -> Any:
    """The calendar entry of a registration, as icalendar reads it."""
    loaded = Registration.objects.with_all().get(pk=registration.pk)
    content = registration_calendar.calendar([loaded], now=NOW)
    assert content is not None
    (event,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return event


def test_entry_of_a_registration_rises_with_the_programme_and_with_its_status() -> None:
    registration = RegistrationFactory()
    session = registration.admission.session
    first = entry(registration)

    Session.objects.filter(pk=session.pk).update(ends_at=session.ends_at + timedelta(minutes=30))
    moved = entry(registration)
    Registration.objects.filter(pk=registration.pk).update(version=registration.version + 1)
    decided = entry(registration)

    assert first["uid"] == moved["uid"] == decided["uid"] == calendar.uid(registration.public_id)
    assert first["sequence"] < moved["sequence"] < decided["sequence"]
    assert moved["last-modified"].dt >= first["last-modified"].dt


def test_entry_of_a_conference_rises_when_its_days_move() -> None:
    conference = ConferenceFactory()
    registration = RegistrationFactory(admission=AdmissionFactory(session=None, conference=conference))
    first = entry(registration)

    Conference.objects.filter(pk=conference.pk).update(ends_on=conference.ends_on + timedelta(days=1))

    assert entry(registration)["sequence"] > first["sequence"]


def test_entry_of_a_registration_names_no_session_by_its_public_id() -> None:
    session = SideEventFactory()
    registration = RegistrationFactory(admission=AdmissionFactory(session=session))

    assert str(session.public_id) not in entry(registration)["uid"]
