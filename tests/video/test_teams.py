"""The Teams adapter against a Graph in this process."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.video.fakes import teams as fakes
from tests.video.fakes.server import Fault
from tests.video.fakes.teams import FakeTeams
from video.adapters import base, errors, tokens
from video.adapters.credentials import missing
from video.adapters.http import Answer
from video.adapters.teams import Teams, error_of
from video.models import HostAccount, Meeting, Platform, Service
from video.services import rooms

pytestmark = pytest.mark.django_db
START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
SPEC = base.SessionSpec("Opening", START, START + timedelta(hours=1), "Europe/Vienna", "en", ("en", "it"))
ADD = "POST .*/registrations$"


@pytest.fixture
def teams() -> Iterator[FakeTeams]:
    """A Graph of the test's own."""
    fake = FakeTeams()
    yield fake
    fake.close()


@pytest.fixture
def adapter(teams: FakeTeams) -> Teams:
    """The adapter there."""
    return Teams(HostAccount.objects.create(service=Service.TEAMS, label="Office", credentials=teams.variables))


def person(number: int = 1, name: str = "") -> base.Attendee:
    """Somebody, with an apostrophe in the address."""
    return base.Attendee(uuid.UUID(int=number), name or f"Guest {number}", f"o'guest{number}@relay.example", "it")


def made(adapter: Teams) -> Meeting:
    """A webinar that the fake has, published."""
    meeting = Meeting(platform=Platform.TEAMS)
    meeting.provider_id = adapter.create_session(meeting, SPEC, key="key-1").provider_id
    adapter.update(meeting, SPEC)
    return meeting


def test_webinar_is_made_published_moved_and_cancelled_as_the_organiser(adapter: Teams, teams: FakeTeams) -> None:
    meeting = made(adapter)
    adapter.update(meeting, SPEC)
    found = adapter.find_session(meeting, key="key-1")
    stored = teams.meetings[meeting.provider_id] | {}
    adapter.cancel(meeting)
    adapter.cancel(meeting)  # cancelled already is fine
    adapter.cancel(Meeting(provider_id="gone"))

    assert found is not None
    assert found.provider_id == meeting.provider_id
    assert adapter.find_session(meeting, key="key-1") is None, "cancelled for good"
    assert stored["settings"] == {"isAttendeeEmailNotificationEnabled": False}
    assert stored["audience"] == "everyone"
    assert stored["startDateTime"] == {"dateTime": "2030-07-15T09:00:00", "timeZone": "UTC"}
    assert len(teams.calls("/publish")) == len(teams.calls("POST .*/cancel")) == 1
    assert len(teams.calls("/token")) == 1
    account = HostAccount.objects.get()
    assert "REFRESH_TOKEN=canary-refresh-1" in account.credentials, "the renewed one is kept"
    assert "CLIENT_SECRET=canary-secret" in account.credentials
    with pytest.raises(errors.NotFound):
        adapter.update(meeting, SPEC)


def test_people_are_entered_cancelled_and_entered_again_as_the_application(adapter: Teams, teams: FakeTeams) -> None:
    meeting = made(adapter)
    people = [adapter.add_registrant(meeting, person(number)) for number in range(3)]
    adapter.add_registrant(meeting, person(3, "Wren"))
    listed = [one.email for one in adapter.registrants(meeting)]
    adapter.set_status(meeting, people[1:2], base.RegistrantAction.CANCEL)
    cancelled = adapter.find_registrant(meeting, email=people[1].email)
    adapter.set_status(meeting, people[1:2], base.RegistrantAction.APPROVE)
    again = adapter.find_registrant(meeting, email=people[1].email.upper())
    adapter.remove(meeting, people[2].provider_id)
    adapter.remove(meeting, "gone")

    assert people[0].join_url == "https://teams.microsoft.com/l/meetup-join/canary-r0"
    assert listed == [f"o'guest{number}@relay.example" for number in range(4)], "two pages"
    assert cancelled is not None
    assert cancelled.status is base.RegistrantStatus.DENIED
    assert again is not None
    assert again.status is base.RegistrantStatus.APPROVED
    assert again.join_url
    entered = teams.people[meeting.provider_id]
    assert [(one["firstName"], one["lastName"]) for one in entered[3:]] == [("Wren", "-"), ("Guest", "1")]
    assert {one["preferredLanguage"] for one in entered} == {"it-it"}
    bearers = {one.headers["authorization"] for one in teams.calls("/registrations")}
    assert bearers == {"Bearer canary-application"}


def test_everything_said_is_in_the_metadata_of_graph(adapter: Teams, teams: FakeTeams) -> None:
    adapter.add_registrant(made(adapter), person())

    webinar, registration = "virtualEventWebinar", "virtualEventRegistration"
    exchanges = teams.calls("(POST|PATCH) .*/webinars")
    assert {"/registrations" in exchange.path for exchange in exchanges} == {False, True}
    for exchange in exchanges:
        said = json.loads(exchange.body or b"{}")
        assert set(said) <= fakes.properties(registration if "/registrations" in exchange.path else webinar)
        assert set(said.get("settings", {})) <= fakes.properties("virtualEventSettings")
        assert set(said.get("startDateTime", {})) <= fakes.properties("dateTimeTimeZone")


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(ADD)],
        [Fault(ADD, stores=True, drops=True)],
        [Fault(ADD, status=409)],
        [Fault("GET .*/registrations$", status=429, headers={"Retry-After": "5"})],
        [Fault("GET .*/sessions$", times=2)],
    ],
)
def test_lost_answer_is_looked_for_and_not_repeated(faults: list[Fault], adapter: Teams, teams: FakeTeams) -> None:
    meeting = made(adapter)
    teams.faults += faults

    with pytest.raises(errors.OutcomeUnknown):
        adapter.add_registrant(meeting, person())

    teams.faults.clear()
    found = adapter.find_registrant(meeting, email=person().email)
    assert (found is not None) == bool(teams.people[meeting.provider_id])
    assert len(teams.calls(ADD)) == 1


def test_refused_for_ever_is_an_outage_and_a_limit_says_when(adapter: Teams, teams: FakeTeams) -> None:
    meeting = made(adapter)
    teams.faults.append(Fault(ADD, status=429, headers={"Retry-After": "30"}))
    with pytest.raises(errors.RateLimited) as caught:
        adapter.add_registrant(meeting, person())
    teams.faults.append(Fault(ADD, times=9, status=401))

    with pytest.raises(tokens.CredentialsRefused):
        adapter.add_registrant(meeting, person())

    assert caught.value.retry_at is not None
    assert len(teams.calls(ADD)) == 3


def test_account_without_the_organiser_and_interpretation_are_warned_of_before() -> None:
    account = HostAccount(service=Service.TEAMS, label="Office", credentials="TENANT_ID=t\nCLIENT_ID=i")

    assert missing(account) == ["TEAMS_CLIENT_SECRET", "TEAMS_REFRESH_TOKEN"]
    assert rooms.languages_lacking(Teams.facts().languages, [account], ["en", "it"]) == ["en", "it"]
    account.own_languages = ["en", "it"]
    assert rooms.languages_lacking(Teams.facts().languages, [account], ["en", "it"]) == []


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, errors.NotFound),
        (403, errors.OperatorActionNeeded),
        (423, errors.Unavailable),
        (400, errors.InvalidRequest),
    ],
)
def test_errors_of_graph_in_our_words(status: int, error: type[errors.VideoError]) -> None:
    said: dict[str, Any] = {"error": {"code": "No"}}
    assert type(error_of(Answer(status, said), errors.Thing.SESSION)) is error
