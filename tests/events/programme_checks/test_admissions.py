"""Checks of a programme: rooms and admissions."""

from __future__ import annotations

from typing import Any

import pytest

from events.models import Conference, Session
from registration.models import ApprovalMode, AttendanceMode, Category
from tests.events.programme_checks.found import at, codes, findings
from tests.factories import AdmissionFactory, ConferenceFactory, RoomFactory, SessionFactory


@pytest.mark.parametrize("other_conference", [False, True])
def test_room_that_a_draft_would_book_twice_is_a_warning(
    conference: Conference, panel: Session, other_conference: bool
) -> None:
    room = RoomFactory(name={"en": "Hall"})
    Session.objects.update(room=room)
    where = ConferenceFactory() if other_conference else conference
    SessionFactory(conference=where, kind="opening", room=room, state="draft", title={"en": "Other"})
    SessionFactory(conference=where, kind="opening", room=room, state="draft", starts_at=at(10), ends_at=at(11))
    SessionFactory(conference=where, kind="opening", room=room, state="cancelled")

    (finding,) = findings(conference)

    assert finding.text == "“The panel” and “Other” are in Hall at the same time."


@pytest.mark.parametrize(("capacity", "found"), [(100, []), (101, ["room_too_small"]), (None, ["room_without_limit"])])
def test_room_holds_all_who_are_admitted_in_person(side: Session, capacity: int | None, found: list[str]) -> None:
    AdmissionFactory(session=side, mode=AttendanceMode.IN_PERSON, capacity=capacity)
    AdmissionFactory(session=side, mode=AttendanceMode.ONLINE, capacity=5000)

    assert [code for code, _key in codes(side.conference)] == found


@pytest.mark.parametrize(
    ("capacity", "changed", "found"),
    [
        (101, {}, ["room_smaller_than_conference"]),
        (100, {}, []),
        (None, {}, []),
        (101, {"format": "online"}, []),
        (101, {"registration_mode": "invitation"}, []),
        (101, {"starts_at": None, "ends_at": None}, ["time_missing"]),
    ],
)
def test_room_of_a_session_for_all_holds_the_conference(
    conference: Conference, panel: Session, capacity: int | None, changed: dict[str, Any], found: list[str]
) -> None:
    Session.objects.update(room=RoomFactory(), **changed)
    AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.IN_PERSON, capacity=capacity)
    AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.ONLINE, capacity=5000)

    assert [code for code, _key in codes(conference)] == found


def test_room_of_one_of_two_parallel_sessions_need_not_hold_all(conference: Conference, panel: Session) -> None:
    Session.objects.update(room=RoomFactory())
    SessionFactory(conference=conference, kind="workshop", room=RoomFactory())
    AdmissionFactory(session=None, conference=conference, mode=AttendanceMode.IN_PERSON, capacity=101)

    assert codes(conference) == []


def test_side_event_with_its_own_form_needs_an_admission(side: Session) -> None:
    assert codes(side.conference) == [("admission_missing", "side")]


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"opens_at": at(8), "closes_at": at(10)}, []),
        ({"opens_at": at(9)}, ["admission_opens_after_start"]),
        ({"opens_at": at(10)}, ["admission_opens_too_late"]),
        ({"closes_at": at(11)}, ["admission_closes_after_end"]),
        ({"approval": ApprovalMode.AUDIENCE}, ["audience_empty"]),
        ({"approval": ApprovalMode.AUDIENCE, "audience_categories": [Category.MEDIA]}, []),
        ({"approval": ApprovalMode.MANUAL, "audience_categories": [Category.MEDIA]}, ["audience_without_effect"]),
    ],
)
def test_windows_and_audiences_of_admissions(side: Session, fields: dict[str, object], found: list[str]) -> None:
    AdmissionFactory(session=side, **fields)

    assert [code for code, _key in codes(side.conference)] == found


def test_admission_that_does_not_fit_the_format_is_a_warning(side: Session) -> None:
    Session.objects.update(format="in_person")
    AdmissionFactory(session=side)

    assert [code for code, _key in codes(side.conference)] == ["admission_mode_differs"]
