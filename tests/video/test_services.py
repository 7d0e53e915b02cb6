"""Saving addresses, and the door."""

from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from structlog.testing import capture_logs

from accounts.actors import Actor
from accounts.models import ActorKind, AuditEntry
from tests.factories import NOW, MeetingFactory, StaffFactory
from video import services
from video.adapters.static import UnsafeAddress
from video.models import Meeting, MeetingState, Platform

SECRET = "https://meet.provider.example/canary-room?pwd=canary-word"
STARTS = datetime(2030, 7, 15, 9, 0, tzinfo=UTC)
ENDS = datetime(2030, 7, 15, 10, 0, tzinfo=UTC)
OPENS = STARTS - timedelta(minutes=15)
SYSTEM = Actor(ActorKind.SYSTEM)


def door(meeting: Meeting | None, now: datetime, **span: Any) -> services.Door:
    """The door of the meeting of a session with known times."""
    span = {"starts_at": STARTS, "ends_at": ENDS} | span
    return services.open_door(meeting=meeting, guest=services.Guest(uuid.UUID(int=1), "Ada"), now=now, **span)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (OPENS - timedelta(microseconds=1), services.NotYet(OPENS)),
        (OPENS, services.OpenDoor("https://meet.provider.example/canary-room")),
        (ENDS - timedelta(microseconds=1), services.OpenDoor("https://meet.provider.example/canary-room")),
        (ENDS, services.Over(ENDS)),
    ],
)
@pytest.mark.django_db
def test_open_door_follows_the_window(now: datetime, expected: services.Door) -> None:
    assert door(MeetingFactory(), now) == expected


@pytest.mark.django_db
def test_open_door_follows_the_window_an_organiser_set() -> None:
    rehearsal = STARTS - timedelta(days=1)
    meeting = MeetingFactory(opens_at=rehearsal, closes_at=ENDS + timedelta(hours=1))

    assert door(meeting, rehearsal - timedelta(seconds=1)) == services.NotYet(rehearsal)
    assert isinstance(door(meeting, rehearsal), services.OpenDoor)
    assert isinstance(door(meeting, ENDS), services.OpenDoor)
    assert door(meeting, ENDS + timedelta(hours=1)) == services.Over(ENDS + timedelta(hours=1))


@pytest.mark.django_db
def test_open_door_without_times_says_so() -> None:
    assert door(MeetingFactory(), STARTS, starts_at=None, ends_at=None) == services.TimeUnknown()


def test_open_door_without_a_meeting_is_like_one_that_is_not_ready() -> None:
    assert [door(None, now) for now in (OPENS - timedelta(days=9), STARTS, ENDS)] == [
        services.NotYet(OPENS), services.NotReady(), services.Over(ENDS),
    ]  # fmt: skip


@pytest.mark.parametrize("state", [MeetingState.PLANNED, MeetingState.BROKEN])
@pytest.mark.django_db
def test_open_door_of_a_meeting_that_is_not_ready_asks_to_wait(state: MeetingState) -> None:
    meeting = MeetingFactory(state=state)

    assert door(meeting, STARTS) == services.NotReady()
    assert door(meeting, OPENS - timedelta(hours=1)) == services.NotYet(OPENS)


@pytest.mark.django_db
def test_open_door_of_a_cancelled_meeting_says_so_at_any_time() -> None:
    meeting = MeetingFactory(state=MeetingState.CANCELLED)

    assert [door(meeting, now) for now in (OPENS - timedelta(days=9), STARTS, ENDS)] == [services.Cancelled()] * 3


@pytest.mark.parametrize(
    "trouble",
    [{"allowed_hosts": ["other.example"]}, {"address": "http://meet.provider.example/canary-room"}]
    + [{"platform": platform} for platform in Platform.values if platform != Platform.STATIC],
)
@pytest.mark.django_db
def test_open_door_in_trouble_asks_to_wait_and_logs_no_address(trouble: dict[str, Any]) -> None:
    meeting = MeetingFactory(**trouble)

    with capture_logs() as logs:
        result = door(meeting, STARTS)

    assert result == services.NotReady()
    assert [line["meeting"] for line in logs] == [str(meeting.public_id)]
    assert "canary" not in repr(logs)


@pytest.mark.django_db
def test_save_address_makes_the_meeting_ready_and_accounts_for_it() -> None:
    meeting, user = MeetingFactory(state=MeetingState.BROKEN, address="", allowed_hosts=[]), StaffFactory()

    services.save_address(meeting.pk, f" {SECRET} ", by=Actor.organiser(user), now=NOW)

    saved = Meeting.objects.get()
    assert (saved.address, saved.allowed_hosts, saved.state) == (
        SECRET, ["meet.provider.example"], MeetingState.READY,
    )  # fmt: skip
    assert list(AuditEntry.objects.values_list("action", "about_id", "actor_user", "details", "at")) == [
        ("meeting.address_saved", meeting.public_id, user.pk, {}, NOW)
    ]
    assert isinstance(door(saved, STARTS), services.OpenDoor)


@pytest.mark.django_db
def test_save_address_outside_the_list_changes_nothing() -> None:
    meeting = MeetingFactory(allowed_hosts=["other.example"], state=MeetingState.BROKEN)
    before = Meeting.objects.values().get()

    with pytest.raises(UnsafeAddress) as caught:
        services.save_address(meeting.pk, SECRET, by=SYSTEM, now=NOW)

    assert "canary" not in f"{caught.value!r}{caught.value}{caught.value.message}{vars(caught.value)}"
    assert Meeting.objects.values().get() == before
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_save_address_with_a_new_list_of_hosts_replaces_it() -> None:
    meeting = MeetingFactory(allowed_hosts=["other.example"])

    services.save_address(meeting.pk, SECRET, by=SYSTEM, now=NOW, allowed_hosts=["meet.provider.example", "b.example"])

    assert Meeting.objects.get().allowed_hosts == ["meet.provider.example", "b.example"]


@pytest.mark.django_db
def test_save_address_of_a_cancelled_meeting_is_refused() -> None:
    meeting = MeetingFactory(state=MeetingState.CANCELLED)

    with pytest.raises(services.MeetingIsCancelled):
        services.save_address(meeting.pk, SECRET, by=SYSTEM, now=NOW)
    with pytest.raises(services.MeetingIsCancelled):
        services.mark_broken(meeting.pk, reason="x", by=SYSTEM, now=NOW)


@pytest.mark.django_db
def test_mark_broken_keeps_the_reason_without_addresses() -> None:
    meeting = MeetingFactory()

    services.mark_broken(meeting.pk, reason=f"refused at {SECRET} twice", by=SYSTEM, now=NOW)

    assert Meeting.objects.values_list("state", "last_error").get() == (MeetingState.BROKEN, "refused at … twice")
    assert AuditEntry.objects.values_list("action", flat=True).get() == "meeting.marked_broken"


@pytest.mark.django_db
def test_cancel_twice_is_accounted_for_once() -> None:
    meeting = MeetingFactory()

    services.cancel(meeting.pk, by=SYSTEM, now=NOW)
    services.cancel(meeting.pk, by=SYSTEM, now=NOW)

    assert Meeting.objects.get().state == MeetingState.CANCELLED
    assert AuditEntry.objects.values_list("action", flat=True).get() == "meeting.cancelled"


@pytest.mark.django_db
def test_addresses_are_unreadable_in_the_table() -> None:
    meeting = MeetingFactory(
        address="", state=MeetingState.PLANNED, host_address=SECRET, passcode="canary", dial_in="canary"
    )
    services.save_address(meeting.pk, SECRET, by=SYSTEM, now=NOW, allowed_hosts=[])

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(m)::text FROM video_meeting m")
        rows = cursor.fetchall()

    assert len(rows) == 1
    assert "canary" not in str(rows)
    assert Meeting.objects.get().address == SECRET


@pytest.mark.django_db
def test_addresses_show_in_no_repr_and_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    meeting = MeetingFactory(address="", state=MeetingState.PLANNED)

    with capture_logs() as logs:
        saved = services.save_address(meeting.pk, SECRET, by=SYSTEM, now=NOW)
        opened = door(saved, STARTS)

    assert opened == services.OpenDoor(SECRET)
    assert "canary" not in f"{saved!r}{saved}{opened!r}{opened}{logs!r}{AuditEntry.objects.values()}"
    assert "canary" not in "".join(r.getMessage() for r in caplog.records if r.name != "django.db.backends")
