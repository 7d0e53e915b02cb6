"""Meetings with somebody who must not be recorded are made with recording off."""

from __future__ import annotations

from dataclasses import replace

import jwt
import pytest

import outbox.services
from accounts import actors
from speakers import protection
from tests.factories import NOW, ContributionFactory
from tests.video.fakes import judge
from tests.video.fakes.webex import FakeWebex
from tests.video.fakes.zoom import FakeZoom
from tests.video.test_computed_links import ADA, START, jitsi
from tests.video.test_rooms import account as account
from tests.video.test_rooms import planned, run
from tests.video.test_webex import SPEC, adapter, webex
from video import recordings
from video.adapters.webex import Webex
from video.models import HostAccount, Meeting
from video.services import rooms

__all__ = ["account", "adapter", "webex"]


@pytest.mark.django_db(transaction=True)
def test_a_protected_speaker_turns_recording_off_in_a_meeting_that_is_there(
    account: HostAccount, zoom: FakeZoom
) -> None:
    meeting = run(planned())
    assert "auto_recording" not in zoom.meetings[meeting.provider_id]["settings"]
    seat = ContributionFactory.create(session=meeting.session)
    protection.protect(person_id=seat.person.pk, wanted=protection.Wanted(no_recording=True), by=actors.SYSTEM, now=NOW)
    assert rooms.order_what_changed(now=NOW) == 1
    outbox.services.drain("zoom", now=NOW)
    assert zoom.meetings[meeting.provider_id]["settings"]["auto_recording"] == "none"
    openapi = judge.document("zoom/zoom-meetings-webinars", ("/users/{userId}/webinars", "/webinars/{webinarId}"))
    for exchange in zoom.calls("/v2/"):
        judge.judge(openapi, "https://api.zoom.us", exchange)
    assert any("must not be recorded" in line for line in rooms.warnings(meeting))


@pytest.mark.django_db
def test_webex_is_told(adapter: Webex, webex: FakeWebex) -> None:
    spec = replace(SPEC, is_recordable=False)
    adapter.create_session(Meeting(), spec, key="key")
    [held] = webex.meetings.values()
    assert held["enabledAutoRecordMeeting"] is False


def test_a_jitsi_pass_forbids_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "_questions", [lambda _session, _conference: True])
    secret = "a-secret-of-more-than-thirty-two-bytes"
    url = jitsi("APP_ID=office", f"APP_SECRET={secret}").join_url(Meeting(provider_id="room"), ADA, now=START)
    claims = jwt.decode(url.partition("?jwt=")[2], options={"verify_signature": False})
    assert claims["context"]["features"] == {"recording": False, "livestreaming": False}
