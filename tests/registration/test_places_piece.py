"""The live places beside a session's page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from events.models import SessionState
from registration import selectors
from registration.models import AttendanceMode
from tests.factories import NOW, AdmissionFactory, RegistrationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    selectors.forget()


def words(client: Client, path: str) -> str:
    """The piece as a reader sees it."""
    response = client.get(path)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_places_are_counted_live(client: Client) -> None:
    admission = AdmissionFactory(capacity=3)
    path = f"/en/{admission.conference.slug}/places/{admission.session.slug}/"
    assert words(client, path) == "All 3 places are free"

    RegistrationFactory(admission=admission)

    assert words(client, path) == "2 of 3 places left"


def test_places_of_several_ways_are_named(client: Client) -> None:
    online = AdmissionFactory(capacity=3)
    AdmissionFactory(session=online.session, conference=online.conference, mode=AttendanceMode.IN_PERSON, capacity=1)

    text = words(client, f"/en/{online.conference.slug}/places/{online.session.slug}/")

    assert "In person The only place is free" in text
    assert "On-line All 3 places are free" in text


def test_places_without_a_limit_say_nothing(client: Client) -> None:
    admission = AdmissionFactory()

    assert words(client, f"/en/{admission.conference.slug}/places/{admission.session.slug}/") == ""


def test_places_of_what_strangers_may_not_see_say_nothing(client: Client) -> None:
    admission = AdmissionFactory(capacity=3, session__state=SessionState.DRAFT)

    assert words(client, f"/en/{admission.conference.slug}/places/{admission.session.slug}/") == ""
    assert client.get("/en/no-such-conference/places/no-such-session/").status_code == 404
