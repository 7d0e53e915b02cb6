"""People on a platform: entered once, taken off, entered again; at the door; and what the platform never learns."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

import outbox.services
import registration.services
from accounts.actors import PARTICIPANT, SYSTEM
from events.models import SessionState
from outbox.models import Message, MessageState, Outage
from registration.joining import platform_handlers
from registration.models import Participant, Registration, RegistrationStatus
from registration.services import erasure
from tests.factories import (
    NOW,
    AdmissionFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.video.fakes.server import Fault
from tests.video.fakes.zoom import FakeZoom
from video.models import (
    AccessToken,
    Fallback,
    HostAccount,
    HostUse,
    Meeting,
    MeetingState,
    Platform,
    PlatformPrivacy,
    Registrant,
    RegistrantState,
    Service,
)
from video.services import NotReady, OpenDoor, hosts, people, rooms

START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
ADD = "POST .*/registrants$"
S = RegistrantState


@pytest.fixture
def meeting(zoom: FakeZoom, transactional_db: None) -> Meeting:
    """A webinar that is ready."""
    HostAccount.objects.create(service=Service.ZOOM, label="Office", credentials=zoom.variables, host="host")
    session = SideEventFactory(state=SessionState.SCHEDULED, starts_at=START, ends_at=START + timedelta(hours=1))
    made: Meeting = MeetingFactory(
        session=session, platform=Platform.ZOOM_WEBINAR, state=MeetingState.PLANNED, address="", allowed_hosts=[]
    )
    rooms.order(made.pk, now=NOW)
    outbox.services.drain("zoom", now=NOW)
    made.refresh_from_db()
    return made


def confirmed(meeting: Meeting, **participant: Any) -> Registration:
    """Somebody with a place."""
    admission = meeting.session.admissions.first() or AdmissionFactory(session=meeting.session)  # type: ignore[union-attr]
    person = ParticipantFactory(conference=admission.conference, **participant)
    found: Registration = RegistrationFactory(admission=admission, participant=person)
    return found


def work(at: datetime = NOW) -> None:
    """What clock and worker do."""
    platform_handlers.queue_missing_registrants(now=at)
    outbox.services.drain("zoom", now=at)


def there(zoom: FakeZoom, meeting: Meeting) -> list[tuple[str, str]]:
    """Names and statuses on the platform."""
    return [(one["first_name"], one["status"]) for one in zoom.people[meeting.provider_id]]


def state_of(one: Registration) -> str:
    """Where somebody stands."""
    return Registrant.objects.get(person_id=one.public_id).state


def test_people_are_entered_cancelled_and_entered_again(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting, given_name="Ada", family_name="Byron", email="ada@mail.example")
    work()
    assert there(zoom, meeting) == [("Ada Byron", "approved")]
    assert zoom.people[meeting.provider_id][0]["email"] == "ada@mail.example"

    registration.services.cancel(registration_id=one.pk, by=PARTICIPANT, now=NOW)
    outbox.services.drain("zoom", now=NOW)
    assert there(zoom, meeting) == [("Ada Byron", "denied")]
    assert (state_of(one), Registrant.objects.get().join_url) == (S.REMOVED, "")

    again = RegistrationFactory(admission=one.admission, participant=one.participant)
    work()
    assert state_of(again) == S.ADDED
    assert zoom.people[meeting.provider_id][-1]["status"] == "approved"
    work(NOW + timedelta(days=2))
    assert not Message.objects.filter(group="zoom").exclude(state=MessageState.SENT).exists()


def test_alias_is_the_only_name_and_the_address_is_made_up(meeting: Meeting, zoom: FakeZoom) -> None:
    confirmed(meeting, display_name="Wren", has_alias=True, given_name="Canary", email="canary@mail.example")
    confirmed(meeting, given_name="Open", family_name="Name", email="open@mail.example")
    work()

    said = b"".join(exchange.body for exchange in zoom.exchanges)
    assert b"anary@mail" not in said
    assert b"Canary" not in said.replace(b"canary-", b"")
    assert there(zoom, meeting) == [("Wren", "approved"), ("Open Name", "approved")]
    wren, other = (one["email"] for one in zoom.people[meeting.provider_id])
    assert wren.endswith(f"@{settings.VIDEO_RELAY_DOMAIN}")
    assert other == "open@mail.example"


def test_conference_may_hide_everybody(meeting: Meeting, zoom: FakeZoom) -> None:
    PlatformPrivacy.objects.create(conference=meeting.session.conference)  # type: ignore[union-attr]
    one = confirmed(meeting, given_name="Canary", family_name="Name", email="canary@mail.example")
    confirmed(meeting, display_name="Wren", has_alias=True)
    work()

    number = people.number_of(one.public_id)
    assert there(zoom, meeting) == [(f"Guest {number}", "approved"), ("Wren", "approved")]
    assert {one["email"].partition("@")[2] for one in zoom.people[meeting.provider_id]} == {settings.VIDEO_RELAY_DOMAIN}


def test_addresses_of_people_are_encrypted_at_rest(meeting: Meeting, zoom: FakeZoom) -> None:
    confirmed(meeting, display_name="Wren", has_alias=True)
    work()
    assert Registrant.objects.get().state == S.ADDED

    with connection.cursor() as cursor:
        for table in ("video_registrant", "video_meeting", "video_accesstoken", "outbox_message"):
            cursor.execute(f"SELECT * FROM {table}")
            rows = str(cursor.fetchall())
            assert "canary" not in rows, table
            assert "@guests" not in rows, table


@pytest.mark.parametrize("stores", [True, False])
def test_lost_answer_doubles_nobody_and_loses_nobody(stores: bool, meeting: Meeting, zoom: FakeZoom) -> None:
    others = [confirmed(meeting) for _ in range(5)]  # three pages of the list
    work()
    one = confirmed(meeting)
    zoom.faults.append(Fault(ADD, drops=True, stores=stores))
    work()
    assert state_of(one) == S.SENDING

    outbox.services.drain("zoom", now=NOW + timedelta(minutes=1))

    assert state_of(one) == S.ADDED
    assert len(zoom.people[meeting.provider_id]) == len(others) + 1
    assert len(zoom.calls(ADD)) == 6 + (not stores)


def test_killed_worker_is_followed_by_one_that_looks_first(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)
    work()
    # As a worker leaves it that was killed after the platform had stored the person.
    Registrant.objects.update(state=S.SENDING, provider_id="", join_url="", busy_until=NOW + people.CLAIMED)
    Message.objects.all().delete()

    work(NOW + timedelta(seconds=10))
    assert state_of(one) == S.SENDING, "claimed: the worker may still live"
    outbox.services.drain("zoom", now=NOW + timedelta(hours=1))

    assert state_of(one) == S.ADDED
    assert len(zoom.calls(ADD)) == 1


def test_nobody_is_added_more_than_twice_a_day(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)
    zoom.faults.append(Fault(ADD, times=5, drops=True))
    at = NOW
    work(at)
    for _attempt in range(5):
        at += timedelta(hours=1)
        outbox.services.drain("zoom", now=at)
    assert len(zoom.calls(ADD)) == 2
    zoom.faults.clear()

    outbox.services.drain("zoom", now=at.replace(hour=0) + timedelta(days=1, minutes=2))

    assert (state_of(one), len(zoom.calls(ADD))) == (S.ADDED, 3)


@pytest.mark.parametrize("is_away", [True, False])
def test_outage_uses_up_nobodys_day(is_away: bool, meeting: Meeting, zoom: FakeZoom) -> None:
    confirmed(meeting)
    if is_away:
        HostAccount.objects.update(credentials=zoom.variables.replace(zoom.base, "http://127.0.0.1:9"))
        AccessToken.objects.all().delete()  # it knows the address, too
    else:
        zoom.is_known = False
        zoom.token_number += 100
    for minutes in range(4):
        work(NOW + timedelta(minutes=minutes))

    assert list(HostUse.objects.values_list("registrants", flat=True)) == [0]
    assert Registrant.objects.get().adds == 0
    assert Outage.objects.get().probes == 3


def test_own_limit_says_nothing_about_the_platform(meeting: Meeting, zoom: FakeZoom) -> None:
    """Guard: HeldBack in video.handlers; as a RateLimited it opened a way out that was closed."""
    one = confirmed(meeting)
    HostAccount.objects.update(daily_registrants=0)
    Outage.objects.create(group="zoom", since=NOW, next_probe_at=NOW)
    work()

    message = Message.objects.get(about_id=one.public_id)
    assert (message.attempts, message.next_attempt_at) == (0, hosts.next_day(NOW))
    assert Outage.objects.exists()
    assert (Registrant.objects.get().adds, zoom.calls(ADD)) == (0, [])


@pytest.mark.parametrize(("kind", "rests"), [("QPS", timedelta(seconds=5)), ("Daily-limit", None)])
def test_account_rests_when_the_platform_had_too_many_calls(
    kind: str, rests: timedelta | None, meeting: Meeting, zoom: FakeZoom
) -> None:
    """Guard: RateLimited in video.services.hosts; each message asked for itself, and was told the same."""
    for _ in range(3):
        confirmed(meeting)
    fault = Fault(ADD, status=429, data={"code": 429, "message": "too many"}, headers={"X-RateLimit-Type": kind})
    zoom.faults.append(fault)
    work()

    until = NOW + rests if rests else hosts.next_day(NOW)
    assert len(zoom.calls(ADD)) == 1
    waiting = Message.objects.unsent().filter(group="zoom")
    assert sorted(waiting.values_list("attempts", flat=True)) == [0, 0, 1]
    assert waiting.filter(next_attempt_at=until, attempts=0).count() == 2
    assert not Outage.objects.exists()
    account = HostAccount.objects.get()
    assert (hosts.rests_until(account, "registrants", now=NOW), account.changes_rest_until) == (until, None)
    assert set(Registrant.objects.values_list("adds", flat=True)) == {0}, "nobody was added"

    work(until + timedelta(hours=1))
    assert [status for _name, status in there(zoom, meeting)] == ["approved"] * 3


def test_too_many_calls_for_one_person_hold_up_nobody_else(meeting: Meeting, zoom: FakeZoom) -> None:
    for _ in range(3):
        confirmed(meeting)
    message = "exceeded the daily rate limit of (3) for the registrant (canary@x.example)"
    zoom.faults.append(Fault(ADD, status=429, data={"code": 429, "message": message}))
    work()

    assert len(there(zoom, meeting)) == 2
    assert HostAccount.objects.get().registrants_rest_until is None


def test_refused_person_is_left_alone_and_shown(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)
    zoom.faults.append(Fault(ADD, status=400, data={"code": 3027, "message": "Host can not register (canary)"}))
    work()
    work(NOW + timedelta(days=2))

    message = Message.objects.get(about_id=one.public_id)
    assert (state_of(one), len(zoom.calls(ADD)), message.state) == (S.REFUSED, 1, MessageState.DEAD)
    assert message.last_error == "The video platform does not take this person as an attendee."


def test_new_room_gets_everybody_again(meeting: Meeting, zoom: FakeZoom) -> None:
    people_there = [confirmed(meeting) for _ in range(3)]
    work()
    rooms.start_over(meeting.pk, by=SYSTEM, now=NOW)
    outbox.services.drain("zoom", now=NOW)
    work()

    meeting.refresh_from_db()
    assert [status for _name, status in there(zoom, meeting)] == ["approved"] * 3
    assert {state_of(one) for one in people_there} == {S.ADDED}


def test_erased_person_is_taken_off(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)
    work()
    erasure.erase(participant_id=one.participant_id, by=SYSTEM, now=NOW)
    assert Registrant.objects.get().join_url == ""
    work()

    assert [status for _name, status in there(zoom, meeting)] == ["denied"]


def test_everybody_gets_in_through_chaos(meeting: Meeting, zoom: FakeZoom) -> None:
    """Calls refused as too many, broken, and answered into the void: nobody doubled, nobody without a link."""
    chance = random.Random(7)
    registered = [confirmed(meeting) for _ in range(8)]
    faults = [
        Fault(r"/v2/", status=429, data={"code": 429, "message": "per second"}, headers={"Retry-After": "1"}),
        Fault(r"/v2/", status=503),
        Fault(r"/v2/", drops=True, stores=True),
        Fault(r"/v2/", drops=True, stores=True),
    ]
    at = NOW
    platform_handlers.queue_missing_registrants(now=at)
    for _round in range(150):
        if chance.random() < 0.6 and not zoom.faults:
            zoom.faults.append(Fault(**vars(chance.choice(faults)) | {"times": 1}))
        outbox.services.drain("zoom", now=at, at_most=1)
        at += timedelta(minutes=30)
        if not Message.objects.unsent().filter(group="zoom").exists():
            break

    assert {state_of(one) for one in registered} == {S.ADDED}
    emails = [one["email"] for one in zoom.people[meeting.provider_id]]
    assert (len(emails), len(set(emails))) == (8, 8)
    assert max(zoom.adds.values()) <= people.ADDS_A_DAY


# --- the door -------------------------------------------------------------------------------------------------------


def enter(one: Registration, *, joining: bool = True) -> Any:
    """What the door says at the start."""
    entry = registration.services.enter(token=one.join_token, now=START, joining=joining)
    assert entry is not None
    return entry.door


def test_door_leads_to_the_personal_address_made_before(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)
    work()
    before = len(zoom.exchanges)

    door = enter(one)

    assert door == OpenDoor(zoom.people[meeting.provider_id][0]["join_url"])
    assert len(zoom.exchanges) == before
    assert "canary" not in repr(door)


def test_door_makes_the_address_now_and_looking_makes_none(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)

    assert isinstance(enter(one, joining=False), OpenDoor)
    assert zoom.calls(ADD) == []
    assert enter(one) == OpenDoor(zoom.people[meeting.provider_id][0]["join_url"])
    work()
    assert len(zoom.calls(ADD)) == 1


@pytest.mark.parametrize("fallback", Fallback)
def test_door_of_a_platform_that_hangs_answers_within_two_seconds(
    fallback: Fallback, meeting: Meeting, zoom: FakeZoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("video.services.door.PATIENCE", 0.3)
    Meeting.objects.update(fallback=fallback)
    one = confirmed(meeting)
    zoom.faults.append(Fault(ADD, hangs=1.0, stores=True))
    began = time.monotonic()

    door = enter(one)

    assert time.monotonic() - began < 0.9
    shared = OpenDoor(f"https://zoom.us/j/{meeting.provider_id}?canary")
    assert door == (shared if fallback == Fallback.SHARED else NotReady())
    work(START)
    assert (state_of(one), len(zoom.calls(ADD)), len(zoom.people[meeting.provider_id])) == (S.ADDED, 1, 1)


def test_door_never_leads_elsewhere(meeting: Meeting, zoom: FakeZoom) -> None:
    one = confirmed(meeting)
    answer = {"registrant_id": "r", "join_url": "https://zoom.us.evil.example/w/1", "id": 1}
    zoom.faults.append(Fault(ADD, status=201, data=answer))

    assert enter(one) == NotReady()


def test_somebody_taken_down_leaves_the_platform_and_is_not_entered_again(meeting: Meeting, zoom: FakeZoom) -> None:
    one, other = confirmed(meeting, display_name="Wren", has_alias=True), confirmed(meeting)
    work()
    assert {state_of(one), state_of(other)} == {S.ADDED}

    Participant.objects.filter(pk=one.participant_id).update(taken_down_at=NOW)
    for day in range(3):
        work(NOW + timedelta(days=day))

    assert (state_of(one), state_of(other)) == (S.REMOVED, S.ADDED)
    assert dict(there(zoom, meeting))["Wren"] == "denied"
    assert len(zoom.calls(ADD)) == 2


def test_waiting_and_rejected_people_are_not_entered(meeting: Meeting, zoom: FakeZoom) -> None:
    admission = AdmissionFactory(session=meeting.session)
    for status in (RegistrationStatus.PENDING, RegistrationStatus.WAITLISTED, RegistrationStatus.REJECTED):
        RegistrationFactory(admission=admission, status=status)
    work()

    assert zoom.calls(ADD) == []
