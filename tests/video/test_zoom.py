"""The Zoom adapter against a Zoom in this process: what it says, and what it makes of trouble."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from tests.video.fakes import judge
from tests.video.fakes.server import Fault
from tests.video.fakes.zoom import FakeZoom
from video.adapters import base, errors, tokens
from video.adapters.http import Answer
from video.adapters.zoom import ZoomMeeting, ZoomWebinar, _Zoom, error_of
from video.models import AccessToken, HostAccount, Meeting, Platform, Service

START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
SPEC = base.SessionSpec("Opening", START, START + timedelta(hours=1), "Europe/Vienna", "en", ("en", "fr"))
KINDS = {"webinars": ZoomWebinar, "meetings": ZoomMeeting}
ADD = r"POST .*/registrants$"


def account_of(fake: FakeZoom) -> HostAccount:
    """A host account at the fake, not saved."""
    return HostAccount(service=Service.ZOOM, label="Office", credentials=fake.variables, host="host@office.example")


def person(number: int = 1) -> base.Attendee:
    """Somebody."""
    return base.Attendee(uuid.UUID(int=number), f"Guest {number}", f"guest{number}@relay.example")


def made(adapter: _Zoom) -> Meeting:
    """A meeting that the fake has."""
    meeting = Meeting(platform=Platform.ZOOM_WEBINAR)
    meeting.provider_id = adapter.create_session(meeting, SPEC, key="key").provider_id
    return meeting


@pytest.fixture
def webinar(zoom: FakeZoom, db: None) -> ZoomWebinar:
    """The adapter for webinars at the fake."""
    return ZoomWebinar(account_of(zoom))


@pytest.mark.django_db
@pytest.mark.parametrize("kind", KINDS)
def test_everything_said_to_zoom_is_as_its_own_document_demands(kind: str, zoom: FakeZoom) -> None:
    adapter = KINDS[kind](account_of(zoom))
    meeting = made(adapter)
    adapter.update(meeting, SPEC)
    found = adapter.find_session(meeting, key="key")
    people = [adapter.add_registrant(meeting, person(number)) for number in range(5)]
    adapter.set_status(meeting, people[4:], base.RegistrantAction.CANCEL)
    again = adapter.find_registrant(meeting, email="GUEST4@relay.example")
    last_page = adapter.find_registrant(meeting, email="guest3@relay.example")
    held = zoom.meetings[meeting.provider_id]
    adapter.cancel(meeting)
    adapter.cancel(meeting)  # gone already is fine

    assert found is not None
    assert found.provider_id == meeting.provider_id
    assert again is not None
    assert again.status == base.RegistrantStatus.DENIED
    assert last_page is not None
    assert (last_page.provider_id, last_page.join_url) == (people[3].provider_id, people[3].join_url)
    assert (held["start_time"], held["duration"], held["timezone"]) == ("2030-07-15T09:00:00Z", 60, "Europe/Vienna")
    settings = held["settings"]
    mails = ("registrants_email_notification", "registrants_confirmation_email")
    assert [settings[name] for name in mails] == [False, False]
    if kind == "webinars":
        of_its_own = {
            name: told["enable"] for name, told in settings.items() if isinstance(told, dict) and "mail" in name
        }
        assert list(of_its_own.values()) == [False] * 3, "reminders and thanks"
        assert settings["notify_registrants"] is False
    assert (settings["approval_type"], settings["language_interpretation"]) == (0, {"enable": True})
    assert len(zoom.calls("POST /oauth/token")) == 1
    singular = kind.removesuffix("s")
    thing = f"/{kind}/{{{singular}Id}}"
    paths = (f"/users/{{userId}}/{kind}", thing, f"{thing}/registrants", f"{thing}/registrants/status")
    openapi = judge.document("zoom/zoom-meetings-webinars", paths)
    for exchange in zoom.calls("/v2/"):
        judge.judge(openapi, "https://api.zoom.us", exchange)


def test_token_is_stored_encrypted_and_used_again(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    made(webinar)
    made(ZoomWebinar(account_of(zoom)))

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM video_accesstoken")
        assert "canary" not in str(cursor.fetchall())
    assert len(zoom.calls("oauth")) == 1
    assert "canary" not in repr(AccessToken.objects.get())


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_refused", [False, True])
def test_token_is_fetched_once_by_twenty_workers(is_refused: bool, zoom: FakeZoom) -> None:
    adapter = ZoomWebinar(account_of(zoom))
    if is_refused:
        meeting = made(adapter)
        zoom.token_number += 100  # somebody else has fetched one: ours is worthless
        zoom.exchanges.clear()
        zoom.faults.append(Fault("oauth", stores=True, hangs=0.3))

    def work(_number: int) -> str:
        try:
            if is_refused:
                return str(len(list(ZoomWebinar(account_of(zoom)).registrants(meeting))))
            return made(ZoomWebinar(account_of(zoom))).provider_id
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        results = list(pool.map(work, range(20)))

    assert len(results) == 20
    assert len(zoom.calls("oauth")) == 1


def test_refused_once_means_a_new_token(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    meeting = made(webinar)
    zoom.token_number += 1

    assert webinar.add_registrant(meeting, person()).provider_id
    assert [len(zoom.calls(ADD)), len(zoom.calls("oauth"))] == [2, 2]


def test_refused_for_ever_is_an_outage_and_no_endless_loop(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    meeting = made(webinar)
    zoom.faults.append(Fault("/v2/", times=99, status=401, data={"code": 124, "message": "Invalid access token."}))

    with pytest.raises(tokens.CredentialsRefused):
        webinar.add_registrant(meeting, person())

    assert len(zoom.calls(ADD)) == 2


def test_refused_for_one_meeting_only_is_about_the_meeting(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    meeting = made(webinar)
    zoom.faults.append(Fault(ADD, times=2, status=401, data={"code": 124, "message": "Invalid access token."}))

    with pytest.raises(errors.Misconfigured):
        webinar.add_registrant(meeting, person())


def test_unknown_application_is_asked_about_once_and_then_left_alone(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    zoom.is_known = False

    for _attempt in range(3):
        with pytest.raises(tokens.CredentialsRefused):
            made(webinar)

    assert len(zoom.calls("oauth")) == 1


MIDNIGHT = (datetime.now(UTC) + timedelta(hours=3)).replace(microsecond=0)
LIMITS: list[tuple[str, dict[str, str], str, errors.Scope]] = [
    ("You have reached the maximum per-second rate limit", {"Retry-After": "2"}, "QPS", errors.Scope.SECOND),
    ("exceeded the daily limit", {"Retry-After": MIDNIGHT.isoformat()}, "Daily-limit", errors.Scope.DAY),
    ("exceeded the daily rate limit of (3) for the registrant (canary@x.example)", {}, "", errors.Scope.REGISTRANT),
]


@pytest.mark.parametrize(("message", "headers", "kind", "scope"), LIMITS)
def test_each_kind_of_limit_says_when_to_come_back(
    message: str, headers: dict[str, str], kind: str, scope: errors.Scope, webinar: ZoomWebinar, zoom: FakeZoom
) -> None:
    meeting = made(webinar)
    more = headers | ({"X-RateLimit-Type": kind} if kind else {})
    zoom.faults.append(Fault(ADD, status=429, data={"code": 429, "message": message}, headers=more))

    with pytest.raises(errors.RateLimited) as caught:
        webinar.add_registrant(meeting, person())

    assert caught.value.scope == scope
    assert (caught.value.retry_at is None) == (not headers)
    if scope == errors.Scope.DAY:
        assert caught.value.retry_at == MIDNIGHT
    assert "canary" not in f"{caught.value!r}{caught.value.message}"


TROUBLE: dict[str, Fault] = {
    "500": Fault(""),
    "503 as a page": Fault("", status=503, data=b"<html>", kind="text/html"),
    "dropped": Fault("", drops=True),
    "dropped after storing": Fault("", drops=True, stores=True),
    "page instead of data": Fault("", status=200, data=b"<html>canary</html>", kind="text/html"),
    "broken data": Fault("", status=201, data=b'{"registrant_id": '),
    "no object": Fault("", status=201, data=[]),
    "not a number": Fault("", status=201, data=b'{"id": NaN}'),
    "nothing in it": Fault("", status=201, data={}),
    "huge": Fault("", status=201, size=2_100_000),
    "empty": Fault("", status=201, data=b""),
}


@pytest.mark.parametrize("name", TROUBLE)
def test_what_may_have_happened_is_told_from_what_has_not(name: str, webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    meeting = made(webinar)
    values = vars(TROUBLE[name])

    zoom.faults.append(Fault(**values | {"call": ADD}))
    with pytest.raises(errors.OutcomeUnknown):
        webinar.add_registrant(meeting, person())
    zoom.faults.append(Fault(**values | {"call": "GET .*/registrants$"}))
    with pytest.raises(errors.Unavailable):
        list(webinar.registrants(meeting))


def test_redirect_is_not_followed(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    meeting = made(webinar)
    zoom.faults.append(Fault(ADD, status=307, headers={"Location": f"{zoom.base}/elsewhere"}))

    with pytest.raises(errors.Unavailable):
        webinar.add_registrant(meeting, person())

    assert zoom.calls("elsewhere") == []


def test_closed_port_means_that_nothing_happened(webinar: ZoomWebinar, zoom: FakeZoom) -> None:
    meeting = made(webinar)
    zoom.close()

    try:
        with pytest.raises(errors.Unavailable):
            webinar.add_registrant(meeting, person())
    finally:
        zoom.__init__()  # type: ignore[misc]  # for the fixture to close


def test_call_ends_when_its_time_is_up(zoom: FakeZoom, db: None) -> None:
    adapter = ZoomWebinar(account_of(zoom))
    meeting = made(adapter)
    zoom.faults.append(Fault(ADD, hangs=1.0, stores=True))
    began = time.monotonic()

    with pytest.raises(errors.OutcomeUnknown):
        ZoomWebinar(account_of(zoom), within=0.3).add_registrant(meeting, person())

    assert time.monotonic() - began < 0.9


ANSWERS: list[tuple[int, Any, str, type[errors.VideoError]]] = [
    (404, 3001, "", errors.NotFound),
    (404, 1001, "", errors.NotFound),
    (400, 3079, "", errors.NotFound),
    (400, 3000, "Registrant abc was not found.", errors.NotFound),
    (400, 300, "The Registrant ID field is invalid.", errors.NotFound),
    (400, 3043, "", errors.CapacityReached),
    (400, 3000, "You have reached the limit for the number of attendees", errors.CapacityReached),
    (400, 3038, "", errors.Closed),
    (400, 3027, "", errors.Refused),
    (400, 3000, "This user was invited as a panelist", errors.Refused),
    (400, 3000, "This webinar does not have registration required", errors.Misconfigured),
    (400, 300, "Registration has not been enabled for this meeting", errors.Misconfigured),
    (400, 404, "", errors.Misconfigured),
    (400, 200, "Webinar plan is missing.", errors.OperatorActionNeeded),
    (400, 4711, "", errors.OperatorActionNeeded),
    (400, 300, "Validation failed.", errors.InvalidRequest),
]


@pytest.mark.parametrize(("status", "code", "message", "error"), ANSWERS)
def test_zooms_errors_in_our_words(status: int, code: int, message: str, error: type[errors.VideoError]) -> None:
    answer = Answer(status, {"code": code, "message": message})

    assert type(error_of(answer, errors.Thing.REGISTRANT)) is error


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://api-eu.zoom.us", "https://api-eu.zoom.us"),
        ("https://evil.example", "https://api.zoom.us"),
        ("https://zoom.us.evil.example", "https://api.zoom.us"),
        ("http://api.zoom.us", "https://api.zoom.us"),
        ("", "https://api.zoom.us"),
    ],
)
def test_regional_address_is_used_only_if_it_is_zooms(given: str, used: str) -> None:
    adapter = ZoomWebinar(HostAccount(service=Service.ZOOM, credentials="ACCOUNT_ID=a"))

    assert adapter._api_url({"api_url": given}) == used
