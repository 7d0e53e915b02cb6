"""Sessions moved, cancelled and brought to another platform while messages are on the way; and the night of the clocks.

Real mail server and the fakes of the platforms; the clock is moved, nobody sleeps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from django.db import transaction

import outbox.services
import registration.services
from events.models import Session, SessionState
from events.releases import publishing
from outbox.models import Message, MessageState
from registration.joining import platform_handlers
from registration.letters import messages, notices, reminders
from registration.models import Registration, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    MeetingFactory,
    RegistrationFactory,
    SessionFactory,
    SideEventFactory,
)
from tests.faults.table import Found
from tests.registration.people import register
from tests.services import Received, SmtpSink
from tests.video.fakes.webex import LINK, FakeWebex
from tests.video.fakes.zoom import FakeZoom
from video.models import HostAccount, Meeting, MeetingState, Platform, Registrant, RegistrantState, Service
from video.services import NotYet, OpenDoor, Over, rooms

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

PEOPLE = 8
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = NOW + 40 * HOUR


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


@pytest.fixture
def meeting(zoom: FakeZoom, smtp_sink: SmtpSink) -> Meeting:
    """A published side event on Zoom in 40 hours, with a meeting that is ready and people who have just registered."""
    HostAccount.objects.create(
        service=Service.ZOOM, label="Office", credentials=zoom.variables, host="h@office.example"
    )
    session = SideEventFactory(state=SessionState.SCHEDULED, starts_at=START, ends_at=START + HOUR)
    made: Meeting = MeetingFactory(
        session=session, platform=Platform.ZOOM_WEBINAR, state=MeetingState.PLANNED, address="", allowed_hosts=[]
    )
    publish(session, NOW)
    outbox.services.drain("zoom", now=NOW)
    admission = AdmissionFactory(session=session)
    smtp_sink.stop()  # nothing leaves yet
    for number in range(PEOPLE):
        register(admission, token=f"form-{number}", email=f"guest{number}@mail.example")
    made.refresh_from_db()
    assert made.state == MeetingState.READY
    return made


def publish(session: Session, at: datetime) -> None:
    """The organisers publish what they have changed."""
    publishing.publish(session.conference, by=None, now=at, check=False)


def pass_time(since: datetime, until: datetime, *, step: timedelta = HOUR) -> None:
    """What clock and worker do in the meantime."""
    now = since
    while now <= until:
        rooms.order_what_changed(now=now)
        registration.services.queue_missing_join_links(now=now)
        reminders.queue_due(now=now)
        platform_handlers.queue_missing_registrants(now=now)
        outbox.services.drain_all(now=now)
        now += step


def calendars(received: list[Received]) -> list[tuple[str, int, datetime]]:
    """Method, SEQUENCE and beginning of each calendar entry, in the order in which the mails came."""
    found = []
    for one in received:
        for part in one.message.walk():
            if part.get_content_type() == "text/calendar":
                content = part.get_payload(decode=True)
                assert isinstance(content, bytes)
                calendar = icalendar.Calendar.from_ical(content)
                found += [
                    (str(calendar["METHOD"]), int(event.decoded("SEQUENCE")), event.decoded("DTSTART"))
                    for event in calendar.walk("VEVENT")
                ]
    return found


def with_link(received: list[Received]) -> int:
    """How many mails hold a link to join."""
    return sum("/join/" in str(one.message.get_body(["plain"]).get_content()) for one in received)  # type: ignore[union-attr]


@pytest.mark.fault(
    "session moved, messages on the way",
    how="mail server away; links to join wait; the session is moved by 5 h and published; then all is well",
    expected="each person ends with the new time, one link that is due, no link for the old time; platform moved",
)
def test_session_is_moved_while_messages_are_on_the_way(
    meeting: Meeting, zoom: FakeZoom, smtp_sink: SmtpSink, found: Found
) -> None:
    """Guard: opens_at in handlers.send_join_link (without it everybody got the link that had waited, besides)."""
    session = meeting.session
    assert session is not None
    moved_at = START - 20 * HOUR
    pass_time(NOW, moved_at)
    waiting = Message.objects.unsent().filter(topic=messages.JOIN_LINK, due_at__lte=moved_at).count()
    Session.objects.filter(pk=session.pk).update(starts_at=START + 5 * HOUR, ends_at=START + 6 * HOUR)
    publish(session, moved_at)
    smtp_sink.start()
    pass_time(moved_at + MINUTE, START + 6 * HOUR)

    links = Counter(Message.objects.filter(topic=messages.JOIN_LINK).values_list("state", flat=True))
    new = START + 5 * HOUR
    right = 0
    for number in range(PEOPLE):
        entries = calendars(smtp_sink.to(f"guest{number}@mail.example"))
        numbers = [sequence for _method, sequence, _begins in entries]
        right += entries[-1][2] == new and numbers == sorted(numbers)
    found(
        f"{waiting} links waited; {links['superseded']} dropped, {links['sent']} sent for {PEOPLE} people; {right} of "
        f"{PEOPLE} calendars end at the new time with a rising SEQUENCE; platform: "
        f"{zoom.meetings[meeting.provider_id]['start_time']}, {len(zoom.people[meeting.provider_id])} people"
    )
    assert waiting == PEOPLE
    assert links == {MessageState.SUPERSEDED: PEOPLE, MessageState.SENT: PEOPLE}
    assert right == PEOPLE
    assert zoom.meetings[meeting.provider_id]["start_time"] == f"{new:%Y-%m-%dT%H:%M:%SZ}"
    assert len(zoom.people[meeting.provider_id]) == PEOPLE
    assert not Message.objects.unsent().exists()
    assert not Message.objects.filter(state=MessageState.DEAD).exists()


@pytest.mark.long
@pytest.mark.fault(
    "session cancelled, messages on the way",
    how="mail server away; confirmations and links wait; the session is cancelled and published; then all is well",
    expected="nobody gets a link or a reminder; the cancellation comes last; nothing stays on the platform",
)
def test_session_is_cancelled_while_messages_are_on_the_way(
    meeting: Meeting, zoom: FakeZoom, smtp_sink: SmtpSink, found: Found
) -> None:
    """Guard: is_cancelled in handlers.send_join_link (without it everybody got a link to what does not take place)."""
    session = meeting.session
    assert session is not None
    cancelled_at = START - 20 * HOUR
    pass_time(NOW, cancelled_at)
    waiting = Message.objects.unsent().filter(due_at__lte=cancelled_at).count()
    Session.objects.filter(pk=session.pk).update(state=SessionState.CANCELLED)
    publish(session, cancelled_at)
    smtp_sink.start()
    pass_time(cancelled_at + MINUTE, START + 2 * HOUR)

    told = Message.objects.filter(topic=notices.TOPIC, state=MessageState.SENT).count()
    last_words = 0
    for number in range(PEOPLE):
        mails = smtp_sink.to(f"guest{number}@mail.example")
        text = mails[-1].message.get_body(["plain"])
        assert text is not None
        last_words += "does not take place" in text.get_content() or "cancelled" in text.get_content()
        entries = calendars(mails)
        assert not entries or entries[-1][0] == "CANCEL"
    found(
        f"{waiting} messages waited; {told} told, it was the last mail of {last_words} of {PEOPLE}; "
        f"{with_link(smtp_sink.messages)} links sent; {len(zoom.meetings)} meetings left on the platform"
    )
    assert waiting >= 2 * PEOPLE
    assert (told, last_words) == (PEOPLE, PEOPLE)
    assert with_link(smtp_sink.messages) == 0
    assert zoom.meetings == {}
    assert not Message.objects.unsent().exists()


@pytest.mark.fault(
    "platform changed, messages on the way",
    how="half of the people are entered, the rest waits; the meeting is brought from Zoom to Webex",
    expected="all in on the new one, once; nothing left on the old one; the links sent before lead there",
)
def test_platform_is_changed_while_messages_are_on_the_way(
    meeting: Meeting, zoom: FakeZoom, webex: FakeWebex, smtp_sink: SmtpSink, found: Found
) -> None:
    """Guard: provider_meeting in people._entered (without it those entered on the old one were never on the new)."""
    HostAccount.objects.create(
        service=Service.WEBEX, label="Office", credentials=webex.variables, host="h@office.example"
    )
    smtp_sink.start()
    outbox.services.drain("mail", now=NOW)
    outbox.services.drain("zoom", now=NOW, at_most=PEOPLE // 2)
    entered = Registrant.objects.filter(state=RegistrantState.ADDED).count()
    with transaction.atomic():  # as the admin does it
        rooms.leave_platform(meeting.pk, now=NOW)
        Meeting.objects.filter(pk=meeting.pk).update(platform=Platform.WEBEX, account=None)
        rooms.order(meeting.pk, now=NOW)
    pass_time(NOW + MINUTE, START - 10 * MINUTE)

    meeting.refresh_from_db()
    there = Counter(one["email"] for one in webex.people[meeting.provider_id])
    doors = 0
    for one in Registration.objects.all():
        entry = registration.services.enter(token=one.join_token, now=START, joining=True)
        doors += entry is not None and isinstance(entry.door, OpenDoor) and entry.door.url.startswith(LINK)
    found(
        f"{entered} were on the old one; {PEOPLE - len(there)} lost, {sum(there.values()) - len(there)} doubled on the "
        f"new one; {len(zoom.meetings)} meetings left on the old one; {doors} of {PEOPLE} links lead to the new one"
    )
    assert entered == PEOPLE // 2
    assert (len(there), set(there.values())) == (PEOPLE, {1})
    assert zoom.meetings == {}
    assert doors == PEOPLE
    assert not Message.objects.filter(state=MessageState.DEAD).exists()


# --- the night of the clocks in Vienna -------------------------------------------------------------------------------

# Sessions around the changes of 2030, with what the clock on the wall says: 02:30 comes twice in October, and not at
# all in March.
NIGHT = [
    (datetime(2030, 10, 27, 0, 30, tzinfo=UTC), "02:30"),
    (datetime(2030, 10, 27, 1, 30, tzinfo=UTC), "02:30"),
    (datetime(2030, 10, 27, 8, 0, tzinfo=UTC), "09:00"),
    (datetime(2031, 3, 30, 0, 30, tzinfo=UTC), "01:30"),
    (datetime(2031, 3, 30, 1, 30, tzinfo=UTC), "03:30"),
]
CHANGES = [(datetime(2030, 10, 27, 1, 0, tzinfo=UTC), "03:30"), (datetime(2031, 3, 30, 1, 0, tzinfo=UTC), "04:30")]


@pytest.mark.fault(
    "clock change night, reminders",
    how="5 sessions around both nights in Vienna; the clock is asked a minute before and at each time",
    expected="24 h and 1 h before to the minute, once; the mail says the hour on the wall",
)
@pytest.mark.fault(
    "clock change night, join windows",
    how="the door is tried a second before and at its opening and end, for the same 5 sessions",
    expected="opens 15 min before, closes at the end, to the second",
)
@pytest.mark.fault(
    "clock change night, offers",
    how="a place offered for 3 h, from 90 min before each change",
    expected="runs out after 3 h by the stop-watch; the mail says the hour on the wall",
)
def test_night_of_the_clocks_in_vienna(smtp_sink: SmtpSink, found: Found) -> None:
    """Guards: times counted in UTC (with LEAD subtracted on Vienna's clock the day's reminder of October came an hour
    off).
    """
    off: list[str] = []
    for begins, wall in NIGHT:
        off += _reminders_off(begins, wall, smtp_sink)
    found(
        f"{len(NIGHT)} sessions, {2 * len(NIGHT)} reminders, {len(off)} off {off}",
        fault="clock change night, reminders",
    )
    doors = [fault for begins, wall in NIGHT for fault in _door_off(begins, wall)]
    found(f"{len(NIGHT)} doors, {len(doors)} off {doors}", fault="clock change night, join windows")
    offers = [fault for change, wall in CHANGES for fault in _offer_off(change, wall, smtp_sink)]
    found(f"2 offers, {len(offers)} off {offers}", fault="clock change night, offers")
    assert (off, doors, offers) == ([], [], [])


def _conference(begins: datetime) -> Any:
    day = begins.date()
    return ConferenceFactory(starts_on=day, ends_on=day, time_zone="Europe/Vienna")


def _reminders_off(begins: datetime, wall: str, smtp_sink: SmtpSink) -> list[str]:
    """What is wrong with the reminders of a session in person."""
    session = SessionFactory(conference=_conference(begins), starts_at=begins, ends_at=begins + HOUR)
    admission = AdmissionFactory(conference=session.conference, session=session, mode="in_person")
    person = RegistrationFactory(admission=admission, created_at=NOW)
    address = person.participant.open_identity().email
    off = []
    for before in (24 * HOUR, HOUR):
        counts = [reminders.queue_due(now=begins - before + late) for late in (-MINUTE, timedelta(), MINUTE)]
        if counts != [0, 1, 0]:
            off.append(f"{begins:%d %b %H:%M} UTC: {counts} around {before}")
        outbox.services.drain("mail", now=begins - before)
    mails = smtp_sink.to(address)
    texts = [str(one.message.get_body(["plain"]).get_content()) for one in mails]  # type: ignore[union-attr]
    if len(texts) != 2 or any(wall not in text for text in texts):
        off.append(f"{begins:%d %b %H:%M} UTC: {len(texts)} mails, not all say {wall}")
    return off


def _door_off(begins: datetime, wall: str) -> list[str]:
    """What is wrong with the door to a session on-line."""
    session = SideEventFactory(conference=_conference(begins), starts_at=begins, ends_at=begins + HOUR)
    MeetingFactory(session=session)
    person = RegistrationFactory(admission=AdmissionFactory(session=session))
    second = timedelta(seconds=1)
    wanted = {
        begins - 15 * MINUTE - second: NotYet,
        begins - 15 * MINUTE: OpenDoor,
        begins + HOUR - second: OpenDoor,
        begins + HOUR: Over,
    }
    off = []
    for at, kind in wanted.items():
        entry = registration.services.enter(token=person.join_token, now=at, joining=True)
        if entry is None or not isinstance(entry.door, kind):
            off.append(f"{at:%d %b %H:%M:%S} UTC ({wall}): not {kind.__name__}")
    return off


def _offer_off(change: datetime, wall: str, smtp_sink: SmtpSink) -> list[str]:
    """What is wrong with a place that is offered over the change."""
    begins = change + 20 * HOUR
    session = SideEventFactory(conference=_conference(begins), starts_at=begins, ends_at=begins + HOUR)
    admission = AdmissionFactory(session=session, capacity=1, waiting="offer", claim_hours=3)
    person = RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)
    address = person.participant.open_identity().email
    offered_at = change - 90 * MINUTE
    registration.services.promote_into_free_places(now=offered_at)
    outbox.services.drain("mail", now=offered_at)
    person.refresh_from_db()
    off = []
    if person.offer_expires_at != offered_at + 3 * HOUR:
        off.append(f"{person.offer_expires_at} instead of 3 h after {offered_at}")
    second = timedelta(seconds=1)
    ended = [registration.services.expire_offers(now=offered_at + 3 * HOUR + late) for late in (-second, timedelta())]
    if ended != [0, 1]:
        off.append(f"ended {ended}")
    (mail,) = smtp_sink.to(address)
    if wall not in str(mail.message.get_body(["plain"]).get_content()):  # type: ignore[union-attr]
        off.append(f"the mail does not say {wall}")
    return off
