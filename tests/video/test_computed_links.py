"""BigBlueButton and Jitsi: addresses that are computed at the click."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

import outbox.services
from events.models import SessionState
from tests.factories import NOW, MeetingFactory, SideEventFactory
from tests.video.fakes.bigbluebutton import SECRET, FakeBigBlueButton
from tests.video.fakes.server import Fault
from video.adapters import base, errors, tokens
from video.adapters.bigbluebutton import BigBlueButton, error_of, signed
from video.adapters.jitsi import Jitsi
from video.models import HostAccount, Meeting, MeetingState, Platform, Service
from video.services import Guest, OpenDoor, open_door, rooms

START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
ADA = base.Attendee(uuid.UUID(int=7), "Ada & Byron, née Ö", email="canary@mail.example")
# The example that BigBlueButton's documentation works out.
EXAMPLE = {"name": "Test Meeting", "meetingID": "abc123", "attendeePW": "111222", "moderatorPW": "333444"}


@pytest.fixture
def bbb() -> Iterator[FakeBigBlueButton]:
    """A BigBlueButton of the test's own."""
    fake = FakeBigBlueButton()
    yield fake
    fake.close()


def account_of(fake: FakeBigBlueButton) -> HostAccount:
    """A host account there, not saved."""
    return HostAccount(
        service=Service.BIGBLUEBUTTON, label="Own server", credentials=f"URL={fake.base}/api\nSECRET={SECRET}"
    )


@pytest.mark.parametrize(
    ("algorithm", "checksum"),
    [
        ("sha1", "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17"),
        ("sha256", "da9185f7f333cfdfcd6eeac32dca3777510c4c436020d8b887ba5515bd1d189e"),
    ],
)
def test_checksum_is_that_of_the_published_example(algorithm: str, checksum: str) -> None:
    url = signed("https://bbb.example/api", "create", EXAMPLE, secret=SECRET, algorithm=algorithm)

    query = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
    assert url == f"https://bbb.example/api/create?{query}&checksum={checksum}"


def test_bigbluebutton_makes_the_meeting_at_each_entry_and_signs(
    bbb: FakeBigBlueButton, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    adapter = BigBlueButton(account_of(bbb))
    url = adapter.join_url(Meeting(platform=Platform.BIGBLUEBUTTON, provider_id="room"), ADA, now=START)

    assert bbb.meetings == {"room": "room"}
    query = parse_qs(urlsplit(url).query)
    assert (query["fullName"], query["role"], query["userID"]) == ([ADA.display_name], ["VIEWER"], [str(ADA.public_id)])
    assert "canary" not in url
    assert "checksum" not in caplog.text, "signed addresses stand in no log"
    _head, _mark, checksum = url.partition("&checksum=")
    values = {name: value[0] for name, value in query.items() if name != "checksum"}
    assert signed(f"{bbb.base}/api", "join", values, secret=SECRET).endswith(checksum)


def test_bigbluebutton_of_another_secret_is_an_outage(bbb: FakeBigBlueButton) -> None:
    account = account_of(bbb)
    account.credentials = f"URL={bbb.base}/api\nSECRET=wrong"

    with pytest.raises(tokens.CredentialsRefused):
        BigBlueButton(account).join_url(Meeting(provider_id="room"), ADA, now=START)


@pytest.mark.parametrize("raw", [b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"<a", b""])
def test_xml_that_declares_or_breaks_is_not_read(raw: bytes) -> None:
    assert isinstance(error_of(raw), errors.Unavailable)


def test_bigbluebutton_that_answers_with_a_page_is_unavailable(bbb: FakeBigBlueButton) -> None:
    bbb.faults.append(Fault("GET", status=200, data=b"<html>", kind="text/html"))

    with pytest.raises(errors.Unavailable):
        BigBlueButton(account_of(bbb)).join_url(Meeting(provider_id="room"), ADA, now=START)


@pytest.mark.django_db(transaction=True)
def test_bigbluebutton_meeting_is_ready_after_its_order_and_opens(bbb: FakeBigBlueButton) -> None:
    account_of(bbb).save()
    session = SideEventFactory(state=SessionState.SCHEDULED, starts_at=START, ends_at=START + timedelta(hours=1))
    planned = MeetingFactory(
        session=session, platform=Platform.BIGBLUEBUTTON, state=MeetingState.PLANNED, address="", allowed_hosts=[]
    )
    rooms.order(planned.pk, now=NOW)
    outbox.services.drain("bbb", now=NOW)
    meeting = Meeting.objects.select_related("account").get()

    ends_at = START + timedelta(hours=1)
    ada = Guest(uuid.UUID(int=1), "Ada")
    door = open_door(meeting=meeting, starts_at=START, ends_at=ends_at, guest=ada, now=START)

    assert meeting.state == MeetingState.READY
    assert str(meeting.public_id) not in meeting.provider_id, "the room's name can be guessed from nothing"
    assert isinstance(door, OpenDoor)
    assert door.url.startswith(f"{bbb.base}/api/join?")


def jitsi(*lines: str) -> Jitsi:
    """The adapter with these credentials."""
    return Jitsi(HostAccount(service=Service.JITSI, credentials="\n".join(["URL=https://meet.office.example", *lines])))


def test_jitsi_pass_is_for_one_room_one_person_and_two_hours() -> None:
    secret = "a-secret-of-more-than-thirty-two-bytes"
    url = jitsi("APP_ID=office", f"APP_SECRET={secret}").join_url(Meeting(provider_id="room"), ADA, now=START)

    address, _mark, token = url.partition("?jwt=")
    claims = jwt.decode(token, secret, algorithms=["HS256"], audience="office", options={"verify_exp": False,
        "verify_nbf": False})  # fmt: skip
    assert address == "https://meet.office.example/room"
    assert claims == {
        "iss": "office",
        "aud": "office",
        "sub": "meet.office.example",
        "room": "room",
        "nbf": int(START.timestamp()) - 60,
        "exp": int(START.timestamp()) + 7200,
        "context": {"user": {"id": str(ADA.public_id), "name": ADA.display_name}},
    }


def test_jitsi_without_a_pass_is_the_room() -> None:
    url = jitsi().join_url(Meeting(provider_id="room"), ADA, now=START)

    assert urlsplit(url)._replace(fragment="").geturl() == "https://meet.office.example/room"
    assert "canary" not in url


@pytest.mark.parametrize("address", ["http://meet.office.example", "ftp://x.example", "https://a@b.example", ""])
def test_server_without_encryption_is_refused(address: str) -> None:
    with pytest.raises(errors.OperatorActionNeeded):
        Jitsi(HostAccount(service=Service.JITSI, variables="NO_SUCH", credentials=f"URL={address}"))
