"""The Webex adapter against a Webex in this process."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import outbox.services
from accounts.actors import SYSTEM
from events.models import Session, SessionState
from events.programme_checks import programme_of
from tests.factories import NOW, SideEventFactory
from tests.video.fakes import judge
from tests.video.fakes.server import Fault
from tests.video.fakes.webex import LINK, FakeWebex
from tests.video.test_rooms import planned
from video.adapters import base, errors, tokens
from video.adapters.http import Answer
from video.adapters.webex import Webex, WebexWebinar, error_of
from video.models import HostAccount, Meeting, Platform, Service
from video.programme_checks import check_meetings
from video.services import rooms

pytestmark = pytest.mark.django_db
START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
SPEC = base.SessionSpec("Opening", START, START + timedelta(hours=1), "Europe/Vienna", "en", ("en", "it"))


@pytest.fixture
def webex() -> Iterator[FakeWebex]:
    """A Webex of the test's own."""
    fake = FakeWebex()
    yield fake
    fake.close()


@pytest.fixture
def adapter(webex: FakeWebex) -> Webex:
    """The adapter there."""
    return Webex(
        HostAccount(service=Service.WEBEX, label="Office", credentials=webex.variables, host="host@office.example")
    )


def person(number: int = 1, name: str = "") -> base.Attendee:
    """Somebody."""
    return base.Attendee(uuid.UUID(int=number), name or f"Guest {number}", f"guest{number}@relay.example")


def made(adapter: Webex) -> Meeting:
    """A meeting that the fake has."""
    meeting = Meeting(platform=Platform.WEBEX)
    meeting.provider_id = adapter.create_session(meeting, SPEC, key="key").provider_id
    return meeting


def test_everything_said_to_webex_is_as_its_own_document_demands(adapter: Webex, webex: FakeWebex) -> None:
    meeting = made(adapter)
    adapter.update(meeting, SPEC)
    found = adapter.find_session(meeting, key="key")
    people = [adapter.add_registrant(meeting, person(number)) for number in range(4)]
    adapter.add_registrant(meeting, person(4, "Wren"))
    listed = [one.email for one in adapter.registrants(meeting)]
    link = adapter.join_url(meeting, person(2), now=START)
    adapter.set_status(meeting, people[3:], base.RegistrantAction.CANCEL)
    gone = adapter.find_registrant(meeting, email="guest3@relay.example")
    there = adapter.find_registrant(meeting, email="GUEST2@relay.example")
    names = [(one["firstName"], one["lastName"]) for one in webex.people[meeting.provider_id]]
    adapter.cancel(meeting)
    adapter.cancel(meeting)  # gone already is fine

    assert found is not None
    assert found.provider_id == meeting.provider_id
    assert listed == [f"guest{number}@relay.example" for number in range(5)], "three pages"
    assert link == f"{LINK}guest2@relay.example"
    assert gone is None
    assert there is not None
    assert there.provider_id == people[2].provider_id
    assert names[-1] == ("Wren", "-"), "an alias of one word stays one"
    assert len(webex.calls("access_token")) == 1
    thing = "/meetings/{meetingId}"
    rest = ("", "/query", "/bulkDelete")
    paths = ("/meetings", "/meetings/join", thing, *(f"{thing}/registrants{end}" for end in rest))
    openapi = judge.document("webex/webex-meetings", paths)
    for exchange in webex.calls("/v1/(?!access_token)"):
        judge.judge(openapi, "https://webexapis.com", exchange)


def test_refused_for_ever_is_an_outage(adapter: Webex, webex: FakeWebex) -> None:
    meeting = made(adapter)
    webex.faults.append(Fault("/registrants", times=9, status=401))

    with pytest.raises(tokens.CredentialsRefused):
        adapter.add_registrant(meeting, person())

    assert len(webex.calls("/registrants")) == 2


def test_limit_says_when_to_come_back(adapter: Webex, webex: FakeWebex) -> None:
    meeting = made(adapter)
    webex.faults.append(Fault("/registrants", status=429, headers={"Retry-After": "30"}))

    with pytest.raises(errors.RateLimited) as caught:
        adapter.add_registrant(meeting, person())

    assert caught.value.retry_at is not None


@pytest.mark.parametrize("fault", [{}, {"drops": True, "stores": True}, {"status": 409}])
def test_lost_answer_is_looked_for_and_not_repeated(fault: dict[str, Any], adapter: Webex, webex: FakeWebex) -> None:
    meeting = made(adapter)
    webex.faults.append(Fault("POST .*/registrants$", **fault))

    with pytest.raises(errors.OutcomeUnknown):
        adapter.add_registrant(meeting, person())

    found = adapter.find_registrant(meeting, email="guest1@relay.example")
    assert (found is not None) == bool(fault.get("stores"))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.NotFound),
        (403, errors.OperatorActionNeeded),
        (423, errors.Unavailable),
        (400, errors.InvalidRequest),
    ],
)
def test_webex_errors_in_our_words(status: int, error: type[errors.VideoError]) -> None:
    assert type(error_of(Answer(status, {"message": "No."}), errors.Thing.SESSION)) is error


def test_webinar_needs_the_number_of_its_kind_and_no_host_at_the_click(webex: FakeWebex) -> None:
    number = "\nWEBINAR_SESSION_TYPE=7"
    account = HostAccount(
        service=Service.WEBEX, label="Office", credentials=webex.variables + number, host="host@office.example"
    )
    adapter = WebexWebinar(account)
    meeting = made(adapter)
    adapter.add_registrant(meeting, person())
    adapter.join_url(meeting, person(), now=START)

    stored = webex.meetings[meeting.provider_id]
    assert (stored["scheduledType"], stored["sessionTypeId"]) == ("webinar", 7)
    assert b"hostEmail" not in webex.calls("/meetings/join")[0].body
    openapi = judge.document("webex/webex-meetings", ("/meetings", "/meetings/join"))
    for exchange in webex.calls("/v1/meetings(/join)?$"):
        judge.judge(openapi, "https://webexapis.com", exchange)
    account.credentials = webex.variables
    with pytest.raises(errors.OperatorActionNeeded):
        WebexWebinar(account).create_session(meeting, SPEC, key="key")


@pytest.mark.django_db(transaction=True)
def test_interpretation_that_came_after_the_room_is_a_warning(webex: FakeWebex) -> None:
    """Webex takes it when a room is made and never again: neither it nor anybody else said so."""
    HostAccount.objects.create(
        service=Service.WEBEX, label="Office", credentials=webex.variables, host="host@office.example"
    )
    session = SideEventFactory(
        state=SessionState.SCHEDULED, starts_at=START, ends_at=START + timedelta(hours=1),
        working_languages=["en"], interpretation_languages=["fr"],
    )  # fmt: skip
    meeting = planned(session=session, platform=Platform.WEBEX)

    def warned() -> tuple[int, list[str]]:
        rooms.order(meeting.pk, now=NOW)
        outbox.services.drain("webex", now=NOW)
        meeting.refresh_from_db()
        return len(rooms.warnings(meeting)), [one.code for one in check_meetings(programme_of(session.conference))]

    assert warned() == (0, [])
    assert (bool(meeting.provider_id), meeting.made_languages) == (True, ["en", "fr"])
    Session.objects.filter(pk=session.pk).update(interpretation_languages=["fr", "de"])
    assert warned() == (1, ["meeting_language_not_told"])
    rooms.start_over(meeting.pk, by=SYSTEM, now=NOW)
    assert warned() == (0, [])
    assert meeting.made_languages == ["de", "en", "fr"]
