"""A video platform in trouble, from the confirmed registration through the outbox: everybody gets in once.

The platforms are the fakes of tests/video, whose requests and answers the adapters' own tests hold against the
platforms' documents. The clock is moved, nobody sleeps.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

import outbox.services
from events.models import SessionState
from outbox.models import Message, MessageState, Outage
from registration.joining import platform_handlers
from registration.models import Admission
from tests.factories import AdmissionFactory, MeetingFactory, RegistrationFactory, SideEventFactory
from tests.faults.table import Found
from tests.video.fakes.server import Fault
from tests.video.fakes.webex import FakeWebex
from tests.video.fakes.zoom import FakeZoom
from video.adapters import base
from video.models import AccessToken, HostAccount, Meeting, MeetingState, Platform, Registrant, RegistrantState, Service
from video.services import people, rooms

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

# Answers of the fakes are read with the clock on the wall: a Retry-After names an instant of it.
NOW = datetime.now(UTC).replace(microsecond=0)
START = NOW + timedelta(days=10)
ADD = "POST .*/registrants$"
LIST = "GET .*/registrants$"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
GUESTS = 5  # the fakes put two on a page of the list: three pages


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    """A Zoom of the test's own."""
    fake = FakeZoom()
    yield fake
    fake.close()


@pytest.fixture
def webex() -> Iterator[FakeWebex]:
    """A Webex of the test's own."""
    fake = FakeWebex()
    yield fake
    fake.close()


def ready(fake: FakeZoom | FakeWebex) -> tuple[Meeting, Admission]:
    """A meeting that is ready on the platform, and the admission to it."""
    service, platform = (
        (Service.ZOOM, Platform.ZOOM_WEBINAR) if isinstance(fake, FakeZoom) else (Service.WEBEX, Platform.WEBEX)
    )
    HostAccount.objects.create(service=service, label="Office", credentials=fake.variables, host="host@office.example")
    session = SideEventFactory(state=SessionState.SCHEDULED, starts_at=START, ends_at=START + timedelta(hours=1))
    meeting: Meeting = MeetingFactory(
        session=session, platform=platform, state=MeetingState.PLANNED, address="", allowed_hosts=[]
    )
    rooms.order(meeting.pk, now=NOW)
    outbox.services.drain(service.value, now=NOW)
    meeting.refresh_from_db()
    assert meeting.state == MeetingState.READY
    return meeting, AdmissionFactory(session=session)


def work(group: str, at: datetime) -> None:
    """What clock and worker do."""
    platform_handlers.queue_missing_registrants(now=at)
    outbox.services.drain(group, now=at)


def until_all_are_in(group: str, at: datetime, wanted: int) -> tuple[datetime, int]:
    """Sweep and drain, a minute a round at first and an hour later: when all were in, and after how many rounds."""
    for number in range(200):
        work(group, at)
        if Registrant.objects.filter(state=RegistrantState.ADDED).count() == wanted:
            return at, number + 1
        at += MINUTE if number < 60 else timedelta(hours=1)
    raise AssertionError(f"{Registrant.objects.filter(state=RegistrantState.ADDED).count()} of {wanted} got in")


def limited(message: str, kind: str, retry_after: str) -> dict[str, Any]:
    """Zoom's 429."""
    headers = {"X-RateLimit-Type": kind, "Retry-After": retry_after} if kind else {}
    return {"status": 429, "data": {"code": 429, "message": message}, "headers": headers}


IN_3_HOURS = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
EXPIRED = {"status": 401, "data": {"code": 124, "message": "Invalid access token."}}
PAGE = {"status": 200, "data": b"<html>Please wait</html>", "kind": "text/html"}
TROUBLE: list[tuple[str, str, str, list[dict[str, Any]], int, timedelta]] = [
    # fault, how, expected, faults of the fake, calls that add beyond one each, latest end
    ("platform 429, per second", "429 with Retry-After in seconds on 3 adds", "0 lost, 0 doubled, within 5 min",
     [{"call": ADD, "times": 3, **limited("per-second rate limit", "QPS", "2")}], 3, 5 * MINUTE),
    ("platform 429, of the day", "429 with Retry-After 3 h from now on 1 add", "not asked again before",
     [{"call": ADD, **limited("exceeded the daily limit", "Daily-limit", IN_3_HOURS)}], 1, timedelta(hours=5)),
    ("platform 429, per registrant", "429 without Retry-After for one person, 2 adds", "at most 2 adds a day each",
     [{"call": ADD, "times": 2, **limited("daily rate limit of (3) for the registrant (x@x.example)", "", "")}], 2,
     timedelta(hours=40)),
    ("platform 401 once", "token refused once", "one new token, 0 lost, in the same minute",
     [{"call": ADD, **EXPIRED}], 1, MINUTE),
    ("platform 5xx", "503 as a page on 4 adds", "looked for before repeating; 0 doubled",
     [{"call": ADD, "times": 4, "status": 503, "data": b"<html>", "kind": "text/html"}], 4, timedelta(hours=40)),
    ("platform hangs after storing", "registrant stored, no answer in time, twice",
     "found by asking, 0 added again", [{"call": ADD, "times": 2, "stores": True, "hangs": 1.5}], 0,
     timedelta(hours=2)),
    ("platform fails on page 3", "answer to an add lost; then 503 on page 3 of the list, where they stand",
     "0 doubled: asked again",
     [{"call": ADD, "drops": True, "stores": True}, {"call": LIST, "times": 2, "stores": True, "hangs": 0.001},
      {"call": LIST, "status": 503}], 0, timedelta(hours=2)),
    ("platform answers another content type", "200 with an HTML page on 2 adds, then on the list",
     "taken for unknown and asked; 0 doubled",
     [{"call": ADD, "times": 2, "stores": True, **PAGE}, {"call": LIST, **PAGE}], 0, timedelta(hours=2)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "more", "within"),
    [
        pytest.param(faults, more, within, id=fault, marks=pytest.mark.fault(fault, how=how, expected=expected))
        for fault, how, expected, faults, more, within in TROUBLE
    ],
)
def test_everybody_gets_in_once(
    faults: list[dict[str, Any]],
    more: int,
    within: timedelta,
    zoom: FakeZoom,
    monkeypatch: pytest.MonkeyPatch,
    found: Found,
) -> None:
    """Guard: looking before adding again (where find_registrant found nobody, lost answers doubled people)."""
    if any(one.get("hangs", 0) > 1 for one in faults):
        monkeypatch.setattr(base, "LONGEST", 0.8)
    meeting, admission = ready(zoom)
    for _ in range(GUESTS):
        RegistrationFactory(admission=admission)
    work("zoom", NOW)
    before = len(zoom.calls(ADD))
    assert len(zoom.people[meeting.provider_id]) == GUESTS
    for _ in range(GUESTS):  # they meet the trouble; where one is looked for, the list has at least three pages
        RegistrationFactory(admission=admission)
    zoom.faults += [Fault(**one) for one in faults]
    began = NOW + MINUTE
    ended, _rounds = until_all_are_in("zoom", began, 2 * GUESTS)

    there = Counter(one["email"] for one in zoom.people[meeting.provider_id])
    asked = Counter(json.loads(one.body)["email"] for one in zoom.calls(ADD))
    adds = asked.total() - before
    pages = len(zoom.calls(LIST))
    found(
        f"{2 * GUESTS - len(there)} lost, {sum(there.values()) - len(there)} doubled; {adds} adds for {GUESTS} people, "
        f"at most {max(asked.values())} each, {pages} pages read; all in after {_words(ended - began)}"
    )
    assert zoom.faults == [], "the trouble did not come"
    assert (len(there), set(there.values())) == (2 * GUESTS, {1})
    assert adds <= GUESTS + more
    # What the platform refused for the whole account is nobody's add; its limit for one person is.
    of_account = [one for one in zoom.calls(ADD) if one.status == 429 and b"registrant" not in one.answer]
    refused = Counter(json.loads(one.body)["email"] for one in of_account)
    assert max((asked - refused).values()) <= people.ADDS_A_DAY
    assert ended - began <= within
    if "Retry-After" in faults[0].get("headers", {}) and within > HOUR:
        assert ended - began > 2 * HOUR
    assert not Message.objects.filter(state=MessageState.DEAD).exists()


def _words(span: timedelta) -> str:
    minutes = span // MINUTE
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


@pytest.mark.fault(
    "platform 401 for ever",
    how="every call refused for 2 hours, 5 people; then all is well",
    expected="way out closed, at most two calls for each probe, 0 given up; then all get in at once",
)
def test_credentials_refused_for_ever(zoom: FakeZoom, found: Found) -> None:
    """Guards: hosts.NOT_COUNTED (without it the probes used up the day, and people got in the next morning); HeldBack
    is Postponed for the message (as Temporary it opened the way out again and again).
    """
    _meeting, admission = ready(zoom)
    for _ in range(GUESTS):
        RegistrationFactory(admission=admission)
    zoom.is_known = False
    zoom.token_number += 100
    zoom.exchanges.clear()
    at = NOW
    for _ in range(120):
        work("zoom", at)
        at += MINUTE
    outage = Outage.objects.get()
    calls, dead = len(zoom.exchanges), Message.objects.filter(state=MessageState.DEAD).count()
    zoom.is_known = True
    AccessToken.objects.update(failed_until=None)  # its pause is counted on the real clock
    ended, _rounds = until_all_are_in("zoom", at, GUESTS)

    found(f"{calls} calls in 2 h, {dead} given up, “{outage.last_error}”; all in {_words(ended - at)} after its end")
    # A drain a minute is a probe a minute. Each tries the old token; a new one is asked for by the clock on the wall.
    assert calls <= 2 * 120
    assert dead == 0
    assert outage.group == "zoom"
    assert ended - at <= 2 * MINUTE
    assert sorted(zoom.adds.values()) == [1] * GUESTS


@pytest.mark.fault(
    "token run out under 20 workers",
    how="20 threads add 20 people at the same moment, the token has expired, the answer takes 0.3 s",
    expected="1 request for a token, 20 people in",
)
def test_token_is_refreshed_once_for_twenty_workers(zoom: FakeZoom, found: Found) -> None:
    """Guard: the claim of the row in tokens.get; tests/video/test_zoom.py has the same for a token that is refused."""
    meeting, admission = ready(zoom)
    guests = [platform_handlers.guest(RegistrationFactory(admission=admission)) for _ in range(20)]
    AccessToken.objects.update(expires_at=timezone.now())
    zoom.exchanges.clear()
    zoom.faults.append(Fault("oauth", stores=True, hangs=0.3))
    meeting = Meeting.objects.select_related("account").get(pk=meeting.pk)

    def enter(guest: people.Guest) -> None:
        try:
            people.enter(meeting, guest, now=NOW)
        finally:
            connection.close()

    began = time.monotonic()
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(enter, guests))
    seconds = time.monotonic() - began

    asked, there = len(zoom.calls("oauth")), len(zoom.people[meeting.provider_id])
    found(f"{asked} request, {there} of 20 people in after {seconds:.1f} s")
    assert (asked, there) == (1, 20)


@pytest.mark.fault(
    "Webex loses an answer, then 429, then 401",
    how="answer to an add lost; then 429 with Retry-After 30; then a token refused once",
    expected="0 lost, 0 doubled",
)
def test_webex_in_trouble(webex: FakeWebex, found: Found) -> None:
    """Guard: as above, looking before adding again."""
    meeting, admission = ready(webex)
    for _ in range(GUESTS):
        RegistrationFactory(admission=admission)
    webex.faults += [
        Fault(ADD, drops=True, stores=True),
        Fault(ADD, status=429, headers={"Retry-After": "30"}),
        Fault(ADD, status=401),
    ]
    ended, _rounds = until_all_are_in("webex", NOW, GUESTS)

    there = Counter(one["email"] for one in webex.people[meeting.provider_id])
    found(f"{GUESTS - len(there)} lost, {sum(there.values()) - len(there)} doubled; all in after {_words(ended - NOW)}")
    assert webex.faults == []
    assert (len(there), set(there.values())) == (GUESTS, {1})
