"""Mails to participants: rendered from the present state, in their language, with nothing that must not be in them."""

from __future__ import annotations

from datetime import timedelta

import icalendar
import pytest
from django.conf import settings

import outbox.services
from accounts import actors
from accounts.models import AuditEntry
from events.models import Session, SessionState
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration import services
from registration.letters import handlers, messages
from registration.models import Admission, Participant, Registration, RegistrationStatus
from tests.factories import (
    NOW,
    AdmissionFactory,
    MeetingFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
)
from tests.registration.people import confirm_wishes
from video.models import Meeting, MeetingState

pytestmark = pytest.mark.django_db

CANARY = "canary-room"


def applicant(**more: object) -> services.Applicant:
    """Somebody who fills in the form."""
    values: dict[str, object] = {
        "given_name": "Мария",
        "family_name": "Иванова",
        "email": "Maria@Mail.Example",
        "language": "ru",
        "category": "civil_society",
    }
    return services.Applicant(**(values | more))  # type: ignore[arg-type]


def loaded(admission: Admission) -> Admission:
    """The admission as the form has it."""
    return Admission.objects.with_meeting().prefetch_related("audience_organisations").get(pk=admission.pk)


def register(admission: Admission, token: str = "token", **more: object) -> services.Answer:  # noqa: S107
    """Register by the service."""
    return services.register(
        conference=admission.conference,
        admissions=[loaded(admission)],
        applicant=applicant(**more),
        form_token=token,
        now=NOW,
    )


def rendered(topic: str) -> Mail:
    """The mail of the one queued message of a topic."""
    message = Message.objects.get(topic=topic)
    handler = {
        messages.FORM: handlers.answer_form,
        messages.STATUS: handlers.tell_change,
        messages.JOIN_LINK: handlers.send_join_link,
        messages.KNOWN_ADDRESS: handlers.tell_known_address,
        messages.PERSONAL_LINK: handlers.send_personal_link,
    }[topic]
    mail = handler(message, now=NOW)
    assert isinstance(mail, Mail)
    return mail


def test_confirmation_goes_to_the_typed_address_with_page_and_calendar() -> None:
    admission = AdmissionFactory(capacity=1)

    answer = register(admission)
    mail = rendered(messages.FORM)

    assert [outcome.status for outcome in answer.outcomes] == [RegistrationStatus.CONFIRMED]
    participant = Participant.objects.get()
    assert mail.to == "Maria@Mail.Example"
    assert f"/r/{participant.personal_token}/" in mail.text
    assert f"/r/{participant.personal_token}/" in mail.html
    assert "Мария Иванова" in mail.text
    book = icalendar.Calendar.from_ical(mail.attachments[0].content)
    assert book["METHOD"] == "REQUEST"
    [event] = book.walk("VEVENT")
    assert event["UID"] == f"{Registration.objects.get().public_id}@{settings.SITE_DOMAIN}"
    assert event.decoded("dtstart") == admission.session.starts_at
    assert book.walk("VTIMEZONE")


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_confirmation_is_written_in_each_language(language: str) -> None:
    register(AdmissionFactory(), language=language)

    mail = rendered(messages.FORM)

    assert mail.language == language
    assert f'<html lang="{language}">' in mail.html


def test_no_mail_holds_the_address_of_the_meeting() -> None:
    admission = AdmissionFactory()
    MeetingFactory(session=admission.session)

    register(admission)

    for topic in (messages.FORM, messages.JOIN_LINK):
        mail = rendered(topic)
        parts = [mail.subject, mail.text, mail.html, *[a.content.decode() for a in mail.attachments]]
        assert not [part for part in parts if CANARY in part or "provider.example" in part]


def test_join_link_mail_is_due_a_day_before_the_door_opens_and_holds_our_link() -> None:
    admission = AdmissionFactory()
    meeting = MeetingFactory(session=admission.session)

    register(admission)

    message = Message.objects.get(topic=messages.JOIN_LINK)
    assert message.next_attempt_at == admission.session.starts_at - meeting.opens_before - messages.JOIN_LINK_BEFORE
    assert f"/join/{Registration.objects.get().join_token}/" in rendered(messages.JOIN_LINK).text


def test_join_link_is_dropped_for_somebody_who_waits() -> None:
    admission = AdmissionFactory(capacity=0)

    register(admission)

    message = Message.objects.get(topic=messages.JOIN_LINK)
    assert isinstance(handlers.send_join_link(message, now=NOW), Superseded)


def test_waiting_list_mail_says_the_place_in_line() -> None:
    admission = AdmissionFactory(capacity=0)
    register(admission, token="first", email="first@mail.example")
    Message.objects.all().delete()

    register(admission, token="second", language="en", email="second@mail.example")

    assert "number 2 in line" in rendered(messages.FORM).text


def test_promotion_and_cancellation_are_told_and_the_first_answer_is_superseded() -> None:
    admission = AdmissionFactory(capacity=1)
    seated = RegistrationFactory(admission=admission)
    waiting = RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)

    services.cancel(registration_id=seated.pk, by=actors.PARTICIPANT, now=NOW)

    waiting.refresh_from_db()
    assert waiting.status == RegistrationStatus.CONFIRMED
    told = {
        str(message.about_id): handlers.tell_change(message, now=NOW)
        for message in Message.objects.filter(topic=messages.STATUS)
    }
    assert set(told) == {str(seated.public_id), str(waiting.public_id)}
    promoted = told[str(waiting.public_id)]
    assert isinstance(promoted, Mail)
    assert promoted.subject == "Your registration"


def test_name_of_a_stranger_cannot_become_a_link() -> None:
    register(AdmissionFactory(), given_name="[click](https://evil.example)", family_name="<b>x</b>", language="en")

    mail = rendered(messages.FORM)

    assert 'href="https://evil.example"' not in mail.html
    assert "<b>" not in mail.html


def test_alias_is_the_only_name_in_a_mail_and_the_calendar_is_neutral() -> None:
    register(AdmissionFactory(), alias="Blue Heron", given_name="Realname", family_name="Canary", language="en")

    mail = rendered(messages.FORM)

    everything = mail.subject + mail.text + mail.html + mail.attachments[0].content.decode()
    assert "Canary" not in everything
    assert "Realname" not in everything
    assert "Blue Heron" in mail.text
    assert "SUMMARY:Meeting" in mail.attachments[0].content.decode()


def test_mail_of_an_erased_person_is_not_sent() -> None:
    register(AdmissionFactory())
    participant = Participant.objects.get()
    participant.identity_key.delete()

    assert isinstance(handlers.answer_form(Message.objects.get(topic=messages.FORM), now=NOW), Superseded)


def test_known_address_gets_one_mail_an_hour_about_the_true_state() -> None:
    admission = AdmissionFactory(capacity=1)
    register(admission, token="one")
    for number in range(5):
        register(admission, token=f"again {number}", language="en")

    assert Message.objects.filter(topic=messages.KNOWN_ADDRESS).count() == 1
    assert Registration.objects.count() == 1
    mail = rendered(messages.KNOWN_ADDRESS)
    assert mail.language == "ru"


def test_personal_link_is_the_same_in_every_mail_and_only_its_hash_is_stored() -> None:
    participant = ParticipantFactory(email="someone@mail.example")

    services.resend_personal_link(conference=participant.conference, email="Someone@MAIL.example", now=NOW)
    services.resend_personal_link(conference=participant.conference, email="nobody@mail.example", now=NOW)

    assert participant.personal_token in rendered(messages.PERSONAL_LINK).text
    found = services.find_personal(participant.personal_token)
    assert found == participant
    assert outbox.services is not None


def test_times_in_a_mail_are_printed_as_the_language_prints_them_on_both_clocks() -> None:
    register(AdmissionFactory(), language="ru", time_zone="America/New_York")

    text = rendered(messages.FORM).text

    assert "понедельник, 15 июля 2030 г., 11:00–12:00" in text
    assert "CEST, UTC+2" in text
    assert "05:00–06:00" in text
    assert "EDT, UTC-4" in text


def test_calendar_entry_holds_no_personal_link() -> None:
    register(AdmissionFactory())

    entry = rendered(messages.FORM).attachments[0].content.decode().replace("\r\n ", "")

    assert Participant.objects.get().personal_token not in entry
    assert "/r/" not in entry
    assert "/join/" not in entry


def test_join_link_follows_a_session_that_moves() -> None:
    admission = AdmissionFactory()
    register(admission)
    old = Message.objects.get(topic=messages.JOIN_LINK)
    session = admission.session
    session.starts_at, session.ends_at = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    session.save()

    queued = services.queue_missing_join_links(now=NOW)
    again = services.queue_missing_join_links(now=NOW)

    assert (queued, again) == (1, 0)
    new = Message.objects.exclude(pk=old.pk).get(topic=messages.JOIN_LINK)
    assert new.next_attempt_at == NOW
    assert isinstance(handlers.send_join_link(new, now=NOW), Mail)
    assert isinstance(handlers.send_join_link(old, now=NOW), Superseded)


@pytest.mark.parametrize("what", ["session cancelled", "meeting cancelled", "over"])
def test_join_link_is_dropped_when_the_door_will_not_open(what: str) -> None:
    admission = AdmissionFactory()
    meeting = MeetingFactory(session=admission.session)
    register(admission)
    now = NOW
    if what == "session cancelled":
        Session.objects.filter(pk=admission.session.pk).update(state=SessionState.CANCELLED)
    elif what == "meeting cancelled":
        Meeting.objects.filter(pk=meeting.pk).update(state=MeetingState.CANCELLED)
    else:
        now = admission.session.ends_at

    message = Message.objects.get(topic=messages.JOIN_LINK)

    assert isinstance(handlers.send_join_link(message, now=now), Superseded)


def test_person_who_was_cancelled_by_an_organiser_reads_the_reason_and_the_entry_is_taken_back() -> None:
    register(AdmissionFactory(), language="en")

    registration = Registration.objects.get()
    services.cancel(registration_id=registration.pk, by=actors.SYSTEM, now=NOW, reason="The hall is closed.")

    mail = rendered(messages.STATUS)
    assert "The hall is closed." in mail.text
    assert "METHOD:CANCEL" in mail.attachments[0].content.decode()
    assert not [e for e in AuditEntry.objects.all() if "hall" in str(e.details)]


def test_person_who_only_waited_gets_no_entry_taken_back() -> None:
    register(AdmissionFactory(capacity=0))

    services.cancel(registration_id=Registration.objects.get().pk, by=actors.PARTICIPANT, now=NOW)

    assert rendered(messages.STATUS).attachments == ()


def test_known_person_who_adds_a_choice_is_asked_first_and_then_gets_one_mail_about_it() -> None:
    first = AdmissionFactory()
    second = AdmissionFactory(conference=first.conference, session=SideEventFactory(conference=first.conference))
    register(first, token="first")

    register(second, token="second")

    asked = rendered(messages.KNOWN_ADDRESS)
    assert asked.language == "ru"
    assert str(second.session.title) in asked.text
    assert str(first.session.title) not in asked.text
    assert Participant.objects.get().personal_token in asked.text
    assert Message.objects.filter(topic=messages.FORM).count() == 1

    confirm_wishes()

    assert Message.objects.filter(topic=messages.FORM).count() == 2
