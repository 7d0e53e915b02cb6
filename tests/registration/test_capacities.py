"""A capacity below the number of people who have a place: nobody is thrown out, and the organiser is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from accounts.models import RoleKind
from events import programme_checks
from registration.models import Admission, Places, Registration, RegistrationStatus
from tests.factories import NOW, AdmissionFactory, RoleFactory, RoomFactory, SideEventFactory
from tests.registration.people import register

pytestmark = pytest.mark.django_db(transaction=True)

WORDS = (
    "2 more people are confirmed than there are places. Nobody is thrown out; there is no new place until 2 have "
    "cancelled."
)


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def admission() -> Admission:
    """A side event in a room that three people may attend in person, and do."""
    side = SideEventFactory(room=RoomFactory(capacity=50))
    made: Admission = AdmissionFactory(session=side, conference=side.conference, mode="in_person")
    Places.objects.filter(pk=made.pk).update(capacity=3)
    for number in range(3):
        register(made, token=f"t{number}", email=f"p{number}@mail.example")
    return made


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def findings(admission: Admission) -> set[str]:
    """The codes of what the checks find."""
    return {finding.code for finding in programme_checks.run(admission.conference)}


def test_the_organiser_is_told_before_after_and_in_the_list(client: Client, admission: Admission) -> None:
    client.force_login(RoleFactory(kind=RoleKind.ORGANISER, conference=admission.conference).user)
    address = f"/admin/registration/admission/{admission.pk}/capacity/"

    before = client.post(address, {"capacity": "1"})
    assert WORDS in text(before)
    assert Places.objects.get(pk=admission.pk).capacity == 3
    after = client.post(address, {"capacity": "1", "seen": "1"}, follow=True)

    assert WORDS in text(after)
    assert WORDS in text(client.get(address))
    assert "2 too many" in text(client.get("/admin/registration/admission/"))
    assert Registration.objects.filter(status=RegistrationStatus.CONFIRMED).count() == 3
    assert register(admission, token="later", email="later@mail.example").outcomes[0].status == "waitlisted"
    raised = client.post(address, {"capacity": "4"}, follow=True)
    assert "more people" not in text(raised)


def test_the_checks_warn_of_too_few_places_and_of_a_smaller_room(admission: Admission) -> None:
    codes = {"more_confirmed_than_places", "more_confirmed_than_seats"}
    assert not findings(admission) & codes
    Places.objects.filter(pk=admission.pk).update(capacity=2)
    assert findings(admission) & codes == {"more_confirmed_than_places"}
    Places.objects.filter(pk=admission.pk).update(capacity=3)
    assert admission.session is not None
    assert admission.session.room is not None
    admission.session.room.capacity = 2
    admission.session.room.save()
    assert findings(admission) & codes == {"more_confirmed_than_seats"}
