"""Who takes an alias is known by the name of before on no video platform."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import time_machine

import outbox.services
from accounts import actors
from events.models import SessionState
from outbox.models import Message
from registration.joining import platform_handlers
from registration.models import Participant
from registration.services import corrections, own_corrections
from tests import factories
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory
from tests.registration.test_delegations import nominate, nominee
from tests.video.fakes.zoom import FakeZoom
from video.models import HostAccount, Meeting, MeetingState, Platform, Registrant, Service
from video.services import rooms

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_now() -> Any:
    """The factories' time."""
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    """A Zoom of the test's own."""
    fake = FakeZoom()
    yield fake
    fake.close()


def webinar(zoom: FakeZoom, admission: Any) -> Meeting:
    """A webinar that is ready for an admission."""
    HostAccount.objects.create(service=Service.ZOOM, label="Office", credentials=zoom.variables, host="host")
    type(admission.session).objects.update(state=SessionState.SCHEDULED)
    made: Meeting = factories.MeetingFactory(
        session=admission.session, platform=Platform.ZOOM_WEBINAR, state=MeetingState.PLANNED, address="",
        allowed_hosts=[],
    )  # fmt: skip
    rooms.order(made.pk, now=NOW)
    work()
    made.refresh_from_db()
    return made


def work() -> None:
    """What clock and worker do."""
    outbox.services.drain("zoom", now=NOW)
    platform_handlers.queue_missing_registrants(now=NOW)
    outbox.services.drain("zoom", now=NOW)


def on_platform(zoom: FakeZoom, meeting: Meeting) -> list[tuple[str, str]]:
    """Names and how they stand."""
    return [(one["first_name"], one["status"]) for one in zoom.people[meeting.provider_id]]


@pytest.mark.django_db(transaction=True)
def test_who_takes_an_alias_is_known_by_the_old_name_on_no_platform(zoom: FakeZoom) -> None:
    admission = AdmissionFactory()
    meeting = webinar(zoom, admission)
    person = ParticipantFactory(conference=admission.conference, given_name="Canary", family_name="Yellow")
    registration = RegistrationFactory(admission=admission, participant=person)
    work()
    before = on_platform(zoom, meeting)

    for alias in ("Wren", "Robin"):
        own = own_corrections.own_data(Participant.objects.select_related("identity_key").get())
        own_corrections.correct(participant_id=person.pk, wanted=replace(own, alias=alias), now=NOW)
        assert Registrant.objects.get().join_url == ""  # nobody comes in by the old place from this instant
        work()
        Registrant.objects.update(adds=0)  # another day

    assert before == [("Canary Yellow", "approved")]
    assert on_platform(zoom, meeting) == [("Canary Yellow", "denied"), ("Wren", "denied"), ("Robin", "approved")]
    assert not zoom.people[meeting.provider_id][-1]["email"].startswith("guest")
    assert Registrant.objects.get().person_id == registration.public_id
    assert not Message.objects.filter(group="zoom").exclude(state="sent").exists()


@pytest.mark.django_db(transaction=True)
def test_who_corrects_their_name_is_known_by_the_former_one_on_no_platform(zoom: FakeZoom) -> None:
    admission = AdmissionFactory()
    meeting = webinar(zoom, admission)
    person = ParticipantFactory(conference=admission.conference, given_name="Canary", family_name="Yellow")
    RegistrationFactory(admission=admission, participant=person)
    work()

    own = own_corrections.own_data(Participant.objects.select_related("identity_key").get())
    own_corrections.correct(participant_id=person.pk, wanted=replace(own, given_name="Wren"), now=NOW)
    work()

    assert on_platform(zoom, meeting) == [("Canary Yellow", "denied"), ("Wren Yellow", "approved")]


@pytest.mark.django_db(transaction=True)
def test_a_member_whose_delegation_corrects_the_name_is_known_by_the_former_one_on_no_platform(zoom: FakeZoom) -> None:
    admission = AdmissionFactory()
    meeting = webinar(zoom, admission)
    delegation = factories.DelegationFactory(conference=admission.conference)
    AdmissionFactory(session=None, conference=admission.conference, mode="in_person")
    [made] = nominate(delegation, nominee(1, given_name="Canary", family_name="Yellow"))
    RegistrationFactory(admission=admission, participant=made.membership.participant)
    work()

    change = corrections.Correction(names=("Wren", "Yellow"))
    corrections.correct(membership_id=made.membership.pk, change=change, by=actors.SYSTEM, now=NOW)
    work()

    assert on_platform(zoom, meeting) == [("Canary Yellow", "denied"), ("Wren Yellow", "approved")]
