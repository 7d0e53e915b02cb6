"""The search of the admin: what is found, for whom, and never by an address."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from events.models import Conference
from registration.door import codes
from tests import factories

pytestmark = pytest.mark.django_db

WORD = "Zzyzx"


def place(word: str) -> tuple[Conference, Any]:
    """A conference with a row of each kind that can be found; its message."""
    conference = factories.ConferenceFactory(title={"en": f"{word} conference"})
    session = factories.SideEventFactory(conference=conference, title={"fr": f"{word} à côté"})
    factories.ContributionFactory(session=session, person=factories.PersonFactory(display_name=f"Ada {word}"))
    admission = factories.AdmissionFactory(session=session)
    person = factories.ParticipantFactory(conference=conference, display_name=f"Guest {word}", email="her@mail.example")
    registration = factories.RegistrationFactory(admission=admission, participant=person)
    factories.DelegationFactory(conference=conference, country=factories.CountryFactory(name={"en": f"Land of {word}"}))
    return conference, factories.MessageFactory(about_kind="registration", about_id=registration.public_id)


def search(client: Client, text: str) -> dict[str, list[str]]:
    """What is found: labels by kind."""
    page = client.get(reverse("admin:search"), {"q": text})
    assert page.status_code == 200
    for group in page.context["groups"]:
        for hit in group.hits:
            assert client.get(hit.url).status_code == 200
    return {str(group.title): [hit.label for hit in group.hits] for group in page.context["groups"]}


def organiser_of(conference: Conference, kind: str = "organiser") -> Client:
    """A browser in which somebody with a role is signed in."""
    client = Client()
    client.force_login(factories.RoleFactory(conference=conference, kind=kind).user)
    return client


def test_finds_what_a_role_may_see_and_nothing_of_other_conferences() -> None:
    own, message = place(WORD)
    _other, foreign = place(f"{WORD}2")

    found = search(organiser_of(own), WORD.lower())

    assert found.pop("People who speak") == [f"Ada {WORD}", f"Ada {WORD}2"]  # one directory for the whole house
    assert found == {
        "Conferences": [f"{WORD} conference"],
        "Sessions": [f"{WORD} à côté"],
        "Registrations": [f"Guest {WORD}"],
        "Delegations": [f"Land of {WORD}"],
    }
    assert list(search(organiser_of(own), str(message.public_id))) == ["Messages"]
    assert list(search(organiser_of(own), str(message.about_id))) == ["Registrations", "Messages"]
    assert search(organiser_of(own), str(foreign.public_id)) == {}
    assert search(organiser_of(own), str(foreign.about_id)) == {}
    assert set(search(organiser_of(own, "viewer"), WORD)) == {"Conferences", "Sessions", "Delegations"}
    assert set(search(organiser_of(own, "desk"), WORD)) == {"Conferences", "Sessions", "Registrations", "Delegations"}


def test_a_person_is_found_by_the_code_on_the_badge() -> None:
    own, _message = place(WORD)
    person = own.participants.get()
    code = codes.ensure([person])[person.pk]

    assert search(organiser_of(own), codes.shown(code)) == {"Registrations": [f"Guest {WORD}"]}
    assert search(organiser_of(factories.ConferenceFactory()), code) == {}


def test_nobody_is_found_by_an_address() -> None:
    own, _message = place(WORD)
    client = organiser_of(own)

    page = client.get(reverse("admin:search"), {"q": "her@mail.example"})

    assert page.context["groups"] == []
    assert "Nobody is found by an address here." in page.text
    assert search(client, "mail.example") == {}
    assert search(client, "Z") == {}


def test_costs_the_same_for_one_row_and_for_many() -> None:
    own, _message = place(WORD)
    client = organiser_of(own)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("admin:search"), {"q": WORD})
        return len(queries)

    cost()
    one = cost()
    for number in range(12):
        factories.SessionFactory(conference=own, title={"en": f"{WORD} {number}"})

    assert cost() == one
    page = client.get(reverse("admin:search"), {"q": WORD})
    assert [len(group.hits) for group in page.context["groups"] if group.more_url] == [10]
    assert client.get(next(group.more_url for group in page.context["groups"] if group.more_url)).status_code == 200


def test_strangers_are_asked_to_sign_in(client: Client) -> None:
    assert client.get(reverse("admin:search"), {"q": WORD}).status_code == 302
