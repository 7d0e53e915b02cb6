"""Order, states, times and rooms of many sessions at once: all or nothing, and nobody's change unseen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import connection

from events import editing
from events.editing import DayOrder
from events.models import Conference, Session, SessionState
from speakers.models import Contribution
from tests.factories import (
    AdmissionFactory,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    MaterialFactory,
    PersonFactory,
    RecommendationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


def at(hour: int, minute: int = 0, day: int = 15) -> datetime:
    """An instant on the factories' first day, by UTC; Vienna is two hours ahead."""
    return datetime(2030, 7, day, hour, minute, tzinfo=UTC)


def programme(sessions: int = 3) -> tuple[Any, list[Any], list[Any]]:
    """A conference of two days with sessions of an hour on the first, from 8:00 UTC on."""
    conference = ConferenceFactory()
    days = [ConferenceDayFactory(conference=conference, number=n, date=date(2030, 7, 14 + n)) for n in (1, 2)]
    found = [
        SessionFactory(
            conference=conference, day=days[0], position=n + 1, starts_at=at(8 + n), ends_at=at(9 + n), room=None
        )
        for n in range(sessions)
    ]
    return conference, days, found


def seen(conference: Conference) -> str:
    """The stamp of the order as it is."""
    return editing.order_stamp(conference.sessions.all())


def order(conference: Conference) -> list[tuple[int | None, list[int]]]:
    """The sessions by day, as the programme has them."""
    found: dict[int | None, list[int]] = {}
    for session in conference.sessions.in_programme_order():
        found.setdefault(session.day.number if session.day else None, []).append(session.pk)
    return list(found.items())


# --- order ----------------------------------------------------------------------------------------------------------


def test_arrange_puts_sessions_in_order_and_keeps_the_clock_on_another_day() -> None:
    conference, (one, two), (a, b, c) = programme()
    segment = SegmentFactory(session=b, starts_at=at(9, 10), ends_at=at(9, 20))

    changed = editing.arrange(
        conference_id=conference.pk,
        seen=seen(conference),
        order=[DayOrder(one.pk, [c.pk, a.pk]), DayOrder(two.pk, [b.pk])],
    )

    assert order(conference) == [(1, [c.pk, a.pk]), (2, [b.pk])]
    assert {session.pk for session in changed} == {a.pk, b.pk, c.pk}
    b.refresh_from_db()
    segment.refresh_from_db()
    assert (b.starts_at, b.ends_at) == (at(9, day=16), at(10, day=16))
    assert (segment.starts_at, segment.ends_at) == (at(9, 10, day=16), at(9, 20, day=16))
    a.refresh_from_db()
    assert a.starts_at == at(8)


def test_other_day_keeps_the_clock_over_a_change_of_summer_time() -> None:
    conference = ConferenceFactory(starts_on=date(2030, 10, 26), ends_on=date(2030, 10, 27))
    saturday = ConferenceDayFactory(conference=conference, number=1, date=date(2030, 10, 26))
    sunday = ConferenceDayFactory(conference=conference, number=2, date=date(2030, 10, 27))
    times = {"starts_at": datetime(2030, 10, 26, 7, tzinfo=UTC), "ends_at": datetime(2030, 10, 26, 8, tzinfo=UTC)}
    session = SessionFactory(conference=conference, day=saturday, **times)

    editing.to_day(session_id=session.pk, day_id=sunday.pk, seen=seen(conference))

    session.refresh_from_db()
    assert session.starts_at == datetime(2030, 10, 27, 8, tzinfo=UTC)  # 9:00 in Vienna on both days


def test_session_without_a_day_takes_the_date_of_its_new_one() -> None:
    conference, (_one, two), (a, *_rest) = programme()
    Session.objects.filter(pk=a.pk).update(day=None)

    editing.to_day(session_id=a.pk, day_id=two.pk, seen=seen(conference))

    a.refresh_from_db()
    assert (a.day, a.position, a.starts_at) == (two, 1, at(8, day=16))


@pytest.mark.parametrize(("which", "by", "expected"), [(0, -1, "abc"), (1, -1, "bac"), (1, 1, "acb"), (2, 1, "abc")])
def test_step_moves_within_the_day(which: int, by: int, expected: str) -> None:
    conference, _days, sessions = programme()
    letters = dict(zip("abc", [session.pk for session in sessions], strict=True))

    editing.step(session_id=sessions[which].pk, by=by, seen=seen(conference))

    assert order(conference) == [(1, [letters[letter] for letter in expected])]


def test_order_that_somebody_else_has_changed_is_refused() -> None:
    conference, (one, _two), (a, b, c) = programme()
    stale = seen(conference)
    editing.step(session_id=a.pk, by=1, seen=stale)

    with pytest.raises(editing.ProgrammeChanged):
        editing.step(session_id=c.pk, by=-1, seen=stale)
    with pytest.raises(editing.ProgrammeChanged):
        editing.arrange(conference_id=conference.pk, seen=stale, order=[DayOrder(one.pk, [c.pk, b.pk, a.pk])])

    assert order(conference) == [(1, [b.pk, a.pk, c.pk])]


def test_order_that_leaves_out_or_brings_in_sessions_is_refused() -> None:
    conference, (one, _two), (a, b, c) = programme()
    stranger, other_day = SessionFactory(), ConferenceDayFactory()
    before = order(conference)

    for wrong in (
        [DayOrder(one.pk, [a.pk, b.pk])],
        [DayOrder(one.pk, [a.pk, b.pk, c.pk, c.pk])],
        [DayOrder(one.pk, [a.pk, b.pk, c.pk, stranger.pk])],
        [DayOrder(other_day.pk, [a.pk, b.pk, c.pk])],
    ):
        with pytest.raises(editing.ProgrammeChanged):
            editing.arrange(conference_id=conference.pk, seen=seen(conference), order=wrong)

    assert order(conference) == before


# --- many at once ---------------------------------------------------------------------------------------------------


def test_shift_moves_sessions_with_their_segments() -> None:
    _conference, _days, (a, b, _c) = programme()
    untimed = SessionFactory(conference=a.conference, starts_at=None, ends_at=None)
    segment = SegmentFactory(session=a, starts_at=at(8), ends_at=at(8, 20))
    unmoved = SegmentFactory(session=b, starts_at=at(9), ends_at=at(9, 20), position=2)

    changed = editing.shift(session_ids=[a.pk, untimed.pk], minutes=-15)

    assert changed == [a]
    for row in (a, b, segment, unmoved):
        row.refresh_from_db()
    assert (a.starts_at, a.ends_at, b.starts_at) == (at(7, 45), at(8, 45), at(9))
    assert (segment.starts_at, unmoved.starts_at) == (at(7, 45), at(9))


def test_shift_into_a_taken_room_changes_nothing_and_names_both() -> None:
    room = RoomFactory(name={"en": "Neuer Saal"})
    _conference, _days, (a, b, c) = programme()
    Session.objects.update(room=room)

    with pytest.raises(editing.RoomTaken) as refusal:
        editing.shift(session_ids=[a.pk, b.pk], minutes=30)

    text = str(refusal.value.message)
    assert "Neuer Saal" in text
    assert all(str(session.title) in text for session in (b, c))
    assert [one.starts_at for one in Session.objects.order_by("pk")] == [at(8), at(9), at(10)]


def test_sessions_that_follow_each_other_move_together() -> None:
    _conference, _days, sessions = programme()
    Session.objects.update(room=RoomFactory())

    editing.shift(session_ids=[session.pk for session in sessions], minutes=30)

    assert [one.starts_at for one in Session.objects.order_by("pk")] == [at(8, 30), at(9, 30), at(10, 30)]


def test_room_taken_by_somebody_faster_is_refused_by_the_database() -> None:
    _conference, _days, (a, b, _c) = programme()
    Session.objects.filter(pk__in=[a.pk, b.pk]).update(room=RoomFactory())

    with mock.patch("events.editing._refuse_double_booking"), pytest.raises(editing.RoomTaken):
        editing.shift(session_ids=[a.pk], minutes=30)

    a.refresh_from_db()
    assert a.starts_at == at(8)


@pytest.mark.parametrize("minutes", [-11 * 60, 20 * 60])
def test_shift_out_of_the_day_is_refused(minutes: int) -> None:
    _conference, _days, (a, *_rest) = programme()

    with pytest.raises(editing.NotPossible, match="not_possible"):
        editing.shift(session_ids=[a.pk], minutes=minutes)


@pytest.mark.parametrize("minutes", [0, 1441, -1441])
def test_shift_by_nothing_or_by_days_is_refused(minutes: int) -> None:
    _conference, _days, (a, *_rest) = programme()

    with pytest.raises(editing.NotPossible):
        editing.shift(session_ids=[a.pk], minutes=minutes)


def test_states_move_as_far_as_they_may() -> None:
    _conference, _days, (a, b, c) = programme()
    Session.objects.filter(pk=a.pk).update(state=SessionState.DRAFT)
    Session.objects.filter(pk=c.pk).update(state=SessionState.CANCELLED)

    assert editing.set_state(session_ids=[a.pk, b.pk], state=SessionState.SCHEDULED) == [a]
    with pytest.raises(editing.NotPossible):
        editing.set_state(session_ids=[a.pk, c.pk], state=SessionState.SCHEDULED)
    assert editing.set_state(session_ids=[a.pk, c.pk], state=SessionState.DRAFT) == [a, c]
    assert editing.set_state(session_ids=[b.pk], state=SessionState.CANCELLED) == [b]


def test_publishing_two_drafts_into_one_room_publishes_neither() -> None:
    _conference, _days, (a, b, _c) = programme()
    Session.objects.update(state=SessionState.DRAFT, room=RoomFactory(), starts_at=at(8), ends_at=at(9))

    with pytest.raises(editing.RoomTaken):
        editing.set_state(session_ids=[a.pk, b.pk], state=SessionState.SCHEDULED)

    assert set(Session.objects.values_list("state", flat=True)) == {"draft"}


def test_room_is_changed_for_all_or_none() -> None:
    _conference, _days, (a, b, c) = programme()
    room = RoomFactory()
    Session.objects.filter(pk=c.pk).update(room=room, starts_at=at(9, 30))

    with pytest.raises(editing.RoomTaken):
        editing.set_room(session_ids=[a.pk, b.pk], room_id=room.pk)
    assert not Session.objects.exclude(pk=c.pk).filter(room=room).exists()
    assert editing.set_room(session_ids=[a.pk], room_id=room.pk) == [a]
    assert editing.set_room(session_ids=[a.pk, b.pk], room_id=None) == [a]


def test_chosen_sessions_that_changed_meanwhile_are_refused() -> None:
    _conference, _days, (a, b, _c) = programme()
    stale = editing.stamp([a, b])
    assert editing.set_room(session_ids=[a.pk, b.pk], room_id=None, seen=stale) == []  # still as it was seen
    Session.objects.filter(pk=b.pk).update(starts_at=at(9, 5))

    changes: list[Callable[[], list[Session]]] = [
        lambda: editing.shift(session_ids=[a.pk, b.pk], minutes=5, seen=stale),
        lambda: editing.set_room(session_ids=[a.pk, b.pk], room_id=None, seen=stale),
        lambda: editing.set_state(session_ids=[a.pk, b.pk], state=SessionState.CANCELLED, seen=stale),
    ]
    for change in changes:
        with pytest.raises(editing.ProgrammeChanged):
            change()
    with pytest.raises(editing.ProgrammeChanged):
        editing.shift(session_ids=[a.pk, 10**9], minutes=5)


def test_every_change_is_stamped() -> None:
    _conference, _days, (a, *_rest) = programme()
    Session.objects.update(updated_at=at(0, day=1) - timedelta(days=9000))

    editing.shift(session_ids=[a.pk], minutes=5)

    a.refresh_from_db()
    assert a.updated_at > at(0, day=1) - timedelta(days=9000)


# --- duplicates -----------------------------------------------------------------------------------------------------


def test_duplicate_takes_what_belongs_to_the_session_and_nothing_of_what_happened() -> None:
    _conference, days, (a, b, c) = programme()
    Session.objects.filter(pk=a.pk).update(
        kind="panel", number=4, key="panel-4", slug="panel", summary={"en": "It went well"}, internal_note="secret",
        registration_url="https://example.org/form", working_languages=["en"],
    )  # fmt: skip
    segment = SegmentFactory(session=a, key="speakers")
    ContributionFactory(
        session=a, segment=segment, status="confirmed", took_part="yes", is_in_report=True, internal_note="secret"
    )
    ContributionFactory(session=a, position=2, status="declined")
    ContributionFactory(session=a, position=3, person=PersonFactory(is_hidden=True))
    TextSectionFactory(session=a)
    ConvenorshipFactory(session=a)
    MaterialFactory(conference=a.conference, session=a)
    RecommendationFactory(session=a)
    AdmissionFactory(conference=a.conference, session=a)

    new = editing.duplicate(session_id=a.pk)

    new.refresh_from_db()
    assert (new.key, new.slug, new.number, new.state) == ("panel-4-copy", "panel-copy", 5, "draft")
    assert (new.day, new.position, new.starts_at) == (days[0], 2, at(8))
    assert [one.pk for one in a.conference.sessions.in_programme_order()] == [a.pk, new.pk, b.pk, c.pk]
    assert (new.summary, new.internal_note, new.registration_url) == ({}, "", "")
    assert new.working_languages == ["en"]
    assert new.public_id != a.public_id
    (copied,) = Contribution.objects.filter(session=new)
    assert (copied.segment, copied.status, copied.took_part) == (new.segments.get(), "invited", "unknown")
    assert (copied.is_in_report, copied.internal_note, copied.final_status) == (False, "", "")
    assert (new.text_sections.count(), new.convenorships.count()) == (1, 1)
    assert [new.materials.count(), new.recommendations.count(), new.admissions.count()] == [0, 0, 0]
    assert editing.duplicate(session_id=a.pk).slug == "panel-copy-2"


def test_duplicate_of_a_long_name_fits() -> None:
    session = SessionFactory(key="k" * 80, slug="s" * 120, number=None)

    new = editing.duplicate(session_id=session.pk)

    assert (new.key, new.slug, new.number) == ("k" * 75 + "-copy", "s" * 115 + "-copy", None)


# --- at the same moment ---------------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls returned or raised, made at the same moment on connections of their own."""
    gate = threading.Barrier(len(calls), timeout=10)

    def made(call: Callable[[], Any]) -> Any:
        try:
            gate.wait()
            return call()
        except editing.ProgrammeChanged as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(made, calls))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_orders_at_the_same_moment_end_in_one() -> None:
    conference, _days, (a, _b, c) = programme()
    stamp = seen(conference)

    answers = at_once(
        lambda: editing.step(session_id=a.pk, by=1, seen=stamp),
        lambda: editing.step(session_id=c.pk, by=-1, seen=stamp),
    )

    assert sorted(isinstance(answer, editing.ProgrammeChanged) for answer in answers) == [False, True]
    assert sorted(conference.sessions.values_list("position", flat=True)) == [1, 2, 3]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_moves_of_the_same_sessions_at_the_same_moment_move_them_once() -> None:
    _conference, _days, (a, b, _c) = programme()
    stamp = editing.stamp([a, b])

    answers = at_once(
        *[lambda: editing.shift(session_ids=[a.pk, b.pk], minutes=15, seen=stamp) for _number in range(2)]
    )

    assert sorted(isinstance(answer, editing.ProgrammeChanged) for answer in answers) == [False, True]
    a.refresh_from_db()
    assert a.starts_at == at(8, 15)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_duplicates_at_the_same_moment_have_two_names() -> None:
    _conference, _days, (a, *_rest) = programme()

    made = at_once(*[lambda: editing.duplicate(session_id=a.pk) for _number in range(2)])

    assert {one.slug for one in made} == {f"{a.slug}-copy", f"{a.slug}-copy-2"}
