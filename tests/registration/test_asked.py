"""What a form asks for with a known address waits for the owner of the address, and shows nobody that it is known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from outbox.models import Message
from registration.models import Admission, AskedFor, Participant, Registration, RegistrationStatus
from registration.services import asked, confirming, erasure, own_data
from tests.factories import NOW, AdmissionFactory, ConferenceFactory, SideEventFactory
from tests.registration.people import register

pytestmark = pytest.mark.django_db

KNOWN = "registration.known_address"


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def events() -> list[Admission]:
    """Three side events of one conference; somebody is registered for the first, under an alias."""
    conference = ConferenceFactory()
    made: list[Admission] = [
        AdmissionFactory(session=SideEventFactory(conference=conference), capacity=1) for _n in range(3)
    ]
    register(made[0], token="first", alias="Wren")
    return made


def state() -> list[Any]:
    """Everything that organisers could see: registrations, trail, people."""
    return [
        list(Registration.objects.order_by("pk").values()),
        list(AuditEntry.objects.order_by("pk").values()),
        list(Participant.objects.order_by("pk").values()),
    ]


def test_nothing_that_organisers_see_changes_until_the_owner_confirms(client: Client, events: list[Admission]) -> None:
    before = state()

    register(events[0], events[1], token="second", given_name="Somebody", family_name="Else")

    person = Participant.objects.get()
    assert state() == before
    assert [wish.admission for wish in asked.pending(person, now=NOW)] == [events[1]]
    page = client.get(f"/r/{person.personal_token}/").content.decode()
    assert events[1].session is not None
    assert str(events[1].session.title) in page
    wish = AskedFor.objects.get()
    for _twice in range(2):
        done = client.post(f"/r/{person.personal_token}/asked/", {"answer": "confirm", "asked": str(wish.public_id)})
        assert done["Location"].endswith("/?done=asked")
    assert [(one.admission, one.status) for one in Registration.objects.order_by("pk")] == [
        (events[0], RegistrationStatus.CONFIRMED),
        (events[1], RegistrationStatus.CONFIRMED),
    ]
    assert AuditEntry.objects.filter(action="registration.received").count() == 2


def test_no_place_is_held_and_the_seat_goes_by_the_moment_of_confirming(events: list[Admission]) -> None:
    register(events[1], token="second")
    register(events[1], token="other", email="next@mail.example")

    person = Participant.objects.earliest("pk")
    [wish] = asked.pending(person, now=NOW)
    done = confirming.confirm(participant_id=person.pk, public_ids={wish.public_id}, now=NOW)

    assert done == confirming.Confirmed(registered=1)
    mine = Registration.objects.get(participant=person, admission=events[1])
    assert (mine.status, mine.position) == (RegistrationStatus.WAITLISTED, 1)


def test_each_new_wish_is_told_at_once_and_a_repeat_once_an_hour(events: list[Admission]) -> None:
    for token, chosen in (("a", events[1]), ("b", events[1]), ("c", events[2]), ("d", events[2]), ("e", events[0])):
        register(chosen, token=token)

    assert AskedFor.objects.count() == 2
    assert Message.objects.filter(topic=KNOWN).count() == 3  # two new wishes, and the hour's for the repeats


def test_what_is_dropped_late_or_closed_is_not_registered(client: Client, events: list[Admission]) -> None:
    register(events[1], events[2], token="second")
    person = Participant.objects.get()
    wish, other = asked.pending(person, now=NOW)
    Admission.objects.filter(pk=wish.admission_id).update(is_closed=True)

    done = client.post(f"/r/{person.personal_token}/asked/", {"answer": "confirm", "asked": str(wish.public_id)})
    dropped = client.post(f"/r/{person.personal_token}/asked/", {"answer": "drop", "shown": str(other.public_id)})
    register(events[2], token="third")
    late = confirming.confirm(
        participant_id=person.pk, public_ids={AskedFor.objects.get().public_id}, now=NOW + asked.VALID
    )

    assert done["Location"].endswith("/?done=asked-closed")
    assert dropped["Location"].endswith("/?done=asked-dropped")
    assert late == confirming.Confirmed()
    assert Registration.objects.count() == 1
    assert asked.forget(now=NOW + asked.VALID) == 1


def test_wishes_are_the_owners_alone(client: Client, events: list[Admission]) -> None:
    register(events[1], token="second")
    register(events[2], token="other", email="next@mail.example")
    other = Participant.objects.latest("pk")
    wish = AskedFor.objects.get()

    client.post(f"/r/{other.personal_token}/asked/", {"answer": "confirm", "asked": [str(wish.public_id), "no id"]})
    client.post(f"/r/{other.personal_token}/asked/", {"answer": "drop", "shown": str(wish.public_id)})
    foreign = client.post(f"/r/{wish.participant.personal_token}/asked/", {}, headers={"Sec-Fetch-Site": "cross-site"})

    assert AskedFor.objects.get() == wish
    assert foreign.status_code == 403
    assert not other.registrations.filter(admission=events[1]).exists()


def test_of_two_ways_to_attend_one_thing_the_later_wish_counts(events: list[Admission]) -> None:
    online = AdmissionFactory(session=events[1].session, conference=events[1].conference, mode="in_person")

    register(events[1], token="second")
    register(online, token="third")

    assert [wish.admission for wish in AskedFor.objects.all()] == [online]


def test_the_copy_names_a_wish_and_erasing_forgets_it(events: list[Admission]) -> None:
    register(events[1], token="second")
    person = Participant.objects.select_related("conference", "country", "identity_key").get()

    sections = {section.key: section for section in own_data.collect(person, now=NOW + timedelta(hours=1))}
    erasure.erase(participant_id=person.pk, by=actors.SYSTEM, now=NOW)

    assert len(sections["asked"].records) == 1
    assert not AskedFor.objects.exists()
