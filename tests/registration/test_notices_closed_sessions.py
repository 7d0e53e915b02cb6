"""Who is told of what a release changes, read by somebody who does not trust it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from events.models import Conference, RegistrationMode, Release, Session, SessionState, Visibility
from events.releases import publishing, wording
from events.releases.reading import reading_published
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.letters import handlers, notices
from registration.models import Registration, RegistrationStatus
from tests.factories import NOW, AdmissionFactory, RegistrationFactory, RoomFactory, SessionFactory, SideEventFactory

pytestmark = pytest.mark.django_db


def publish(conference: Conference) -> Release:
    return publishing.publish(conference, by=None, now=NOW, check=False)


def move(session: Session) -> None:
    by = timedelta(hours=1)
    Session.objects.filter(pk=session.pk).update(starts_at=F("starts_at") + by, ends_at=F("ends_at") + by)


def messages() -> list[Message]:
    return list(Message.objects.filter(topic=notices.TOPIC).order_by("pk"))


def mail() -> Mail:
    made = handlers.tell_programme(messages()[-1], now=NOW)
    assert isinstance(made, Mail)
    return made


@pytest.fixture
def closed_event() -> Session:
    return SideEventFactory(title={"en": "Closed meeting"}, visibility=Visibility.INVITATION)


@pytest.fixture
def registration(closed_event: Session) -> Registration:
    admission = AdmissionFactory(conference=closed_event.conference, session=closed_event)
    return RegistrationFactory(admission=admission, status=RegistrationStatus.CONFIRMED)


def test_who_is_registered_for_a_closed_session_is_told_and_nobody_else(
    closed_event: Session, registration: Registration
) -> None:
    everybody = AdmissionFactory(conference=closed_event.conference, session=None)
    RegistrationFactory(admission=everybody)
    Session.objects.update(registration_mode=RegistrationMode.WITH_CONFERENCE)
    publish(closed_event.conference)
    move(closed_event)
    release = publish(closed_event.conference)

    assert [message.about_id for message in messages()] == [registration.participant.public_id]
    assert "Closed meeting" in mail().text
    assert "Time:" in mail().text
    with reading_published():
        assert wording.change_lists(release.conference, [release])[0].groups == []


def test_the_public_list_does_not_tell_of_a_closed_session_when_it_opens_later(
    closed_event: Session, registration: Registration
) -> None:
    publish(closed_event.conference)
    move(closed_event)
    closed = publish(closed_event.conference)
    Session.objects.update(visibility=Visibility.PUBLIC)
    opened = publish(closed_event.conference)

    with reading_published():
        first, second = wording.change_lists(closed.conference, [closed, opened])
    assert first.groups == []
    assert [group.lines for group in second.groups] == [["New in the programme."]]


def test_closing_a_session_is_no_news_to_those_who_come_to_it(
    closed_event: Session, registration: Registration
) -> None:
    Session.objects.update(visibility=Visibility.PUBLIC)
    publish(closed_event.conference)
    Session.objects.update(visibility=Visibility.INTERNAL)
    publish(closed_event.conference)
    assert messages() == []


def test_a_withdrawn_session_takes_its_calendar_entry_back(closed_event: Session, registration: Registration) -> None:
    Session.objects.update(visibility=Visibility.PUBLIC)
    publish(closed_event.conference)
    Session.objects.update(state=SessionState.DRAFT)
    publish(closed_event.conference)

    assert "No longer in the programme." in mail().text
    (part,) = mail().attachments
    assert "method=CANCEL" in part.mimetype
    assert b"STATUS:CANCELLED" in part.content


def test_what_is_over_is_not_told_along(closed_event: Session, registration: Registration) -> None:
    Session.objects.update(visibility=Visibility.PUBLIC)
    past = SideEventFactory(
        conference=closed_event.conference,
        title={"en": "Past event"},
        starts_at=NOW - timedelta(days=2),
        ends_at=NOW - timedelta(days=1),
    )
    admission = AdmissionFactory(conference=past.conference, session=past)
    RegistrationFactory(admission=admission, participant=registration.participant)
    publish(closed_event.conference)
    Session.objects.filter(pk=past.pk).update(room=RoomFactory())
    move(closed_event)
    publish(closed_event.conference)

    assert "Closed meeting" in mail().text
    assert "Past event" not in mail().text


def test_a_session_hidden_before_the_mail_leaves_is_not_named_to_those_not_registered_for_it(
    closed_event: Session,
) -> None:
    conference = closed_event.conference
    RegistrationFactory(admission=AdmissionFactory(conference=conference, session=None))
    panel = SessionFactory(conference=conference, registration_mode=RegistrationMode.WITH_CONFERENCE)
    publish(conference)
    move(panel)
    publish(conference)
    assert str(panel.title) in mail().text

    Session.objects.filter(pk=panel.pk).update(visibility=Visibility.INTERNAL)

    assert isinstance(handlers.tell_programme(messages()[-1], now=NOW), Superseded)


@pytest.mark.parametrize("count", [1, 20])
def test_a_mail_asks_a_constant_number_of_queries(
    closed_event: Session, registration: Registration, count: int, django_assert_max_num_queries: Any
) -> None:
    Session.objects.update(visibility=Visibility.PUBLIC)
    for _index in range(count):
        other = SideEventFactory(conference=closed_event.conference)
        admission = AdmissionFactory(conference=other.conference, session=other)
        RegistrationFactory(admission=admission, participant=registration.participant)
    publish(closed_event.conference)
    Session.objects.update(starts_at=F("starts_at") + timedelta(hours=1), ends_at=F("ends_at") + timedelta(hours=1))
    publish(closed_event.conference)
    with django_assert_max_num_queries(10):
        mail()
