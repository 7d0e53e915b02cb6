"""What platforms tell us: who is believed, what is refused unread, and what comes of it."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.core.handlers.wsgi import WSGIRequest
from django.test import Client

import outbox.services
from accounts.actors import SYSTEM
from alliance.api.limits import Limit
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.models import Registration
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoleFactory,
)
from tests.video.fakes import judge
from tests.video.fakes.webex import FakeWebex
from tests.video.fakes.zoom import FakeZoom
from tests.video.test_zoom import account_of, made, person
from video import adapters, alerts, hooks
from video.adapters import base, signed
from video.adapters.zoom import ZoomWebinar
from video.models import (
    HostAccount,
    Meeting,
    MeetingState,
    Platform,
    PlatformEvent,
    Registrant,
    RegistrantState,
    Service,
)
from video.services import events, people, rooms

START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
SECRET = "test-secret-token"
Post = Callable[..., Any]


def account(service: str = Service.ZOOM) -> HostAccount:
    """An account with a secret for what it sends."""
    lines = f"ACCOUNT_ID=a\nCLIENT_ID=b\nCLIENT_SECRET=c\nREFRESH_TOKEN=d\nWEBHOOK_SECRET={SECRET}"
    return HostAccount.objects.create(service=service, label="Office", credentials=lines)


@pytest.fixture
def post(client: Client) -> Post:
    """Send what a platform would send, signed; anything of it can be spoilt."""

    def send(to: HostAccount, data: Any, *, raw: bytes | None = None, at: datetime | None = None, **spoilt: Any) -> Any:
        raw = json.dumps(data).encode() if raw is None else raw
        if to.service == Service.ZOOM:
            stamp = str(int((at or datetime.now(UTC)).timestamp()))
            mac = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
            headers = {"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={mac}"}
        else:
            headers = {"x-spark-signature": hmac.new(SECRET.encode(), raw, hashlib.sha1).hexdigest()}
        headers |= spoilt.pop("headers", {})
        options = {"content_type": "application/json"} | spoilt
        path = options.pop("path", f"/hooks/{to.service}/{to.public_id}/")
        return client.post(path, options.pop("body", raw), headers=headers, **options)

    return send


def event(name: str, number: str = "1234567890", **inside: Any) -> dict[str, Any]:
    """An event as Zoom words it, with a name and an address in it."""
    thing = {"id": number, "topic": "Opening", "uuid": "4444AAAiAAAAAiAiAiiAii=="} | inside
    return {"event": name, "event_ts": 1910422860000, "payload": {"account_id": "A", "object": thing}}


def joined(registrant: str, *, word: str = "joined", at: str = "2030-07-15T09:01:00Z") -> dict[str, Any]:
    """Somebody comes or goes."""
    who = {"registrant_id": registrant, "user_name": "Canary Name", "email": "canary@mail.example", "date_time": at}
    return event(f"webinar.participant_{word}", participant=who)


def somebody(
    registrant: str = "r1", *, of: HostAccount, meeting: Meeting | None = None
) -> tuple[Meeting, Registration]:
    """A person in a webinar that is ready."""
    meeting = meeting or MeetingFactory(
        platform=Platform.ZOOM_WEBINAR, provider_id="1234567890", account=of, made="x", ordered="x"
    )
    assert meeting.session is not None
    admission = meeting.session.admissions.first() or AdmissionFactory(session=meeting.session)
    one = RegistrationFactory(
        admission=admission, participant=ParticipantFactory(conference=admission.conference, display_name="Wren")
    )
    Registrant.objects.create(
        meeting=meeting,
        person_id=one.public_id,
        state=RegistrantState.ADDED,
        provider_meeting=meeting.provider_id,
        provider_id=registrant,
        mark=people.mark_of("guest@relay.example"),
    )
    return meeting, one


def work() -> None:
    """What the worker does."""
    outbox.services.drain(events.GROUP, now=START + timedelta(hours=2))


# --- whose word it is -------------------------------------------------------------------------------------------------


def test_signatures_are_those_of_the_platforms_own_examples() -> None:
    raw = b'{"event":"meeting.participant_joined","event_ts":1626230691572,"payload":{"object":{"id":"1234567890"}}}'
    headers = {
        "x-zm-request-timestamp": "1654503849",
        "x-zm-signature": "v0=9404a496b2312649d909a843b065dfd864a3ab833482c10a5dc0d72ccf2c8dc9",
    }
    now = datetime.fromtimestamp(1654503849, tz=UTC)
    found = signed.from_zoom(SECRET, headers, raw, now=now)
    assert isinstance(found, base.WebhookEvent)
    assert (found.kind, found.session_id) == (base.WebhookKind.JOINED, "1234567890")
    assert signed.from_zoom("", headers, raw, now=now) == base.WebhookRejected("signature")
    for minutes in (6, -6):
        late = signed.from_zoom(SECRET, headers, raw, now=now + timedelta(minutes=minutes))
        assert late == base.WebhookRejected("stale")

    body = b'{"id":"x","resource":"meetingParticipants","event":"joined"}'
    mark = {"x-spark-signature": "6567a7c60f765d597c5f121dbe5ee47dd0ef8225"}
    assert isinstance(signed.from_webex("somesupersecretphrase", mark, body), base.WebhookEvent)
    assert signed.from_webex("somesupersecretphrase", mark, body + b" ") == base.WebhookRejected("signature")


@pytest.mark.django_db
def test_challenge_is_answered_as_zoom_documents_it(post: Post) -> None:
    answer = post(account(), {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}})

    assert answer.status_code == 200
    assert answer.json() == {
        "plainToken": "qgg8vlvZRS6UYooatFL8Aw",
        "encryptedToken": "9c8ad56737c19db2904b301c0781e86857e999f39f07727668cf62a5e7e298c8",
    }
    assert not answer.cookies
    assert not PlatformEvent.objects.exists()


@pytest.mark.django_db
def test_what_is_refused(post: Post, client: Client, django_assert_num_queries: Any) -> None:
    zoom, webex = account(), account(Service.WEBEX)
    data = joined("r1")
    resigned = {"headers": {"x-zm-signature": "v0=" + "0" * 64}}
    two = {"headers": {"x-zm-signature": "v0=0,v0=1"}}
    other = {"body": json.dumps(joined("r2")).encode()}
    tries: list[tuple[int, HostAccount, dict[str, Any]]] = [
        (401, zoom, resigned),
        (401, zoom, two),
        (401, zoom, {"headers": {"x-zm-signature": ""}}),
        (401, zoom, other),
        (401, zoom, {"at": datetime.now(UTC) - timedelta(minutes=6)}),
        (401, zoom, {"at": datetime.now(UTC) + timedelta(minutes=6)}),
        (401, webex, {"headers": {"x-spark-signature": "é"}}),
        (401, webex, other),
        (400, zoom, {"raw": b"[" * 50_000}),
        (400, zoom, {"raw": b"\xff"}),
        (415, zoom, {"content_type": "text/plain"}),
        (404, zoom, {"path": f"/hooks/webex/{zoom.public_id}/"}),
        (404, zoom, {"path": "/hooks/zoom/00000000-0000-0000-0000-000000000001/"}),
        (404, zoom, {"path": f"/hooks/teams/{zoom.public_id}/"}),
    ]
    assert [post(to, data, **spoilt).status_code for _status, to, spoilt in tries] == [one[0] for one in tries]
    with django_assert_num_queries(0):
        assert post(zoom, data, body=b"x" * 2_000_000).status_code == 413
    assert client.get(f"/hooks/zoom/{zoom.public_id}/").status_code == 405
    HostAccount.objects.update(is_active=False)
    assert post(zoom, data).status_code == 404
    assert not PlatformEvent.objects.exists()


def test_two_million_bytes_are_refused_before_they_are_read() -> None:
    class Unread:
        def read(self, *_arguments: Any) -> bytes:
            raise AssertionError("it was read")

        readline = read

    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2000000"}
    request = WSGIRequest(environ | {"wsgi.input": Unread()})

    assert hooks.hook(request, "zoom", UUID(int=1)).status_code == 413


@pytest.mark.django_db
def test_too_many_calls_are_told_to_wait(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hooks, "PER_ADDRESS", Limit("hooks-test", 1))
    zoom = account()
    with time_machine.travel(NOW, tick=False):
        found = [post(zoom, joined("r1")).status_code for _again in range(2)]
    assert found == [204, 429]


# --- what comes of it -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_storm_of_the_same_out_of_order_has_one_effect(post: Post) -> None:
    zoom = account()
    _meeting, one = somebody(of=zoom)
    with time_machine.travel(START + timedelta(hours=1), tick=False):
        for _again in range(20):
            assert post(zoom, joined("r1", word="left", at="2030-07-15T09:50:00Z")).status_code == 204
            assert post(zoom, joined("r1", at="2030-07-15T09:20:00Z")).status_code == 204
        post(zoom, joined("r1"))
        post(zoom, joined("nobody-we-know"))
        post(zoom, joined(""))
    kept = list(PlatformEvent.objects.values())
    work()

    assert len(kept) == 5
    assert "canary" not in str(kept).lower()
    row = Registrant.objects.get()
    assert (row.joined_at, row.left_at) == (START + timedelta(minutes=1), START + timedelta(minutes=50))
    one.refresh_from_db()
    assert one.joined_at == START + timedelta(minutes=1)
    work()
    events.forget(now=START + timedelta(days=2))
    assert not PlatformEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_webex_names_people_by_the_address_we_gave_and_never_by_name(post: Post) -> None:
    webex = account(Service.WEBEX)
    meeting = MeetingFactory(platform=Platform.WEBEX, provider_id="560d", account=webex)
    _meeting, one = somebody("", of=webex, meeting=meeting)
    who = {"meetingId": "560d_I_12", "email": "GUEST@relay.example", "displayName": "Wren"}
    stranger = who | {"email": "other@relay.example"}
    with time_machine.travel(START, tick=False):
        post(webex, {"resource": "meetingParticipants", "event": "joined", "data": stranger})
        work()
        assert Registrant.objects.get().joined_at is None
        post(webex, {"resource": "meetingParticipants", "event": "joined", "data": who})
    work()
    one.refresh_from_db()
    assert one.joined_at == START
    assert "relay.example" not in str(list(PlatformEvent.objects.values()))
    assert events.forget(now=START + timedelta(days=2)) == 0, "Webex signs no clock: known again for a month"


@pytest.mark.django_db(transaction=True)
def test_meeting_and_people_follow_the_platform(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    zoom = account()
    meeting, one = somebody(of=zoom)
    assert meeting.session is not None
    organiser = RoleFactory(kind="organiser", conference=meeting.session.conference).user
    RoleFactory(kind="viewer", conference=meeting.session.conference)
    RoleFactory(kind="organiser", conference=ConferenceFactory())
    with time_machine.travel(START, tick=False):
        post(zoom, event("webinar.started"))
        post(zoom, event("webinar.ended"))
        Registrant.objects.update(updated_at=START + timedelta(seconds=1))
        post(zoom, event("webinar.registration_cancelled", registrant={"id": "r1", "email": "old@mail.example"}))
        work()
        assert Registrant.objects.get().state == RegistrantState.ADDED, "entered again since"
        Registrant.objects.update(updated_at=START - timedelta(hours=1))
        post(zoom, event("webinar.registration_cancelled", registrant={"id": "r1", "email": "canary@mail.example"}))
        post(zoom, event("webinar.deleted", number="999"))
        work()
        meeting.refresh_from_db()
        assert (meeting.began_at, meeting.ended_at, meeting.state) == (START, START, MeetingState.READY)
        row = Registrant.objects.get(person_id=one.public_id)
        assert (row.state, row.last_error) == (RegistrantState.REFUSED, "Taken off on the platform.")
        post(zoom, event("webinar.deleted"))
        work()
    meeting.refresh_from_db()
    assert meeting.state == MeetingState.BROKEN
    assert meeting.last_error == "The room was deleted on the platform."
    told = Message.objects.get(topic=alerts.TOPIC)
    mail = alerts.tell(told, now=START)
    assert isinstance(mail, Mail)
    assert mail.to == organiser.email
    assert f"/admin/video/meeting/{meeting.pk}/change/" in mail.text
    assert "Make the room anew" in mail.text
    rooms.start_over(meeting.pk, by=SYSTEM, now=START)
    assert alerts.tell(told, now=START) == Superseded("made anew since")


@pytest.mark.django_db
def test_reports_are_read_as_the_platforms_documents_say(zoom: FakeZoom) -> None:
    adapter = ZoomWebinar(account_of(zoom))
    meeting = made(adapter)
    ids = [adapter.add_registrant(meeting, person(number)).provider_id for number in range(3)]

    found = adapter.attendance(meeting)

    assert [one.registrant_id for one in found] == ids, "who has no registrant's id is nobody"
    assert found[0].joined_at == START + timedelta(minutes=1)
    assert len(zoom.calls("report")) == 4, "four pages"
    openapi = judge.document("zoom/zoom-meetings-webinars", ("/report/webinars/{webinarId}/participants",))
    for exchange in zoom.calls("report"):
        judge.judge(openapi, "https://api.zoom.us", exchange)


@pytest.mark.django_db
def test_webex_report_knows_people_by_address() -> None:
    fake = FakeWebex()
    row = HostAccount(service=Service.WEBEX, label="Office", credentials=fake.variables, host="host@office.example")
    adapter = adapters.adapter_for(Platform.WEBEX, row)
    meeting = Meeting(platform=Platform.WEBEX)
    spec = base.SessionSpec("Opening", START, START + timedelta(hours=1), "Europe/Vienna")
    meeting.provider_id = adapter.create_session(meeting, spec, key="key").provider_id
    adapter.add_registrant(meeting, person(1))
    found = adapter.attendance(meeting)
    fake.close()

    assert found == [base.Presence("", START + timedelta(minutes=1), None, email="guest1@relay.example")]
    assert "relay" not in repr(found)
    openapi = judge.document("webex/webex-meetings", ("/meetingParticipants",))
    for exchange in fake.calls("Participants"):
        judge.judge(openapi, "https://webexapis.com", exchange)
