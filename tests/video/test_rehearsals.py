"""Rehearsals: participants get nothing while one runs, and everything exactly once after it."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.core import mail
from django.test import Client

import outbox.services
import registration.services
from accounts.actors import SYSTEM
from accounts.models import User
from events.admin import pages
from outbox.models import Message, MessageState
from outbox.results import Mail
from registration.joining import rehearsals
from registration.letters import emails, messages
from registration.models import Admission, Registration, Rehearsal
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, StaffFactory
from tests.video.fakes.zoom import FakeZoom
from tests.video.test_people import ADD, confirmed, meeting, work
from video.models import Meeting, Registrant, RegistrantState
from video.services import OpenDoor

__all__ = ["meeting"]
HOUR = timedelta(hours=1)


@pytest.fixture
def organiser(transactional_db: None) -> User:
    """Somebody with an address."""
    found: User = StaffFactory(email="organiser@office.example", name="Olga")
    return found


def queued(one: Registration) -> None:
    """The mails about a registration, as the services queue them."""
    one.admission.refresh_from_db()
    outbox.services.queue(messages.about_form(one.participant, [one], now=NOW))


def drain(at: Any) -> None:
    """What workers do."""
    for group in ("mail", "zoom"):
        outbox.services.drain(group, now=at)


def test_nobody_gets_anything_during_it_and_everybody_once_after_it(
    meeting: Meeting, zoom: FakeZoom, organiser: User, settings: Any
) -> None:
    people = [confirmed(meeting) for _again in range(3)]
    stranger = RegistrationFactory(admission=AdmissionFactory())
    rehearsal = rehearsals.begin(
        conference=people[0].admission.conference, organiser=organiser, hours=2, by=SYSTEM, now=NOW
    )
    with pytest.raises(rehearsals.RehearsalRuns):
        rehearsals.begin(conference=rehearsal.conference, organiser=organiser, hours=2, by=SYSTEM, now=NOW)
    everybody: list[Registration] = [*people, stranger]
    for one in everybody:
        queued(one)
    work()
    for _again in range(3):
        drain(NOW)

    own = {one.participant.open_identity().email for one in people}
    foreign = stranger.participant.open_identity().email
    to = [address for message in mail.outbox for address in message.to]
    assert not own & set(to)
    assert to.count(foreign) == 1, "another conference goes on"
    copies = [message for message in mail.outbox if message.to == [organiser.email]]
    assert len(copies) == 3, "the mail that is due to each"
    for message in copies:
        content = str(message.message())
        assert message.subject.startswith("[Rehearsal] ")
        assert not any(address in content for address in own)
        assert not any(one.participant.personal_token in message.body for one in people)
        assert not message.attachments
    assert zoom.calls(ADD) == []
    assert rehearsals.held(rehearsal) == 6

    mail.outbox.clear()
    assert rehearsals.end(rehearsal, by=SYSTEM, now=NOW + HOUR) == 6
    for _again in range(2):
        drain(NOW + HOUR)
        rehearsals.end_overdue(now=NOW + HOUR)
    assert sorted(address for message in mail.outbox for address in message.to) == sorted(own)
    assert len(zoom.calls(ADD)) == 3
    assert not any("[Rehearsal]" in message.subject for message in mail.outbox)


def test_rehearsal_ends_by_itself_and_lets_go_what_was_held_a_moment_late(meeting: Meeting, organiser: User) -> None:
    one = confirmed(meeting)
    rehearsal = rehearsals.begin(conference=one.admission.conference, organiser=organiser, hours=99, by=SYSTEM, now=NOW)
    assert rehearsal.until == NOW + timedelta(hours=24)
    queued(one)
    drain(NOW)
    assert rehearsals.end_overdue(now=NOW + 23 * HOUR) == 0
    assert rehearsals.end_overdue(now=NOW + 24 * HOUR) == 2
    Message.objects.filter(topic=messages.FORM).update(state=MessageState.HELD)  # by a worker that had asked before
    assert rehearsals.end_overdue(now=NOW + 25 * HOUR) == 1
    assert not Message.objects.filter(state=MessageState.HELD).exists()
    mail.outbox.clear()
    drain(NOW + 25 * HOUR)
    assert [message.to for message in mail.outbox] == [[one.participant.open_identity().email]]


def test_link_in_a_copy_leads_the_organiser_in_alone_and_only_while_it_lasts(
    meeting: Meeting, zoom: FakeZoom, organiser: User
) -> None:
    one = confirmed(meeting)
    rehearsal = rehearsals.begin(conference=one.admission.conference, organiser=organiser, hours=2, by=SYSTEM, now=NOW)
    real = f"https://testserver/join/{one.join_token}/"
    text = f"{registration_address(one)} and {real}"
    letter = Mail("a@mail.example", "Subject", text, f'<a href="{registration_address(one)}">')
    made = rehearsals.copy_of(letter, rehearsal)
    assert made is not None
    token = rehearsals.token_of(rehearsal, one.admission)
    assert one.join_token not in made.text.replace(real, "")
    assert made.text.startswith(registration_address(one).replace(one.join_token, token))
    assert token in made.html

    entry = registration.services.enter(token=token, now=NOW, joining=True)
    assert entry is not None
    assert isinstance(entry.door, OpenDoor)
    assert [person["email"] for person in zoom.people[meeting.provider_id]] == [organiser.email]
    rehearsals.end(rehearsal, by=SYSTEM, now=NOW + HOUR)
    drain(NOW + HOUR)
    assert registration.services.enter(token=token, now=NOW + HOUR, joining=True) is None
    assert Registrant.objects.get(person_id=rehearsal.public_id).state == RegistrantState.REMOVED
    assert zoom.people[meeting.provider_id][0]["status"] == "denied"


def registration_address(one: Registration) -> str:
    """The address in mails."""
    return str(emails.join_address(one))


def test_copies_have_an_end(meeting: Meeting, organiser: User) -> None:
    one = confirmed(meeting)
    rehearsal = rehearsals.begin(conference=one.admission.conference, organiser=organiser, hours=1, by=SYSTEM, now=NOW)
    Rehearsal.objects.update(copies=rehearsals.MOST_COPIES)
    assert rehearsals.copy_of(Mail("a@mail.example", "Subject", "Text"), rehearsal) is None


@pytest.mark.django_db
def test_page_begins_and_ends_it_and_every_page_says_so(client: Client) -> None:
    admission = AdmissionFactory()
    conference = admission.conference
    ParticipantFactory(conference=conference)
    client.force_login(StaffFactory())
    address = pages.url("rehearsal", conference)

    assert client.post(address, {"begin": "1", "hours": "25"}).status_code == 200
    assert not Rehearsal.objects.exists()
    assert client.post(address, {"begin": "1", "hours": "1"}).status_code == 302
    shown = client.get(address).content.decode()
    assert "participants get nothing" in shown
    assert "/join/" in shown
    assert "participants get nothing" in client.get("/admin/").content.decode()
    assert client.post(address, {"begin": "1", "hours": "1"}).status_code == 302
    assert client.post(address, {"end": "1"}).status_code == 302
    assert "participants get nothing" not in client.get(address).content.decode()
    assert Rehearsal.objects.get().ended_at is not None


@pytest.mark.parametrize(
    ("before", "hours"), [(timedelta(hours=30), 24), (timedelta(hours=5), 4), (timedelta(minutes=90), 0)]
)
def test_it_ends_an_hour_before_a_door_opens(meeting: Meeting, organiser: User, before: timedelta, hours: int) -> None:
    one = confirmed(meeting)
    window = Admission.objects.with_meeting().get(pk=one.admission_id).join_window
    assert window is not None
    now = window[0] - before
    begin = partial(rehearsals.begin, conference=one.admission.conference, organiser=organiser, hours=24, by=SYSTEM)

    if hours:
        assert begin(now=now).until == now + timedelta(hours=hours)
    else:
        with pytest.raises(rehearsals.DoorIsNear):
            begin(now=now)
    with pytest.raises(rehearsals.DoorIsNear):
        begin(now=window[1] - timedelta(minutes=1))
