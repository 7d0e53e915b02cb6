"""At the door, by the services: who is let in, once, whoever asks and however often; and what the tables refuse."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import segno
from django.db import IntegrityError, transaction

from accounts.actors import Actor
from accounts.models import AuditEntry
from events.models import ConferenceDay, RegistrationMode, Session
from registration.door import codes as door_codes
from registration.models import (
    Admission,
    AttendanceMode,
    CheckIn,
    DoorCode,
    Participant,
    Registration,
    RegistrationStatus,
)
from registration.models.attendance import ALPHABET, as_typed
from registration.services import attendance, erasure
from registration.services.attendance import Verdict
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoomFactory,
    SessionFactory,
    SideEventFactory,
    StaffFactory,
)
from tests.registration.test_races import at_once

pytestmark = pytest.mark.django_db(transaction=True)

TODAY = datetime(2030, 7, 15, 7, 30, tzinfo=UTC)  # the first day, 09:30 in Vienna
_S = RegistrationStatus


def seat(session: Session | None = None, **more: Any) -> Registration:
    """A confirmed place in the room: of a session, or of a conference of its own."""
    about: dict[str, Any] = {"session": session} if session else {"session": None, "conference": ConferenceFactory()}
    conference = more.pop("conference", None)
    if conference is not None:
        about["conference"] = conference
    admission = AdmissionFactory(mode=more.pop("mode", AttendanceMode.IN_PERSON), **about)
    registration: Registration = RegistrationFactory(admission=admission, **more)
    return registration


def code_of(participant: Participant) -> str:
    """The participant's code."""
    return door_codes.ensure([participant])[participant.pk]


def let_in(registration: Registration, session: Session | None = None, **more: Any) -> attendance.Entry:
    """Read the code of the registration's participant at a door."""
    values: dict[str, Any] = {
        "conference": registration.participant.conference,
        "typed": code_of(registration.participant),
        "session": session,
        "room": None,
        "nonce": uuid.uuid4(),
        "at": TODAY,
        "by": Actor.organiser(StaffFactory()),
        "now": TODAY,
    }
    return attendance.check_in(**(values | more))


# --- the code ---------------------------------------------------------------------------------------------------------


def test_a_code_is_ten_signs_and_nothing_readable_is_stored() -> None:
    participant = ParticipantFactory()

    code = code_of(participant)

    assert len(code) == 10
    assert set(code) <= set(ALPHABET)
    assert code not in {participant.personal_token[:10], str(participant.public_id)[:10]}
    assert bytes(DoorCode.objects.get().code_index) == DoorCode.index(participant.conference_id, code)
    assert code_of(participant) == code


def test_a_code_is_found_however_it_is_typed_and_only_at_its_conference() -> None:
    participant = ParticipantFactory()
    code = code_of(participant)
    typed = door_codes.shown(code).lower().replace("0", "o").replace("1", "l")

    assert door_codes.find(conference_id=participant.conference_id, typed=f" {typed} ") == participant
    assert door_codes.find(conference_id=ConferenceFactory().pk, typed=code) is None


@pytest.mark.parametrize("typed", ["", "short", "x" * 5000, "AAAAA-AAAAU", "\0\0\0\0\0\0\0\0\0\0", "٠٠٠٠٠٠٠٠٠٠"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert as_typed(typed, length=10) == ""


def test_two_codes_that_meet_get_another_version(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = ParticipantFactory(), ParticipantFactory()
    real = DoorCode.index
    monkeypatch.setattr(
        DoorCode, "of", classmethod(lambda cls, who, *, version: cls(
            participant=who, version=version, code_index=b"same" if version == 1 else real(0, str(who.pk)))),
    )  # fmt: skip

    codes = door_codes.ensure([one, other])

    assert len(set(codes.values())) == 2
    assert sorted(DoorCode.objects.values_list("version", flat=True)) == [1, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_codes_that_are_there_cost_one_query(count: int, django_assert_num_queries: Any) -> None:
    people = ParticipantFactory.create_batch(count)
    door_codes.ensure(people)

    with django_assert_num_queries(1):
        door_codes.ensure(people)


def test_the_strokes_of_the_picture_are_the_qr_code() -> None:
    code = "AB3DEFGH4J"

    drawn = door_codes.picture(code)

    dark = {
        (int(row), int(start) + step)
        for start, row, length in re.findall(r"M(\d+) (\d+)\.5h(\d+)", drawn.path)
        for step in range(int(length))
    }
    matrix = list(segno.make_qr(code, error="m", boost_error=False).matrix_iter(border=4))
    assert drawn.size == len(matrix)
    assert dark == {(y, x) for y, row in enumerate(matrix) for x, is_dark in enumerate(row) if is_dark}
    assert max(map(len, drawn.path.split())) < 20  # short words: no renderer breaks them


def test_the_code_of_somebody_erased_is_unknown() -> None:
    registration = seat()
    code = code_of(registration.participant)
    erasure.erase(participant_id=registration.participant.pk, by=Actor.organiser(StaffFactory()), now=NOW)

    assert let_in(registration, typed=code).verdict == Verdict.UNKNOWN_CODE


# --- who may pass -----------------------------------------------------------------------------------------------------


def test_a_confirmed_person_is_let_in_and_has_attended() -> None:
    registration = seat()
    room = RoomFactory()
    nonce = uuid.uuid4()
    steward = StaffFactory()

    entry = let_in(registration, room=room, nonce=nonce, by=Actor.organiser(steward))

    registration.refresh_from_db()
    made = CheckIn.objects.get()
    assert (entry.verdict, entry.check_in) == (Verdict.WELCOME, made)
    assert (registration.status, registration.version) == (_S.ATTENDED, 2)
    assert (made.registration, made.session, made.room, made.on_day, made.at, made.nonce, made.by) == (
        registration, None, room, date(2030, 7, 15), TODAY, nonce, steward,
    )  # fmt: skip
    audit = AuditEntry.objects.get(action="registration.checked_in")
    assert audit.about_id == registration.public_id
    assert audit.details == {"session": None, "status_before": "confirmed"}


def test_a_second_look_says_since_when_and_makes_no_row() -> None:
    registration = seat()
    first = let_in(registration)

    again = let_in(registration, now=TODAY + timedelta(hours=1), at=TODAY + timedelta(hours=1))

    assert (again.verdict, again.check_in) == (Verdict.ALREADY_IN, first.check_in)
    assert CheckIn.objects.count() == 1


def test_the_entrance_is_passed_once_a_day() -> None:
    registration = seat()
    let_in(registration)
    tomorrow = TODAY + timedelta(days=1)

    assert let_in(registration, now=tomorrow, at=tomorrow).verdict == Verdict.WELCOME
    assert CheckIn.objects.count() == 2


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (_S.WAITLISTED, Verdict.WAITING_LIST),
        (_S.OFFERED, Verdict.WAITING_LIST),
        (_S.PENDING, Verdict.AWAITING_APPROVAL),
        (_S.CANCELLED, Verdict.CANCELLED),
        (_S.REJECTED, Verdict.NOT_REGISTERED),
        (_S.ABSENT, Verdict.WELCOME),
    ],
)
def test_the_door_says_how_a_registration_stands(status: RegistrationStatus, verdict: Verdict) -> None:
    assert let_in(seat(status=status)).verdict == verdict


def test_somebody_who_registered_again_is_let_in() -> None:
    cancelled = seat(status=_S.CANCELLED)
    RegistrationFactory(admission=cancelled.admission, participant=cancelled.participant)

    assert let_in(cancelled).verdict == Verdict.WELCOME


def test_on_line_only_is_said_so() -> None:
    assert let_in(seat(mode=AttendanceMode.ONLINE)).verdict == Verdict.ONLINE_ONLY


@pytest.mark.parametrize("days", [-1, 3])
def test_outside_the_conference_it_is_the_wrong_day(days: int) -> None:
    when = TODAY + timedelta(days=days)

    entry = let_in(seat(), now=when, at=when)

    assert (entry.verdict, entry.for_day) == (Verdict.WRONG_DAY, date(2030, 7, 15))
    assert not CheckIn.objects.exists()


def test_with_the_conference_one_may_enter_its_sessions_but_not_those_with_a_form_of_their_own() -> None:
    registration = seat()
    conference = registration.participant.conference
    panel = SessionFactory(conference=conference, registration_mode=RegistrationMode.WITH_CONFERENCE)
    own = SideEventFactory(conference=conference)
    limited = SideEventFactory(conference=conference, registration_mode=RegistrationMode.WITH_CONFERENCE)
    AdmissionFactory(session=limited, mode=AttendanceMode.IN_PERSON)

    assert let_in(registration, panel).verdict == Verdict.WELCOME
    assert let_in(registration, own).verdict == Verdict.NOT_REGISTERED
    assert let_in(registration, limited).verdict == Verdict.NOT_REGISTERED


def test_a_side_event_is_entered_by_its_own_registration() -> None:
    session = SideEventFactory()
    registration = seat(session)

    assert let_in(registration, session).verdict == Verdict.WELCOME
    registration.refresh_from_db()
    assert registration.status == _S.ATTENDED


def test_a_session_of_another_day_says_which() -> None:
    conference = ConferenceFactory()
    day = ConferenceDay.objects.create(conference=conference, number=2, date=date(2030, 7, 16))
    session = SideEventFactory(conference=conference, day=day, starts_at=None, ends_at=None)

    entry = let_in(seat(session), session)

    assert (entry.verdict, entry.for_day) == (Verdict.WRONG_DAY, date(2030, 7, 16))


def test_the_entrance_lets_in_guests_of_a_side_event_on_its_day_only() -> None:
    session = SideEventFactory()
    registration = seat(session)
    tomorrow = TODAY + timedelta(days=1)

    wrong = let_in(registration, now=tomorrow, at=tomorrow)
    right = let_in(registration)

    registration.refresh_from_db()
    assert (wrong.verdict, wrong.for_day) == (Verdict.WRONG_DAY, date(2030, 7, 15))
    assert right.verdict == Verdict.WELCOME
    assert registration.status == _S.CONFIRMED  # in the house is not yet at the side event


# --- repeats, late entries, guessing ----------------------------------------------------------------------------------


def test_a_repeat_finds_its_own_entry() -> None:
    registration = seat()
    nonce = uuid.uuid4()
    first = let_in(registration, nonce=nonce)

    again = let_in(registration, nonce=nonce)

    assert (again.verdict, again.check_in) == (Verdict.WELCOME, first.check_in)
    assert CheckIn.objects.count() == AuditEntry.objects.filter(action="registration.checked_in").count() == 1


def test_a_nonce_serves_one_person() -> None:
    one = seat()
    other = RegistrationFactory(admission=one.admission)
    nonce = uuid.uuid4()
    let_in(one, nonce=nonce)

    with pytest.raises(attendance.NonceUsedBefore):
        let_in(other, nonce=nonce)


def test_an_entry_that_was_kept_off_line_counts_for_the_day_it_was_made() -> None:
    entry = let_in(seat(), at=TODAY, now=TODAY + timedelta(hours=20))

    assert entry.check_in is not None
    assert (entry.check_in.at, entry.check_in.on_day) == (TODAY, date(2030, 7, 15))


@pytest.mark.parametrize("wrong", [timedelta(minutes=10), timedelta(hours=-25)])
def test_a_device_with_a_wrong_clock_is_not_believed(wrong: timedelta) -> None:
    entry = let_in(seat(), at=TODAY + wrong)

    assert entry.check_in is not None
    assert entry.check_in.at == TODAY


def test_guessing_codes_ends_after_twenty_and_goes_on_later() -> None:
    registration = seat()
    by = Actor.organiser(StaffFactory())
    for number in range(attendance.MISSES):
        assert let_in(registration, typed=f"AAAAAAAA{number:02}", by=by).verdict == Verdict.UNKNOWN_CODE

    with pytest.raises(attendance.TooManyUnknownCodes):
        let_in(registration, by=by)
    assert let_in(registration).verdict == Verdict.WELCOME  # another steward
    later = TODAY + attendance.MISSES_WITHIN + timedelta(seconds=1)
    assert let_in(registration, by=by, now=later, at=later).verdict == Verdict.ALREADY_IN


# --- taking back ------------------------------------------------------------------------------------------------------


def test_taking_back_confirms_again_and_lets_in_again() -> None:
    registration = seat()
    nonce = uuid.uuid4()
    let_in(registration, nonce=nonce)
    by = Actor.organiser(StaffFactory())
    conference = registration.participant.conference

    undone = attendance.undo(conference=conference, nonce=nonce, by=by, now=TODAY)
    twice = attendance.undo(conference=conference, nonce=nonce, by=by, now=TODAY)

    registration.refresh_from_db()
    assert undone is not None
    assert (undone.undone_at, undone.undone_by, twice) == (TODAY, by.user, None)
    assert registration.status == _S.CONFIRMED
    assert AuditEntry.objects.filter(action="registration.check_in_undone").count() == 1
    assert let_in(registration).verdict == Verdict.WELCOME


def test_taking_back_one_of_two_leaves_attended() -> None:
    registration = seat()
    conference = registration.participant.conference
    panel = SessionFactory(conference=conference, registration_mode=RegistrationMode.WITH_CONFERENCE)
    nonce = uuid.uuid4()
    let_in(registration)
    let_in(registration, panel, nonce=nonce)

    attendance.undo(conference=conference, nonce=nonce, by=Actor.organiser(StaffFactory()), now=TODAY)

    registration.refresh_from_db()
    assert registration.status == _S.ATTENDED


def test_another_conference_cannot_take_back() -> None:
    nonce = uuid.uuid4()
    let_in(seat(), nonce=nonce)

    undone = attendance.undo(conference=ConferenceFactory(), nonce=nonce, by=Actor.organiser(StaffFactory()), now=TODAY)

    assert undone is None
    assert CheckIn.objects.standing().count() == 1


# --- figures ----------------------------------------------------------------------------------------------------------


def test_the_door_counts_who_is_in_and_who_is_expected() -> None:
    one = seat()
    RegistrationFactory(admission=one.admission)
    RegistrationFactory(admission=one.admission, status=_S.WAITLISTED)
    let_in(one)

    conference = one.participant.conference
    count = attendance.count(conference=conference, session=None, on_day=date(2030, 7, 15))
    tomorrow = attendance.count(conference=conference, session=None, on_day=date(2030, 7, 16))

    assert (count, tomorrow) == (attendance.Count(1, 2), attendance.Count(0, 2))


# --- many at once -----------------------------------------------------------------------------------------------------


@pytest.mark.race
def test_two_stewards_read_the_same_code_at_once_and_one_row_is_made() -> None:
    registration = seat()
    code = code_of(registration.participant)
    stewards = [Actor.organiser(StaffFactory()) for _ in range(6)]

    entries = at_once([lambda by=by: let_in(registration, typed=code, by=by) for by in stewards])  # type: ignore[misc]

    assert sorted(entry.verdict for entry in entries) == ["already_in"] * 5 + ["welcome"]
    assert CheckIn.objects.count() == 1
    assert AuditEntry.objects.filter(action="registration.checked_in").count() == 1


@pytest.mark.race
def test_one_entry_sent_by_two_tabs_at_once_is_one_row() -> None:
    registration = seat()
    nonce, by = uuid.uuid4(), Actor.organiser(StaffFactory())

    entries = at_once([lambda: let_in(registration, nonce=nonce, by=by) for _ in range(4)])

    assert {entry.verdict for entry in entries} == {Verdict.WELCOME}
    assert CheckIn.objects.count() == 1


# --- what the tables refuse -------------------------------------------------------------------------------------------


def copy_of(made: CheckIn, **more: Any) -> CheckIn:
    """Another row like it, as somebody would write it past the service."""
    fields = ("conference", "participant", "registration", "session", "on_day", "at", "received_at")
    return CheckIn(**({name: getattr(made, name) for name in fields} | {"nonce": uuid.uuid4()} | more))


@pytest.mark.parametrize(
    ("more", "constraint"),
    [
        ({}, "check_in_once_per_day_at_the_entrance"),
        ({"undone_at": TODAY - timedelta(hours=1)}, "check_in_is_undone_after_it_came"),
        ({"on_day": date(2030, 7, 16), "nonce": None}, "nonce"),
    ],
)
def test_the_table_refuses_what_the_service_would_not_write(more: dict[str, Any], constraint: str) -> None:
    made = let_in(seat()).check_in
    assert made is not None
    if "nonce" in more:
        more = more | {"nonce": made.nonce}

    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        copy_of(made, **more).save()


def test_the_table_refuses_a_second_entry_to_a_session_and_an_author_without_a_time() -> None:
    session = SideEventFactory()
    made = let_in(seat(session), session).check_in
    assert made is not None

    with pytest.raises(IntegrityError, match="check_in_once_per_session"), transaction.atomic():
        copy_of(made).save()
    with pytest.raises(IntegrityError, match="check_in_undone_by_needs_a_time"), transaction.atomic():
        CheckIn.objects.update(undone_by=StaffFactory())


def test_attended_people_keep_their_places() -> None:
    registration = seat()

    let_in(registration)

    assert Admission.objects.get().places.taken == 1
