"""The door to a meeting: what a join link says and does at every moment, and that the address never shows."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from cryptography.fernet import Fernet
from django.test import Client
from django.utils import timezone

import video.services
from accounts.actors import SYSTEM
from outbox.models import Message, MessageState
from registration import services
from registration.letters import messages
from registration.models import JoinNetwork, Registration, RegistrationStatus
from tests.factories import (
    AdmissionFactory,
    MaterialFactory,
    MeetingFactory,
    MessageFactory,
    RegistrationFactory,
    SideEventFactory,
)
from video.models import Meeting, MeetingState

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db

SECRETS = ("provider.example", "canary-room")
STARTS_AT = datetime.fromisoformat("2030-07-15T09:00:00+00:00")  # of every session the factories make


@pytest.fixture
def registration(db: None) -> Registration:
    """Somebody confirmed, with a meeting that is ready. The session begins at 09:00 UTC, the door opens at 08:45."""
    admission = AdmissionFactory()
    MeetingFactory(session=admission.session)
    made: Registration = RegistrationFactory(admission=admission)
    return made


def door_of(registration: Registration) -> str:
    """The join link."""
    return f"/join/{registration.join_token}/"


def at(minutes: int) -> Any:
    """Travel to so many minutes after the start of the session."""
    return time_machine.travel(STARTS_AT + timedelta(minutes=minutes), tick=False)


def text(response: Any) -> str:
    """The page without its markup, with single blanks."""
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def assert_shut(client: Client, registration: Registration, words: str) -> None:
    """Looking says why, the button is not there, and pressing it all the same leads nowhere."""
    for response in (client.get(door_of(registration)), client.post(door_of(registration))):
        assert response.status_code == 200
        assert words in text(response)
        assert "Join now" not in text(response)
        assert "Location" not in response
        for secret in SECRETS:
            assert secret not in response.content.decode() + str(response.headers)
    registration.refresh_from_db()
    assert registration.joined_at is None


# --- open -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-15, 0, 59])
def test_door_in_its_window_shows_a_button_and_leads_in(
    client: Client, registration: Registration, minutes: int
) -> None:
    with at(minutes):
        looked = client.get(door_of(registration))
        pressed = client.post(door_of(registration))

    assert "Join now" in text(looked)
    assert not any(secret in looked.content.decode() + str(looked.headers) for secret in SECRETS)
    assert pressed.status_code == 303
    assert pressed["Location"] == "https://meet.provider.example/canary-room"
    assert pressed.content == b""
    for response in (looked, pressed):
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert not response.cookies


def test_door_notes_the_first_time_only_and_only_when_the_button_is_pressed(
    client: Client, registration: Registration
) -> None:
    with at(1):
        client.get(door_of(registration))
        registration.refresh_from_db()
        assert registration.joined_at is None
        client.post(door_of(registration))
    with at(20):
        client.post(door_of(registration))

    registration.refresh_from_db()
    assert registration.joined_at == STARTS_AT + timedelta(minutes=1)


def test_door_allows_the_form_to_end_at_another_site_without_naming_it(
    client: Client, registration: Registration
) -> None:
    with at(0):
        policy = client.get(door_of(registration))["Content-Security-Policy"]

    assert re.search(r"form-action 'self' https:(;|$)", policy)


def test_door_speaks_the_language_of_the_participant(client: Client, registration: Registration) -> None:
    registration.participant.language = "de"
    registration.participant.save()

    with at(0):
        response = client.get(door_of(registration))

    assert response["Content-Language"] == "de"
    assert '<html lang="de"' in response.content.decode()


def test_door_shows_the_alias_only(client: Client, registration: Registration) -> None:
    participant = registration.participant
    participant.display_name, participant.has_alias = "Speaker A", True
    participant.save()

    with at(0):
        page = text(client.get(door_of(registration)))

    assert "There you appear as Speaker A." in page
    assert "Grace" not in page


def test_door_does_not_lead_to_the_personal_page(client: Client, registration: Registration) -> None:
    with at(0):
        body = client.get(door_of(registration)).content.decode()

    assert registration.participant.personal_token not in body
    assert "/r/" not in body


# --- shut -------------------------------------------------------------------------------------------------------------


def test_door_too_early_says_when_it_opens(client: Client, registration: Registration) -> None:
    with at(-16):
        assert_shut(client, registration, "Monday 15 July 2030 10:45 Vienna time (CEST, UTC+2)")


def test_door_too_late_says_it_is_over(client: Client, registration: Registration) -> None:
    with at(60):
        assert_shut(client, registration, "The meeting is over")


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("waitlisted", "You are on the waiting list."),
        ("pending", "Your registration awaits approval."),
        ("cancelled", "This registration has been cancelled."),
        ("rejected", "This registration has no place at the meeting."),
        ("offered", "A place is offered to you."),
    ],
)
def test_door_is_shut_for_everybody_without_a_place(client: Client, status: str, words: str) -> None:
    admission = AdmissionFactory()
    MeetingFactory(session=admission.session)
    registration = RegistrationFactory(admission=admission, status=status)

    with at(0):
        assert_shut(client, registration, words)


def test_door_is_shut_for_people_who_come_in_person(client: Client, registration: Registration) -> None:
    in_person = RegistrationFactory(
        admission=AdmissionFactory(session=registration.admission.session, mode="in_person")
    )

    with at(0):
        assert_shut(client, in_person, "You are registered to come in person")


def _plan(meeting: Meeting) -> None:
    meeting.state = MeetingState.PLANNED


def _break(meeting: Meeting) -> None:
    meeting.state = MeetingState.BROKEN


def _elsewhere(meeting: Meeting) -> None:
    meeting.allowed_hosts = ["other.example"]


def _unknown_platform(meeting: Meeting) -> None:
    meeting.platform = "webex"


@pytest.mark.parametrize("change", [_plan, _break, _elsewhere, _unknown_platform])
def test_door_without_a_working_meeting_says_in_a_moment(
    client: Client, registration: Registration, change: Callable[[Meeting], None]
) -> None:
    meeting = Meeting.objects.get()
    change(meeting)
    meeting.save()

    with at(0):
        assert_shut(client, registration, "The meeting will open in a moment")
        body = client.get(door_of(registration)).content.decode()

    assert 'data-door="NotReady"' in body
    assert "registration.js" in body
    assert '<noscript><meta http-equiv="refresh" content="15"></noscript>' in body


def test_door_of_a_session_without_meeting_says_in_a_moment(client: Client, registration: Registration) -> None:
    Meeting.objects.all().delete()

    with at(0):
        assert_shut(client, registration, "The meeting will open in a moment")


def test_door_whose_address_cannot_be_read_says_in_a_moment(
    client: Client, registration: Registration, settings: Settings
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with at(0):
        assert_shut(client, registration, "The meeting will open in a moment")


def test_door_of_a_session_without_time_says_so(client: Client) -> None:
    session = SideEventFactory(starts_at=None, ends_at=None)
    MeetingFactory(session=session)
    registration = RegistrationFactory(admission=AdmissionFactory(session=session))

    assert_shut(client, registration, "The time is not known yet")


@pytest.mark.parametrize("cancelled", ["meeting", "session", "conference"])
def test_door_of_what_is_cancelled_says_so(client: Client, registration: Registration, cancelled: str) -> None:
    session = registration.admission.session
    assert session is not None
    thing: Any = {"meeting": Meeting.objects.get(), "session": session, "conference": session.conference}[cancelled]
    thing.state = "cancelled"
    thing.save()

    with at(0):
        assert_shut(client, registration, "The meeting will not take place")


def test_door_to_a_whole_conference_follows_the_hours_of_its_meeting(client: Client) -> None:
    admission = AdmissionFactory(session=None)
    opens_at = datetime.fromisoformat("2030-07-15T06:00:00+00:00")
    MeetingFactory(
        session=None, conference=admission.conference, opens_at=opens_at, closes_at=opens_at + timedelta(days=3)
    )
    registration = RegistrationFactory(admission=admission)

    with time_machine.travel(opens_at, tick=False):
        assert client.post(door_of(registration)).status_code == 303


# --- strangers and scanners -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "%F0%9F%92%A9", "a" * 5000])
def test_door_with_an_unknown_token_is_not_found(client: Client, registration: Registration, token: str) -> None:
    with at(0):
        assert client.get(f"/join/{token}/").status_code == 404
        assert client.post(f"/join/{token}/").status_code == 404


def test_door_does_not_open_with_the_token_of_the_personal_page(client: Client, registration: Registration) -> None:
    with at(0):
        assert client.post(f"/join/{registration.participant.personal_token}/").status_code == 404


def test_door_is_refused_from_foreign_pages(client: Client, registration: Registration) -> None:
    with at(0):
        response = client.post(door_of(registration), headers={"Sec-Fetch-Site": "cross-site"})

    assert response.status_code == 403


@pytest.mark.parametrize("query", ["next=https://evil.example", "lang=//evil.example", "url=//evil.example%00"])
@pytest.mark.parametrize("host", ["testserver", "evil.example"])
def test_door_leads_to_the_stored_address_only(
    client: Client, registration: Registration, query: str, host: str
) -> None:
    with at(0):
        response = client.post(f"{door_of(registration)}?{query}", headers={"Host": host})

    assert response.status_code in {303, 400}
    assert response.get("Location", "https://meet.provider.example/canary-room") == (
        "https://meet.provider.example/canary-room"
    )


def test_link_scanners_change_nothing_at_the_door(client: Client, registration: Registration) -> None:
    before = list(Registration.objects.values())

    with at(0):
        for _n in range(25):
            assert client.get(door_of(registration)).status_code == 200
            assert client.head(door_of(registration)).status_code == 200

    assert list(Registration.objects.values()) == before


def test_the_address_stands_in_no_log(
    client: Client, registration: Registration, caplog: pytest.LogCaptureFixture
) -> None:
    with at(0), caplog.at_level(logging.DEBUG):
        client.get(door_of(registration))
        client.post(door_of(registration))
        meeting = Meeting.objects.get()
        meeting.allowed_hosts = ["other.example"]
        meeting.save()
        client.post(door_of(registration))

    records = [record for record in caplog.records if record.name != "django.db.backends"]
    written = "".join(str(record.__dict__) for record in records)
    for secret in (*SECRETS, registration.join_token):
        assert secret not in written


def test_attended_people_may_come_back(client: Client, registration: Registration) -> None:
    registration.status = RegistrationStatus.ATTENDED
    registration.save()

    with at(0):
        assert client.post(door_of(registration)).status_code == 303


# --- what the page knows besides --------------------------------------------------------------------------------------


def told(registration: Registration, opens_at: datetime) -> None:
    """The mail with the link has left, and spoke of this opening."""
    MessageFactory(
        topic=messages.JOIN_LINK,
        about_kind="registration",
        about_id=registration.public_id,
        state=MessageState.SENT,
        finished_at=opens_at,
        details={"opens_at": opens_at.isoformat()},
    )


def test_door_counts_down_in_words_and_goes_on_without_javascript(client: Client, registration: Registration) -> None:
    with at(-15 - 125):
        early = client.get(door_of(registration))
    with at(-15) as travel:
        travel.shift(-20)
        late = client.get(door_of(registration))

    assert "Time left: 2 hours, 5 minutes." in text(early)
    assert 'http-equiv="refresh" content="300"' in early.content.decode()
    assert "Less than a minute is left." in text(late)
    assert 'http-equiv="refresh" content="20"' in late.content.decode()
    assert 'data-looks-again="20"' in late.content.decode()
    assert "The time has changed" not in text(early)


def test_door_of_somebody_in_line_looks_again_and_of_what_has_ended_does_not(
    client: Client, registration: Registration
) -> None:
    with at(-5):
        Registration.objects.update(status="cancelled", cancelled_at=timezone.now())
        ended = client.get(door_of(registration)).content.decode()
        waiting = RegistrationFactory(admission=registration.admission, status="pending")
        pending = client.get(door_of(waiting)).content.decode()

    assert 'data-door="closed-pending" data-looks-again="300"' in pending
    assert "js/registration" in pending
    assert 'data-door="closed-cancelled">' in ended
    assert "js/registration" not in ended


def test_door_says_that_the_session_was_moved(client: Client, registration: Registration) -> None:
    told(registration, STARTS_AT - timedelta(minutes=15))
    with at(-60):
        assert "The time has changed" not in text(client.get(door_of(registration)))
        session = registration.admission.session
        assert session is not None
        session.starts_at = STARTS_AT + timedelta(hours=2)
        session.ends_at = STARTS_AT + timedelta(hours=3)
        session.save()
        moved = text(client.get(door_of(registration)))

    assert "The time has changed since we sent you this link." in moved
    assert "12:45 Vienna time" in moved


def test_door_that_is_over_has_the_recordings_that_are_public(client: Client, registration: Registration) -> None:
    session = registration.admission.session
    assert session is not None
    common = {"conference": session.conference, "session": session, "kind": "recording"}
    MaterialFactory(**common, title={"en": "The whole of it"}, url="https://video.example/1", visibility="after")
    MaterialFactory(**common, title={"en": "Kept back"}, url="https://video.example/2", visibility="never")
    with at(61):
        page = client.get(door_of(registration))

    assert "What was recorded: The whole of it" in text(page)
    assert "video.example/2" not in page.content.decode()


def test_replaced_link_says_so_and_the_new_one_opens(client: Client, registration: Registration) -> None:
    old = door_of(registration)
    with at(-10):
        client.post(old)
        services.links.replace(registration_id=registration.pk, by=SYSTEM, now=timezone.now())
        Registration.objects.filter(pk=registration.pk).update(joined_at=None)
        fresh = Registration.objects.get(pk=registration.pk)
        refused = client.post(old)
        opened = client.post(door_of(fresh))

    assert "This link has been replaced" in text(refused)
    assert "Location" not in refused
    assert registration.participant.display_name not in text(refused)
    assert opened.status_code == 303
    queued = Message.objects.filter(topic=messages.JOIN_LINK)
    assert [one.key[-2:] for one in queued] == [":2"], "one mail with the new link"
    fresh.status = RegistrationStatus.CANCELLED
    fresh.cancelled_at = STARTS_AT
    fresh.save()
    with pytest.raises(services.links.NoLink):
        services.links.replace(registration_id=registration.pk, by=SYSTEM, now=STARTS_AT)


def test_link_used_from_many_networks_is_flagged_and_no_address_is_kept(
    client: Client, registration: Registration
) -> None:
    def flagged() -> bool:
        return Registration.objects.filter(services.links.used_from_many()).exists()

    with at(0):
        for address in ("198.51.100.7", "198.51.100.99", "203.0.113.1", "2001:db8:1::1", "2001:db8:1:2::1", "nonsense"):
            client.post(door_of(registration), REMOTE_ADDR=address)
        assert JoinNetwork.objects.count() == 3
        assert not flagged()
    with at(61):
        client.post(door_of(registration), REMOTE_ADDR="192.0.2.1")
    with at(5):
        client.get(door_of(registration), REMOTE_ADDR="192.0.2.1")
        assert not flagged(), "another hour, over, or only looking"
        client.post(door_of(registration), REMOTE_ADDR="192.0.2.1")
        assert flagged()
    assert all(len(bytes(one.network)) == 16 for one in JoinNetwork.objects.all()), "hashes, cut short"
    services.links.forget(now=STARTS_AT + timedelta(days=8))
    assert not JoinNetwork.objects.exists()


def test_broken_meeting_is_replaced_without_a_new_mail(client: Client, registration: Registration) -> None:
    meeting = Meeting.objects.get()
    with at(0):
        video.services.mark_broken(meeting.pk, reason="The room is gone", by=SYSTEM, now=STARTS_AT)
        assert_shut(client, registration, "The meeting will open in a moment")
        video.services.save_address(
            meeting.pk, "https://other.example/room", by=SYSTEM, now=STARTS_AT, allowed_hosts=[]
        )
        assert client.post(door_of(registration))["Location"] == "https://other.example/room"
    assert not Message.objects.exists()
