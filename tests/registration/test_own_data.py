"""One's own data: a copy of all of it and of nobody else's, and erasure at one's own wish with one last mail."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.db import connection
from django.test import Client

from accounts import actors
from outbox.models import Message, MessageState
from outbox.results import Mail, Superseded
from registration import services
from registration.models import Farewell, Participant, Purpose, Registration, RegistrationStatus
from registration.personal import mails as own_mails
from registration.services import addresses, consents, erasure, farewells, own_data
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, ParticipantFactory, RegistrationFactory
from tests.registration.people import register
from tests.registration.test_erasure import CANARIES, tables_with

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def canary() -> Participant:
    """Somebody whose every word is a canary, with a consent, a new address on its way, and others around."""
    conference = ConferenceFactory()
    consents.ask_for(conference=conference, purposes=[Purpose.PHOTO], by=actors.SYSTEM, now=NOW)
    admission = AdmissionFactory(session=None, conference=conference, capacity=1)
    register(
        admission,
        token="canary",
        given_name="Canarina",
        family_name="Gelbvogel",
        email="canarina.mail@mail.example",
        organisation_text="Zwitscherbund",
        function="Singmeisterin",
        interpretation_language="Kanarisch",
        accessibility_needs="Rampe-Zeisig",
        consents=("photo",),
    )
    person = Participant.objects.get()
    register(admission, token="other", email="next@mail.example", given_name="Strangername")
    addresses.ask(participant_id=person.pk, address="gelbvogel.neu@mail.example", now=NOW)
    return person


def page_of(participant: Participant, rest: str = "") -> str:
    """A page of the participant's own."""
    return f"/r/{participant.personal_token}/{rest}"


# --- a copy -----------------------------------------------------------------------------------------------------------


def test_copy_holds_all_of_the_person_and_nothing_of_others(client: Client, canary: Participant) -> None:
    file = client.get(page_of(canary, "data.json"))
    page = client.get(page_of(canary, "data/"))

    data = json.loads(file.content)
    [person] = data["person"]
    assert (person["given_name"], person["email"]) == ("Canarina", "canarina.mail@mail.example")
    assert person["new_email"] == "gelbvogel.neu@mail.example"
    assert [one["status"] for one in data["registrations"]] == ["Confirmed"]
    assert [(one["purpose"], one["given"]) for one in data["consents"]] == [("Photographs", True)]
    assert {"registration.received", addresses.NOTICE, addresses.CONFIRM} <= {one["about"] for one in data["mails"]}
    assert {one["what"] for one in data["history"]} >= {"registration.received", "consent.given"}
    assert "The registration came in" in page.content.decode()  # in words for people, in codes for programs
    assert "registration.received" not in page.content.decode()
    for word in (*CANARIES, "gelbvogel.neu"):
        assert word in file.content.decode()
        assert word in page.content.decode()
    for response in (file, page):
        assert "Strangername" not in response.content.decode()
        assert response["Cache-Control"] == "no-store"
    assert file["Content-Disposition"] == 'attachment; filename="my-data.json"'


def test_copy_under_an_alias_tells_its_owner_the_own_name_and_nobody_else(client: Client) -> None:
    person = ParticipantFactory(given_name="Xantippa", display_name="Speaker A", has_alias=True)

    assert "Xantippa" in client.get(page_of(person, "data/")).content.decode()
    assert client.get("/r/wrong/data.json").status_code == 404


def test_nothing_is_handed_out_of_somebody_erased(client: Client) -> None:
    person = ParticipantFactory()
    person.identity_key.delete()

    codes = [client.get(page_of(person, rest)).status_code for rest in ("data/", "data.json", "correct/")]

    assert codes == [404, 404, 404]


# --- erasing ----------------------------------------------------------------------------------------------------------


def test_looking_at_the_page_erases_nothing_and_a_foreign_page_neither(client: Client, canary: Participant) -> None:
    page = client.get(page_of(canary, "delete/"))
    foreign = client.post(page_of(canary, "delete/"), headers={"Sec-Fetch-Site": "cross-site"})

    assert "1 registration that stands" in page.content.decode()
    assert foreign.status_code == 403
    assert services.find_personal(canary.personal_token) == canary


def test_erasing_leaves_no_canary_once_the_last_mail_has_left(client: Client, canary: Participant) -> None:
    responses = [client.post(page_of(canary, "delete/")) for _n in "twice"]

    assert {(one.status_code, one["Location"].partition("?")[0]) for one in responses} == {(303, "/r/deleted/")}
    assert all("proof=" in one["Location"] for one in responses)
    assert client.get("/r/deleted/").status_code == 200
    assert client.get(page_of(canary)).status_code == 404
    following = Registration.objects.exclude(participant=canary).get()
    assert following.status == RegistrationStatus.CONFIRMED
    assert tables_with(*CANARIES, "gelbvogel.neu") == set()  # the one address that is left is encrypted

    [message] = Message.objects.filter(topic=farewells.TOPIC)
    mail = own_mails.say_farewell(message, now=NOW)
    assert isinstance(mail, Mail)
    assert mail.to == "canarina.mail@mail.example"
    assert not any(word in mail.subject + mail.text for word in ("Canarina", "Gelbvogel"))
    code = parse_qs(urlsplit(responses[0]["Location"]).query)["proof"][0]
    assert code in mail.text
    (address,) = re.findall(r"https?://\S+/r/deleted/\S+", mail.text)
    assert code in client.get(address).content.decode()
    assert Farewell.objects.filter(proof__contains=code.replace("-", "")).count() == 0  # encrypted
    assert str(canary.public_id) not in json.dumps([message.key, message.details, str(message.about_id)])
    assert farewells.forget(now=NOW) == 0  # it is still on its way
    Message.objects.filter(pk=message.pk).update(state=MessageState.SENT, finished_at=NOW)
    assert farewells.forget(now=NOW) == 1
    assert not Farewell.objects.exists()
    assert isinstance(own_mails.say_farewell(message, now=NOW), Superseded)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_address_of_the_last_mail_goes_after_a_day_whatever_became_of_it(canary: Participant) -> None:
    own_data.erase(canary, now=NOW)

    assert farewells.forget(now=NOW + timedelta(hours=23)) == 0
    assert farewells.forget(now=NOW + timedelta(hours=24)) == 1


def test_erasing_by_an_organiser_sends_no_last_mail(canary: Participant) -> None:
    erasure.erase(participant_id=canary.pk, by=actors.SYSTEM, now=NOW)

    assert not Farewell.objects.exists()
    assert not Message.objects.filter(topic=farewells.TOPIC).exists()


def test_dead_link_says_nothing_about_anybody(client: Client) -> None:
    registration = RegistrationFactory()
    own_data.erase(registration.participant, now=NOW)

    dead = client.post(page_of(registration.participant, "delete/"))
    never = client.post("/r/never-was/delete/")

    assert (dead.status_code, dead["Location"]) == (never.status_code, never["Location"]) == (303, "/r/deleted/")
    assert client.get(page_of(registration.participant, "delete/")).status_code == 404
