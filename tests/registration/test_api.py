"""Places left, for programs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from events.models import SessionState
from registration.models import AttendanceMode, Places, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_clock() -> Any:
    """The tests' own now."""
    with time_machine.travel(NOW, tick=False):
        yield


def rows(client: Client, **parameters: str) -> list[dict[str, Any]]:
    """The admissions found. Fails on anything but 200."""
    response = client.get("/api/v1/admissions/", parameters)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def test_admission_tells_capacity_and_places_left(client: Client) -> None:
    admission = AdmissionFactory(
        capacity=2,
        opens_at=NOW - timedelta(days=1),
        closes_at=NOW + timedelta(days=1),
        note={"en": "Bring a badge."},
        session__title={"en": "Trust"},
        session__slug="trust",
        conference__slug="alliance-20",
    )
    RegistrationFactory(admission=admission)

    found = rows(client)[0]

    session, conference = admission.session, admission.conference
    assert session is not None
    assert found == {
        "id": str(admission.public_id),
        "conference": {
            "id": str(conference.public_id),
            "slug": conference.slug,
            "title": {"text": str(conference.title), "language": "en", "translations": dict(conference.title)},
            "edition": conference.edition,
        },
        "session": {
            "id": str(session.public_id),
            "slug": "trust",
            "kind": "side_event",
            "title": {"text": "Trust", "language": "en", "translations": {"en": "Trust"}},
            "starts_at": "2030-07-15T11:00:00+02:00",
            "ends_at": "2030-07-15T12:00:00+02:00",
        },
        "mode": "online",
        "capacity": 2,
        "places_left": 1,
        "waiting": 0,
        "waiting_list": "direct",
        "claim_hours": 24,
        "reserves": [],
        "approval": "automatic",
        "is_open": True,
        "opens_at": "2030-07-01T11:00:00+02:00",
        "closes_at": "2030-07-03T11:00:00+02:00",
        "note": {"text": "Bring a badge.", "language": "en", "translations": {"en": "Bring a badge."}},
    }
    assert client.get(f"/api/v1/admissions/{admission.public_id}/").json() == found


def test_admission_without_limit_has_null_for_capacity_and_places_left(client: Client) -> None:
    RegistrationFactory(admission=AdmissionFactory())

    found = rows(client)[0]

    assert (found["capacity"], found["places_left"], found["waiting"]) == (None, None, 0)


def test_admission_that_is_full_counts_who_waits_and_names_nobody(client: Client) -> None:
    admission = AdmissionFactory(capacity=1)
    RegistrationFactory(
        admission=admission, participant=ParticipantFactory(conference=admission.conference, given_name="Canary")
    )
    RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)
    MeetingFactory(session=admission.session)

    response = client.get("/api/v1/admissions/")

    found = response.json()["results"][0]
    assert (found["capacity"], found["places_left"], found["waiting"]) == (1, 0, 1)
    assert b"anary" not in response.content


def test_admission_keeps_no_old_number(client: Client) -> None:
    admission = AdmissionFactory(capacity=2)
    first = client.get("/api/v1/admissions/")
    again = client.get("/api/v1/admissions/", headers={"If-None-Match": first.headers["ETag"]})

    RegistrationFactory(admission=admission)
    after = client.get("/api/v1/admissions/", headers={"If-None-Match": first.headers["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert (after.status_code, after.json()["results"][0]["places_left"]) == (200, 1)
    assert "no-cache" in first.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("values", "is_open"),
    [
        ({}, True),
        ({"is_closed": True}, False),
        ({"opens_at": NOW + timedelta(seconds=1)}, False),
        ({"opens_at": NOW}, True),
        ({"closes_at": NOW}, False),
        ({"session__state": SessionState.CANCELLED}, False),
    ],
)
def test_admission_says_whether_one_can_register_now(client: Client, values: dict[str, Any], is_open: bool) -> None:
    AdmissionFactory(**values)

    assert rows(client)[0]["is_open"] is is_open


@pytest.mark.parametrize(
    "hidden",
    [{"session__state": "draft"}, {"session__visibility": "internal"}, {"session__conference__state": "draft"}],
)
def test_admission_to_what_is_not_public_is_not_there(client: Client, hidden: dict[str, str]) -> None:
    admission = AdmissionFactory(**hidden)

    assert rows(client) == []
    assert client.get(f"/api/v1/admissions/{admission.public_id}/").status_code == 404


def test_admissions_stand_with_the_conference_first_and_are_filtered(client: Client) -> None:
    conference = ConferenceFactory(slug="alliance-20", edition=20)
    side_event = SideEventFactory(conference=conference, position=1)
    to_session = AdmissionFactory(session=side_event)
    online = AdmissionFactory(session=None, conference=conference)
    in_person = AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.IN_PERSON)
    dayless = AdmissionFactory(session=SideEventFactory(conference=conference, day=None))
    AdmissionFactory(session__conference__edition=19)

    def found(**parameters: str) -> list[str]:
        return [row["id"] for row in rows(client, **parameters)]

    in_order = [str(row.public_id) for row in (in_person, online, to_session, dayless)]
    assert found(conference="alliance-20") == in_order
    assert found(conference=str(conference.public_id)) == in_order
    assert found(edition="20") == in_order
    assert found(edition="20", mode="in_person") == in_order[:1]
    assert found(session=str(side_event.public_id)) == [str(to_session.public_id)]


@pytest.mark.parametrize("item_count", [1, 3])
def test_admissions_take_one_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, item_count: int
) -> None:
    AdmissionFactory.create_batch(item_count)
    Places.objects.update(capacity=5)

    with django_assert_num_queries(2):
        assert len(rows(client)) == item_count
