"""Gateway and board, walked: too early, in, a room replaced, somebody refused and tried again, a link replaced."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings as house_settings
from django.test import Client
from django.utils import timezone

import outbox.services
from accounts.actors import SYSTEM
from events.admin import pages
from events.models import SessionState
from registration import services
from registration.joining import platform_handlers
from registration.models import Registration, RegistrationStatus
from tests.browser import chromium
from tests.factories import (
    AdmissionFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
)
from tests.video.fakes.server import Fault
from tests.video.fakes.zoom import FakeZoom
from video.models import HostAccount, Meeting, MeetingState, Platform, Service
from video.services import events, rooms

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from tests.browser.conftest import OpenPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(chromium.find() is None, reason="Chromium is not here"),
]
SECRET = "canary-hook"


@pytest.fixture
def zoom() -> Iterator[FakeZoom]:
    """A Zoom of the test's own."""
    fake = FakeZoom()
    yield fake
    fake.close()


@pytest.fixture
def meeting(zoom: FakeZoom) -> Meeting:
    """A webinar that is ready; its door opens in some seconds."""
    credentials = f"{zoom.variables}\nWEBHOOK_SECRET={SECRET}"
    HostAccount.objects.create(service=Service.ZOOM, label="Office", credentials=credentials, host="host")
    now = timezone.now()
    session = SideEventFactory(
        state=SessionState.SCHEDULED,
        title={"en": "Opening"},
        starts_at=now + timedelta(minutes=10),
        ends_at=now + timedelta(hours=2),
    )
    made: Meeting = MeetingFactory(
        session=session, platform=Platform.ZOOM_WEBINAR, state=MeetingState.PLANNED, address="", allowed_hosts=[]
    )
    rooms.order(made.pk, now=now)
    outbox.services.drain("zoom")
    made.refresh_from_db()
    return made


def _picture(page: Any, name: str) -> None:
    if folder := os.environ.get("JOIN_SCREENS"):
        for width, scheme in ((390, "light"), (1280, "dark"), (390, "dark"), (1280, "light")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=str(Path(folder) / f"{name}-{width}-{scheme}.png"), full_page=True)


def _in_the_room(page: Any) -> list[dict[str, str]]:
    """Answer for the platform's pages; the headers of the requests for them."""
    seen: list[dict[str, str]] = []

    def answer(route: Any) -> None:
        seen.append(route.request.headers)
        route.fulfill(status=200, content_type="text/html", body="<!doctype html><title>Room</title><h1>Room</h1>")

    page.route("https://zoom.us/**", answer)
    return seen


def _work() -> None:
    platform_handlers.queue_missing_registrants(now=timezone.now())
    outbox.services.drain("zoom")


def _hook(account: HostAccount, data: dict[str, Any]) -> None:
    raw, stamp = json.dumps(data).encode(), str(int(time.time()))
    mac = hmac.new(SECRET.encode(), f"v0:{stamp}:".encode() + raw, hashlib.sha256).hexdigest()
    answer = Client().post(
        f"/hooks/zoom/{account.public_id}/",
        raw,
        content_type="application/json",
        headers={"x-zm-request-timestamp": stamp, "x-zm-signature": f"v0={mac}"},
    )
    assert answer.status_code == 204
    outbox.services.drain(events.GROUP)


def _person(meeting: Meeting, name: str, **more: Any) -> Registration:
    assert meeting.session is not None
    admission = meeting.session.admissions.first() or AdmissionFactory(session=meeting.session)
    participant = ParticipantFactory(conference=admission.conference, display_name=name)
    found: Registration = RegistrationFactory(admission=admission, participant=participant, **more)
    return found


def test_who_awaits_approval_is_let_in_without_loading_the_page_anew(open_page: OpenPage, meeting: Meeting) -> None:
    ada = _person(meeting, "Ada", status=RegistrationStatus.PENDING)
    page = open_page(f"/join/{ada.join_token}/")
    page.clock.install()
    page.reload()
    page.get_by_text("Your registration awaits approval.").wait_for()

    services.approve(registration_id=ada.pk, by=SYSTEM, now=timezone.now())
    page.clock.fast_forward(60_000)

    page.get_by_role("button", name="Join now").wait_for()
    page.get_by_text("Your registration awaits approval.").wait_for(state="hidden")


def test_gateway_and_board(open_page: OpenPage, live_server: LiveServer, meeting: Meeting, zoom: FakeZoom) -> None:
    ada = _person(meeting, "Ada")
    link = f"/join/{ada.join_token}/"
    Meeting.objects.filter(pk=meeting.pk).update(opens_at=timezone.now() + timedelta(seconds=8))

    # Too early; the page goes on by itself, without JavaScript. The registrant was not made: it is made at the click.
    page = open_page(link, javascript=False, width=390)
    page.get_by_text("Less than a minute is left.").wait_for()
    _picture(page, "early")
    page.get_by_role("button", name="Join now").wait_for(timeout=20_000)
    _picture(page, "open")
    seen = _in_the_room(page)
    page.get_by_role("button", name="Join now").click()
    page.get_by_role("heading", name="Room").wait_for()
    assert page.url == zoom.people[meeting.provider_id][0]["join_url"]
    assert "referer" not in seen[0]

    # The room breaks and is made anew: the same link leads to the new one.
    rooms.start_over(meeting.pk, by=SYSTEM, now=timezone.now())
    page = open_page(link)
    page.get_by_role("heading", name="The meeting will open in a moment").wait_for()
    _picture(page, "moment")
    outbox.services.drain("zoom")
    meeting.refresh_from_db()
    page.reload()
    _in_the_room(page)
    page.get_by_role("button", name="Join now").click()
    page.get_by_role("heading", name="Room").wait_for()
    assert f"/w/{meeting.provider_id}" in page.url

    # The board: Ada has clicked, and joined when the platform says so. Ben is refused and tried again.
    zoom.faults.append(Fault("POST .*/registrants$", status=400, data={"code": 3027, "message": "No."}))
    _person(meeting, "Ben")
    _work()
    who = {"registrant_id": zoom.people[meeting.provider_id][0]["id"], "user_name": "Somebody else"}
    thing = {"id": meeting.provider_id, "participant": who}
    assert meeting.account is not None
    now = int(time.time() * 1000)
    _hook(meeting.account, {"event": "webinar.participant_joined", "event_ts": now, "payload": {"object": thing}})
    board = pages.url("joining-of", ada.admission.conference, admission=ada.admission.public_id)
    client = Client()
    client.force_login(StaffFactory())
    session = client.cookies[house_settings.SESSION_COOKIE_NAME].value
    page = open_page("/robots.txt")
    page.context.add_cookies([{"name": house_settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
    page.goto(live_server.url + board)
    ben = page.locator("#board tr", has_text="Ben")
    assert "Not taken by the platform" in ben.inner_text()
    for cell in page.locator("#board tr", has_text="Ada").locator("td").all()[2:4]:
        assert cell.inner_text() != "–"
    _picture(page, "board")
    page.get_by_role("button", name="Queue again what failed").click()
    page.get_by_text("were queued again.").wait_for()
    _work()
    page.reload()
    assert "Entered" in ben.inner_text()
    page.get_by_role("button", name="Queue again what failed").click()
    page.get_by_text("Nothing has to be queued again.").wait_for()

    # The link went round: a new one, and the old one says so.
    page.get_by_role("button", name="Replace the link: Ada").click()
    page.get_by_text("The old link is worthless now.").wait_for()
    page.goto(live_server.url + board.partition("joining/")[0] + "joining/")
    _picture(page, "boards")
    page.goto(live_server.url + pages.url("rehearsal", ada.admission.conference))
    page.get_by_role("button", name="Begin the rehearsal").click()
    page.get_by_text("A meeting is open, or opens within two hours").wait_for()  # nobody's mails are held now
    _picture(page, "rehearsal")
    page = open_page(link)
    page.get_by_role("heading", name="This link has been replaced").wait_for()
    _picture(page, "replaced")
