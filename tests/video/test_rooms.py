"""A meeting's life on its platform, from the published programme through the outbox."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

import outbox.services
from accounts.actors import SYSTEM
from events.models import Session, SessionState
from events.programme_checks import programme_of
from events.releases import publishing
from outbox.models import Message, Outage
from tests.factories import NOW, MeetingFactory, SideEventFactory
from tests.video.fakes.server import Fault
from tests.video.fakes.zoom import FakeZoom
from video import services
from video.models import HostAccount, HostUse, Meeting, MeetingState, Platform, Service
from video.programme_checks import check_meetings
from video.services import hosts, rooms

START = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
CREATE = "POST /v2/users/"


@pytest.fixture
def account(zoom: FakeZoom, db: None) -> HostAccount:
    """The office's account."""
    return HostAccount.objects.create(
        service=Service.ZOOM, label="Office", credentials=zoom.variables, host="host@office.example"
    )


def planned(**more: Any) -> Meeting:
    """A webinar that is wanted and not ordered yet."""
    session = more.pop("session", None) or SideEventFactory(
        state=SessionState.SCHEDULED, starts_at=START, ends_at=START + timedelta(hours=1)
    )
    values = {"platform": Platform.ZOOM_WEBINAR, "state": MeetingState.PLANNED, "address": "", "session": session}
    meeting: Meeting = MeetingFactory(**values | more)
    return meeting


def run(meeting: Meeting, *, at: datetime = NOW, again: bool = False) -> Meeting:
    """Order, and let the worker work."""
    rooms.order(meeting.pk, now=at, again=again)
    outbox.services.drain("zoom", now=at)
    meeting.refresh_from_db()
    return meeting


@pytest.mark.django_db(transaction=True)
def test_meeting_is_made_moved_and_taken_off_as_its_session(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = run(planned())

    assert (meeting.state, meeting.account) == (MeetingState.READY, account)
    assert zoom.meetings[meeting.provider_id]["topic"] == meeting.session.title.best("en").text  # type: ignore[union-attr]
    assert not zoom.meetings[meeting.provider_id]["settings"]["registrants_confirmation_email"]
    rooms.order_what_changed(now=NOW)
    outbox.services.drain("zoom", now=NOW)
    assert len(zoom.calls("PATCH")) == 1, "nothing has changed"

    Session.objects.filter(meeting=meeting).update(
        starts_at=START + timedelta(hours=2), ends_at=START + timedelta(hours=3)
    )
    assert rooms.order_what_changed(now=NOW) == 1
    outbox.services.drain("zoom", now=NOW)
    assert zoom.meetings[meeting.provider_id]["start_time"] == "2030-07-15T11:00:00Z"

    Session.objects.filter(meeting=meeting).update(state=SessionState.CANCELLED)
    assert rooms.order_what_changed(now=NOW) == 1
    outbox.services.drain("zoom", now=NOW)
    meeting.refresh_from_db()
    assert (zoom.meetings, meeting.provider_id, meeting.address) == ({}, "", "")
    assert len(zoom.calls(CREATE)) == 1
    assert list(Message.objects.exclude(state="sent")) == []


@pytest.mark.django_db(transaction=True)
def test_order_is_undone_with_the_change_that_causes_it(account: HostAccount) -> None:
    meeting = planned()

    with transaction.atomic():
        rooms.order(meeting.pk, now=NOW)
        transaction.set_rollback(True)

    assert not Message.objects.exists()
    assert rooms.order_what_changed(now=NOW) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stores", [True, False])
def test_meeting_is_not_made_twice_when_the_answer_is_lost(stores: bool, account: HostAccount, zoom: FakeZoom) -> None:
    zoom.faults.append(Fault(CREATE, drops=True, stores=stores))
    meeting = run(planned())
    assert (meeting.state, meeting.is_unsure) == (MeetingState.PLANNED, True)

    outbox.services.drain("zoom", now=NOW + timedelta(minutes=1))
    meeting.refresh_from_db()

    assert (meeting.state, meeting.is_unsure) == (MeetingState.READY, False)
    assert (len(zoom.meetings), len(zoom.calls(CREATE))) == (1, 1 if stores else 2)


@pytest.mark.django_db(transaction=True)
def test_meeting_deleted_over_there_is_made_anew(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = run(planned())
    zoom.meetings.clear()

    run(meeting, again=True)  # nothing differs: nothing is asked
    Session.objects.filter(meeting=meeting).update(ends_at=START + timedelta(hours=2))
    run(meeting)
    outbox.services.drain("zoom", now=NOW + timedelta(hours=1))

    meeting.refresh_from_db()
    assert list(zoom.meetings) == [meeting.provider_id]
    assert meeting.state == MeetingState.READY


@pytest.mark.django_db(transaction=True)
def test_starting_over_gives_a_new_room_and_takes_the_old_one_off(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = run(planned())
    old = meeting.provider_id

    rooms.start_over(meeting.pk, by=SYSTEM, now=NOW)
    outbox.services.drain("zoom", now=NOW)

    meeting.refresh_from_db()
    assert meeting.state == MeetingState.READY
    assert meeting.provider_id != old
    assert list(zoom.meetings) == [meeting.provider_id]


@pytest.mark.django_db(transaction=True)
def test_cancelled_meeting_is_taken_off(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = run(planned())

    services.cancel(meeting.pk, by=SYSTEM, now=NOW)
    outbox.services.drain("zoom", now=NOW)

    meeting.refresh_from_db()
    assert (zoom.meetings, meeting.state) == ({}, MeetingState.CANCELLED)


@pytest.mark.django_db(transaction=True)
def test_outage_of_the_platform_stops_no_other_way_out(account: HostAccount, zoom: FakeZoom) -> None:
    zoom.is_known = False

    meeting = run(planned())

    outage = Outage.objects.get()
    assert (outage.group, outage.last_error) == ("zoom", "The video platform refuses our credentials.")
    assert meeting.last_error == "The video platform refuses our credentials."


@pytest.mark.django_db(transaction=True)
def test_host_is_one_that_is_free_and_has_budget(account: HostAccount, zoom: FakeZoom) -> None:
    HostUse.objects.create(account=account, day=NOW.date(), changes=99)
    other = HostAccount.objects.create(
        service=Service.ZOOM, label="Other", credentials=zoom.variables, host="other@office.example"
    )

    first, second, third = (run(planned()) for _ in range(3))

    assert (first.account, second.account, third.account) == (other, account, None)
    assert third.last_error == "No host account is free at that time."
    assert second.state == MeetingState.PLANNED, "the day's budget was used up between its two calls"
    message = Message.objects.get(about_id=second.public_id)
    assert message.next_attempt_at == hosts.next_day(NOW)


@pytest.mark.django_db
def test_new_room_goes_where_the_budget_lasts_for_it(account: HostAccount) -> None:
    """Guard: rank in hosts.reserve; it was made by a host with one change left, and finished the day after."""
    other = HostAccount.objects.create(service=Service.ZOOM, label="Other", daily_changes=200)
    for one, changes in ((account, 99), (other, 150)):
        HostUse.objects.create(account=one, day=NOW.date(), changes=changes)
    meeting = planned()
    spec = rooms.plan(meeting).spec
    assert spec is not None

    assert hosts.reserve(meeting, spec, now=NOW) == other


@pytest.mark.django_db(transaction=True)
def test_resting_host_gets_no_new_room(account: HostAccount, zoom: FakeZoom) -> None:
    """Its own rooms wait; who looks at the account sees until when."""
    HostAccount.objects.update(changes_rest_until=NOW + timedelta(hours=2))
    other = HostAccount.objects.create(
        service=Service.ZOOM, label="Other", credentials=zoom.variables, host="other@office.example"
    )
    resting = planned(account=account)

    assert run(planned()).account == other
    assert run(resting).last_error == "The video platform asks us to wait."
    assert Message.objects.get(about_id=resting.public_id).next_attempt_at == NOW + timedelta(hours=2)


@pytest.mark.django_db(transaction=True)
def test_new_room_waits_for_a_resting_host_unless_it_would_come_too_late(account: HostAccount, zoom: FakeZoom) -> None:
    """Guard: HeldBack in hosts.reserve; the order was given up, and no sweep asked again."""
    until = NOW + timedelta(seconds=5)
    HostAccount.objects.update(changes_rest_until=until)

    waiting = run(planned())
    assert Message.objects.get(about_id=waiting.public_id).next_attempt_at == until
    outbox.services.drain("zoom", now=until)
    waiting.refresh_from_db()
    assert waiting.state == MeetingState.READY

    session = SideEventFactory(state=SessionState.SCHEDULED, starts_at=until, ends_at=until + timedelta(hours=1))
    assert run(planned(session=session)).last_error == "No host account is free at that time."


@pytest.mark.django_db
def test_language_that_the_platform_lacks_is_a_warning_beforehand(account: HostAccount) -> None:
    session = SideEventFactory(
        state=SessionState.SCHEDULED, starts_at=START, ends_at=START + timedelta(hours=1),
        working_languages=["en"], interpretation_languages=["it", "fr"],
    )  # fmt: skip
    meeting = planned(session=session)

    assert rooms.warnings(meeting) == ["The platform has no interpretation for: it."]
    found = [finding.code for finding in check_meetings(programme_of(session.conference))]
    assert found == ["meeting_language_missing"]
    account.own_languages = ["it"]
    account.save()
    assert rooms.warnings(meeting) == []


@pytest.mark.django_db
def test_missing_account_and_credentials_are_warnings(zoom: FakeZoom) -> None:
    meeting = planned()
    assert rooms.warnings(meeting) == ["There is no host account for this platform."]

    HostAccount.objects.create(service=Service.ZOOM, label="Office", variables="NO_SUCH")

    assert rooms.warnings(meeting) == [
        "The host account “Office” lacks NO_SUCH_ACCOUNT_ID, NO_SUCH_CLIENT_ID, NO_SUCH_CLIENT_SECRET."
    ]


@pytest.mark.django_db(transaction=True)
def test_another_platform_gives_up_room_and_account(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = run(planned())

    with transaction.atomic():
        rooms.leave_platform(meeting.pk, now=NOW)
    outbox.services.drain("zoom", now=NOW)

    meeting.refresh_from_db()
    assert (zoom.meetings, meeting.provider_id, meeting.address, meeting.state) == ({}, "", "", MeetingState.PLANNED)


@pytest.mark.django_db(transaction=True)
def test_room_under_way_when_its_meeting_is_cancelled_is_taken_off(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = planned()
    rooms.order(meeting.pk, now=NOW)
    zoom.faults.append(Fault("PATCH", status=503))
    outbox.services.drain("zoom", now=NOW)
    services.cancel(meeting.pk, by=SYSTEM, now=NOW)

    for minutes in (10, 50, 90):
        outbox.services.drain("zoom", now=NOW + timedelta(minutes=minutes))

    assert zoom.meetings == {}
    assert not Message.objects.unsent().exists()


@pytest.mark.django_db(transaction=True)
def test_platform_that_is_away_closes_its_way_out(account: HostAccount, zoom: FakeZoom) -> None:
    HostAccount.objects.update(credentials=zoom.variables.replace(zoom.base, "http://127.0.0.1:9"))

    meeting = run(planned())

    assert Outage.objects.get().group == "zoom"
    assert Message.objects.get().attempts == 0
    assert meeting.is_unsure is False


@pytest.mark.django_db(transaction=True)
def test_nothing_is_made_for_what_is_over(account: HostAccount) -> None:
    meeting = planned()

    assert not rooms.order(meeting.pk, now=START + timedelta(hours=1))
    assert not Message.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_publishing_orders_in_its_own_transaction(account: HostAccount, zoom: FakeZoom) -> None:
    meeting = planned()
    conference = meeting.session.conference  # type: ignore[union-attr]
    publishing.publish(conference, by=None, now=NOW, check=False)
    outbox.services.drain("zoom", now=NOW)

    Session.objects.filter(meeting=meeting).update(ends_at=START + timedelta(hours=2))
    assert rooms.order_what_changed(now=NOW) == 0, "a draft changes nothing over there"
    publishing.publish(conference, by=None, now=NOW + timedelta(hours=1), check=False)
    outbox.services.drain("zoom", now=NOW + timedelta(hours=1))

    assert [one["duration"] for one in zoom.meetings.values()] == [120]
