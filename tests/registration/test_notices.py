"""Registered people are told what a release changes for them: one message per person and release."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import icalendar
import pytest
from django.db.models import F

from accounts import actors
from events.models import Conference, ConferenceState, RegistrationMode, Release, Session, SessionState
from events.releases import publishing
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration import services
from registration.letters import handlers, notices, organiser_mails
from registration.models import Announcement, AttendanceMode, Participant, Registration, RegistrationStatus
from registration.models.participant import IdentityKey
from registration.services import announcements
from tests.factories import (
    NOW,
    AdmissionFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoomFactory,
    SessionFactory,
    SideEventFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


def publish(conference: Conference) -> Release:
    return publishing.publish(conference, by=None, now=NOW, check=False)


def move(session: Session, hours: int = 1) -> None:
    """Another time, in the draft."""
    by = timedelta(hours=hours)
    Session.objects.filter(pk=session.pk).update(starts_at=F("starts_at") + by, ends_at=F("ends_at") + by)


def told() -> list[Participant]:
    """Whom the outbox tells, in the order of its rows."""
    rows = Message.objects.filter(topic=notices.TOPIC).order_by("pk")
    return [Participant.objects.get(public_id=row.about_id) for row in rows]


def rendered(message: Message) -> Mail:
    made = handlers.tell_programme(message, now=NOW)
    assert isinstance(made, Mail)
    return made


@pytest.fixture
def side_event() -> Session:
    return SideEventFactory(title={"en": "Side event one", "ru": "Мероприятие"})


@pytest.fixture
def registration(side_event: Session) -> Registration:
    admission = AdmissionFactory(conference=side_event.conference, session=side_event)
    return RegistrationFactory(admission=admission, status=RegistrationStatus.CONFIRMED)


@pytest.mark.parametrize(
    ("status", "is_told"),
    [("confirmed", True), ("waitlisted", True), ("pending", True), ("cancelled", False), ("rejected", False)],
)
def test_everybody_whose_registration_stands_is_told(side_event: Session, status: str, is_told: bool) -> None:
    admission = AdmissionFactory(conference=side_event.conference, session=side_event)
    row = RegistrationFactory(admission=admission, status=status)
    publish(side_event.conference)
    move(side_event)
    assert told() == []  # the draft tells nobody

    publish(side_event.conference)

    assert told() == ([row.participant] if is_told else [])


def test_one_message_per_person_and_release(side_event: Session, registration: Registration) -> None:
    other = SideEventFactory(conference=side_event.conference)
    second = AdmissionFactory(conference=side_event.conference, session=other)
    RegistrationFactory(admission=second, participant=registration.participant)
    publish(side_event.conference)
    move(side_event)
    move(other)
    Session.objects.filter(pk=side_event.pk).update(room=RoomFactory(), format="online")
    publish(side_event.conference)
    assert told() == [registration.participant]

    move(side_event)
    publish(side_event.conference)

    assert told() == [registration.participant] * 2


@pytest.mark.parametrize("change", [{"title": {"en": "Other title"}}, {"call_to_action": {"en": "Come"}}])
def test_words_alone_are_no_message(side_event: Session, registration: Registration, change: dict[str, object]) -> None:
    publish(side_event.conference)
    Session.objects.update(**change)
    publish(side_event.conference)
    assert told() == []


def test_who_comes_with_the_conference_is_told_of_its_sessions(side_event: Session) -> None:
    conference = side_event.conference
    admission = AdmissionFactory(conference=conference, session=None, mode=AttendanceMode.IN_PERSON)
    row = RegistrationFactory(admission=admission)
    panel = SessionFactory(conference=conference, registration_mode=RegistrationMode.WITH_CONFERENCE)
    publish(conference)
    move(side_event)
    publish(conference)
    assert told() == []

    move(panel)
    publish(conference)

    assert told() == [row.participant]


@pytest.mark.parametrize("change", [{"state": ConferenceState.CANCELLED}, {"venue": None}])
def test_everybody_is_told_of_the_conference(
    side_event: Session, registration: Registration, change: dict[str, object]
) -> None:
    publish(side_event.conference)
    Conference.objects.update(**change)
    publish(side_event.conference)
    assert told() == [registration.participant]


def test_nobody_is_told_of_the_past(side_event: Session, registration: Registration) -> None:
    Session.objects.update(starts_at=NOW - timedelta(days=2), ends_at=NOW - timedelta(days=1))
    publish(side_event.conference)
    Session.objects.update(room=RoomFactory())
    publish(side_event.conference)
    move(side_event, hours=-1)
    publish(side_event.conference)
    assert told() == []


def test_the_mail_says_what_changed_in_the_language_of_the_reader(
    side_event: Session, registration: Registration
) -> None:
    Participant.objects.update(language="ru")
    publish(side_event.conference)
    move(side_event)
    publish(side_event.conference)

    mail = rendered(Message.objects.get(topic=notices.TOPIC))

    assert mail.language == "ru"
    assert "Мероприятие" in mail.text
    assert "13:00" in mail.text  # 11:00 in Vienna before, 12:00 to 13:00 now
    assert "Side event" not in mail.subject
    assert "Мероприятие" not in mail.subject
    (part,) = mail.attachments
    event: Any = icalendar.Calendar.from_ical(part.content.decode()).walk("VEVENT")[0]
    assert event["DTSTART"].dt.hour == 12
    assert "method=REQUEST" in part.mimetype


def test_a_cancelled_session_takes_its_calendar_entry_back(side_event: Session, registration: Registration) -> None:
    publish(side_event.conference)
    Session.objects.update(state=SessionState.CANCELLED)
    publish(side_event.conference)

    mail = rendered(Message.objects.get(topic=notices.TOPIC))
    (part,) = mail.attachments

    assert "method=CANCEL" in part.mimetype
    assert b"STATUS:CANCELLED" in part.content
    assert "does not take place" in mail.text
    assert (mail.subject, "Side event one" in mail.text) == ("A change to your registration", True)


def test_the_mail_is_not_sent_to_who_has_cancelled_since(side_event: Session, registration: Registration) -> None:
    publish(side_event.conference)
    move(side_event)
    publish(side_event.conference)
    Registration.objects.update(status=RegistrationStatus.CANCELLED, cancelled_at=NOW)

    assert isinstance(handlers.tell_programme(Message.objects.get(topic=notices.TOPIC), now=NOW), Superseded)


def test_erased_people_are_not_told(side_event: Session, registration: Registration) -> None:
    publish(side_event.conference)
    IdentityKey.objects.all().delete()
    move(side_event)
    publish(side_event.conference)
    assert told() == []


def test_rules_of_registration_follow_the_release_and_not_the_draft(
    side_event: Session, registration: Registration
) -> None:
    waiting = RegistrationFactory(
        admission=registration.admission, participant=ParticipantFactory(), status=RegistrationStatus.WAITLISTED
    )
    publish(side_event.conference)
    Session.objects.update(state=SessionState.CANCELLED)  # not published: nobody knows yet

    services.change_capacity(admission_id=registration.admission_id, capacity=5, by=actors.SYSTEM, now=NOW)

    waiting.refresh_from_db()
    assert waiting.status == RegistrationStatus.CONFIRMED


def test_to_many_people_a_second_organiser_releases_what_a_release_changed(
    registration: Registration, side_event: Session, settings: Any
) -> None:
    """What calls a session off for hundreds does not leave by one mistake; it can be recalled for ten minutes."""
    settings.ANNOUNCEMENT_RELEASE_ABOVE = 0
    first, second = UserFactory(), UserFactory()
    publish(side_event.conference)
    move(side_event)
    release = publishing.publish(side_event.conference, by=first, now=NOW, check=False)

    assert told() == []
    waiting = Announcement.objects.get(release=release)
    with pytest.raises(announcements.NeedsAnother):
        announcements.release(announcement_id=waiting.pk, by=actors.Actor.organiser(first), now=NOW)
    announcements.release(announcement_id=waiting.pk, by=actors.Actor.organiser(second), now=NOW)

    assert told() == [registration.participant]
    message = Message.objects.get(topic=notices.TOPIC)
    assert message.due_at == NOW + organiser_mails.RECALL_FOR
    assert rendered(message).subject
    assert announcements.recall(announcement_id=waiting.pk, by=actors.Actor.organiser(first), now=NOW) == 1
