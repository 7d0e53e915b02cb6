"""Reminders, thanks and daily summaries: who gets them, when, what stands in them, and how they are stopped."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import outbox.services
from accounts import actors
from accounts.models import AuditEntry
from alliance import crypto
from events.admin import pages
from events.models import MailSettings, Session
from outbox.delivery import drain
from outbox.models import Message, MessageState
from outbox.results import Mail, Superseded
from registration.letters import digests, organiser_mails, reminders, thanks, unsubscribing
from registration.models import Announcement, Membership, OptOut, Participant, Registration
from registration.models.delegation_member import AsWritten
from registration.services import announcements
from tests import factories
from tests.factories import NOW
from tests.services import SmtpSink

pytestmark = pytest.mark.django_db

START = NOW + timedelta(hours=20)


def confirmed(mode: str = "in_person", **more: Any) -> Registration:
    session = factories.SessionFactory(starts_at=START, ends_at=START + timedelta(hours=1), state="scheduled")
    admission = factories.AdmissionFactory(conference=session.conference, session=session, mode=mode)
    participant = factories.ParticipantFactory(conference=session.conference, **more)
    return factories.RegistrationFactory(
        admission=admission, participant=participant, status="confirmed", created_at=NOW - timedelta(days=9)
    )


def session_of(registration: Registration) -> Session:
    session = registration.admission.session
    assert session is not None
    return session


def only(topic: str) -> Message:
    return Message.objects.get(topic=topic)


def sent(now: datetime = NOW) -> Mail | Superseded:
    return reminders.send(only(reminders.TOPIC), now=now)


def test_a_day_and_an_hour_before_one_mail_each() -> None:
    registration = confirmed()
    for hours in (-30, 0, 1, 17.9, 18.1, 19, 19.5, 20, 21):
        reminders.queue_due(now=NOW + timedelta(hours=hours))

    found = list(Message.objects.filter(topic=reminders.TOPIC).order_by("pk"))

    assert [message.details["before"] for message in found] == ["day", "hour"]
    assert [message.deadline_at for message in found] == [START - timedelta(hours=2), START]
    mail = reminders.send(found[0], now=NOW)
    assert isinstance(mail, Mail)
    assert str(session_of(registration).title) in mail.text
    assert str(session_of(registration).title) not in mail.subject
    assert registration.participant.personal_token in mail.html


def test_online_the_link_to_join_comes_the_day_before_and_the_reminder_has_it_an_hour_before() -> None:
    registration = confirmed("online")

    assert reminders.queue_due(now=NOW) == 0
    assert reminders.queue_due(now=START - timedelta(minutes=50)) == 1

    mail = sent(START - timedelta(minutes=50))
    assert isinstance(mail, Mail)
    assert f"/join/{registration.join_token}/" in mail.text


def test_what_begins_together_is_one_mail() -> None:
    first = confirmed()
    session = factories.SessionFactory(
        conference=first.admission.conference, starts_at=START, ends_at=START + timedelta(hours=1), state="scheduled"
    )
    factories.RegistrationFactory(
        admission=factories.AdmissionFactory(conference=session.conference, session=session, mode="in_person"),
        participant=first.participant,
        status="confirmed",
        created_at=NOW - timedelta(days=9),
    )

    reminders.queue_due(now=NOW)

    mail = sent()
    assert isinstance(mail, Mail)
    assert str(session.title) in mail.text


@pytest.mark.parametrize(
    "values", [{"status": "waitlisted", "position": 1}, {"status": "rejected"}, {"promoted_at": NOW}]
)
def test_who_is_not_confirmed_or_was_just_now_gets_none(values: dict[str, Any]) -> None:
    registration = confirmed()
    other = factories.ParticipantFactory(conference=registration.participant.conference)
    plain = {"status": "confirmed", "created_at": NOW - timedelta(days=9)}
    factories.RegistrationFactory(admission=registration.admission, participant=other, **(plain | values))

    assert reminders.queue_due(now=NOW + timedelta(hours=1)) == 1

    assert only(reminders.TOPIC).about_id == registration.participant.public_id


def test_moved_or_cancelled_meanwhile_is_not_sent() -> None:
    registration = confirmed()
    reminders.queue_due(now=NOW)
    sessions = Session.objects.filter(pk=session_of(registration).pk)
    message = only(reminders.TOPIC)

    sessions.update(state="cancelled")
    assert isinstance(reminders.send(message, now=NOW), Superseded)
    sessions.update(state="scheduled", starts_at=START + timedelta(hours=1), ends_at=START + timedelta(hours=2))
    assert isinstance(reminders.send(message, now=NOW), Superseded)
    sessions.update(starts_at=START)
    assert isinstance(reminders.send(message, now=NOW), Mail)
    assert isinstance(reminders.send(message, now=START), Superseded)
    registration.participant.identity_key.delete()
    assert isinstance(reminders.send(message, now=NOW), Superseded)


def test_settings_of_the_conference_switch_them_off() -> None:
    conference = confirmed().admission.conference
    MailSettings.objects.create(conference=conference, reminds_a_day_before=False)

    assert reminders.queue_due(now=NOW) == 0
    assert reminders.queue_due(now=START - timedelta(minutes=30)) == 1


# --- stopping --------------------------------------------------------------------------------------------------------


def test_one_click_stops_them_without_cookie_or_log_in(smtp_sink: SmtpSink) -> None:
    participant = confirmed().participant
    reminders.queue_due(now=NOW)
    drain("mail", now=NOW)
    (received,) = smtp_sink.messages
    link = str(received.message["List-Unsubscribe"]).strip("<>")
    path = "/" + link.partition("://")[2].partition("/")[2]
    browser = Client(enforce_csrf_checks=True)

    assert received.message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert browser.get(path).status_code == 200
    assert not OptOut.objects.exists()
    answer = browser.post(path, {"List-Unsubscribe": "One-Click"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert answer.cookies == {}
    assert OptOut.objects.get().about_id == participant.public_id
    assert reminders.queue_due(now=START - timedelta(minutes=30)) == 0
    browser.post(path, {"again": "1"})
    assert reminders.queue_due(now=START - timedelta(minutes=30)) == 1


def test_links_that_we_did_not_make_lead_nowhere(client: Client) -> None:
    token = unsubscribing.token("participant", factories.ParticipantFactory().public_id)

    for wrong in ("x", token[:-1], "u" + token[1:], token[:-1] + ("a" if token[-1] != "a" else "b"), "ж" * 53):
        assert client.post(reverse("registration:unsubscribe", args=[wrong])).status_code == 404
    assert not OptOut.objects.exists()


# --- thanks ----------------------------------------------------------------------------------------------------------


def test_thanks_go_once_to_those_who_came(client: Client) -> None:
    registration = confirmed()
    conference, session = registration.admission.conference, registration.admission.session
    absent = factories.ParticipantFactory(conference=conference)
    factories.RegistrationFactory(admission=registration.admission, participant=absent, status="absent")
    factories.MaterialFactory(
        conference=conference, session=session, title={"en": "The *recording*"}, url="https://video.example/1"
    )
    over = START + timedelta(days=1)

    with pytest.raises(thanks.NotOver):
        thanks.release(conference=conference, session=session, by=actors.SYSTEM, now=NOW)
    assert thanks.release(conference=conference, session=session, by=actors.SYSTEM, now=over) == 1
    with pytest.raises(thanks.SentBefore):
        thanks.release(conference=conference, session=session, by=actors.SYSTEM, now=over)

    mail = thanks.send(only(thanks.TOPIC), now=over)
    assert isinstance(mail, Mail)
    assert 'href="https://video.example/1"' in mail.html
    assert "The *recording*:\nhttps://video.example/1" in mail.text
    assert AuditEntry.objects.get(action="thanks.released").details["messages"] == 1


def test_thanks_to_many_need_a_second_organiser(settings: Any, client: Client) -> None:
    """The first one's click queues nothing; the second one's does, to be recalled for ten minutes."""
    settings.ANNOUNCEMENT_RELEASE_ABOVE = 0
    registration = confirmed()
    conference, session = registration.admission.conference, registration.admission.session
    first, second = (factories.RoleFactory(kind="communications", conference=conference).user for _ in range(2))
    over = START + timedelta(days=1)

    assert thanks.release(conference=conference, session=session, by=actors.Actor.organiser(first), now=over) == 0
    assert not Message.objects.filter(topic=thanks.TOPIC).exists()
    with pytest.raises(thanks.Waits):
        thanks.release(conference=conference, session=session, by=actors.Actor.organiser(second), now=over)
    waiting = Announcement.objects.get()
    with pytest.raises(announcements.NeedsAnother):
        announcements.release(announcement_id=waiting.pk, by=actors.Actor.organiser(first), now=over)
    client.force_login(second)
    page = pages.url("message", conference, message=waiting.public_id)
    assert "Thanks, with recordings and papers" in client.get(page).text
    announcements.release(announcement_id=waiting.pk, by=actors.Actor.organiser(second), now=over)

    message = only(thanks.TOPIC)
    assert message.due_at == over + organiser_mails.RECALL_FOR
    assert isinstance(thanks.send(message, now=over), Mail)
    assert announcements.recall(announcement_id=waiting.pk, by=actors.Actor.organiser(first), now=over) == 1
    assert only(thanks.TOPIC).state == "superseded"


def test_organiser_thanks_from_the_page(client: Client) -> None:
    registration = confirmed()
    Session.objects.filter(pk=session_of(registration).pk).update(
        starts_at=datetime(2020, 7, 21, 9, tzinfo=NOW.tzinfo), ends_at=datetime(2020, 7, 21, 10, tzinfo=NOW.tzinfo)
    )
    conference = registration.admission.conference
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    page = pages.url("thanks", conference)

    assert re.search(r"<td[^>]*>1</td>", client.get(page).text)
    client.post(page, {"session": str(registration.admission.session_id)})

    assert Message.objects.filter(topic=thanks.TOPIC, about_id=registration.participant.public_id).count() == 1
    other = factories.SessionFactory()
    assert client.post(page, {"session": str(other.pk)}).status_code == 404


# --- summaries for focal points --------------------------------------------------------------------------------------


def member(delegation: Any, name: str, answered_at: datetime | None) -> Membership:
    participant = factories.ParticipantFactory(conference=delegation.conference, display_name=name)
    made = Membership(
        delegation=delegation,
        participant=participant,
        mode="in_person",
        capacity="adviser",
        state="confirmed" if answered_at else "nominated",
        nominated_at=NOW - timedelta(days=30),
        answered_at=answered_at,
        answer_hash=participant.public_id.bytes * 2,
    )
    made.seal_as_written(AsWritten(name, ""), crypto.unwrap_person_key(bytes(participant.identity_key.wrapped)))
    made.save()
    return made


def test_focal_point_reads_once_a_day_what_own_members_answered() -> None:
    delegation = factories.DelegationFactory()
    other = factories.DelegationFactory(conference=delegation.conference)
    user = factories.UserFactory(language="en")
    delegation.focal_points.create(user=user)
    member(delegation, "Wren", NOW - timedelta(hours=10))
    member(delegation, "Heron", None)
    member(other, "Secret", NOW - timedelta(hours=10))
    factories.ParticipantFactory(conference=delegation.conference, display_name="Stranger")

    for hours in (0, 1, 5):
        digests.queue_due(now=NOW + timedelta(hours=hours))
    message = only(digests.TOPIC)
    mail = digests.send(message, now=NOW)

    assert isinstance(mail, Mail)
    assert mail.to == user.email
    assert "- Wren: Confirmed by the member" in mail.text
    assert "Confirmed: 1. Not answered yet: 1." in mail.text
    assert not {"Heron", "Secret", "Stranger"} & set(re.findall(r"\w+", mail.text + mail.html))
    assert "List-Unsubscribe" in mail.headers
    assert digests.queue_due(now=NOW + timedelta(days=1)) == 0
    unsubscribing.stop("user", user.public_id, now=NOW)
    assert isinstance(digests.send(message, now=NOW), Superseded)


def test_no_news_no_summary() -> None:
    delegation = factories.DelegationFactory()
    delegation.focal_points.create(user=factories.UserFactory())
    member(delegation, "Wren", NOW - timedelta(days=3))

    assert digests.queue_due(now=NOW) == 0
    assert Participant.objects.count() == 1


def test_reminders_arrive_through_the_outbox(smtp_sink: SmtpSink) -> None:
    confirmed(language="ru")
    reminders.queue_due(now=NOW)

    outbox.services.drain("mail", now=NOW)

    assert Message.objects.get().state == MessageState.SENT
    mail = smtp_sink.messages[0].message
    assert mail["Content-Language"] == "ru"
    assert mail["Auto-Submitted"] == "auto-generated"
