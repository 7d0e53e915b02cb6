"""Messages that organisers write: one to each person, in their language, recalled or released by a second organiser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import outbox.services
from accounts.actors import Actor
from accounts.models import AuditEntry, User
from events import jobs
from events.admin import pages
from events.models import Conference, Job
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.admin import announcements as announcement_pages
from registration.letters import organiser_mails
from registration.models import Announcement, IdentityKey, Participant, Registration
from registration.services import announcements
from tests import factories
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db
WORDS = {"en": "Room for {name}"}
TEXT = {"en": "Dear {name},\n\nyou come to {thing}. See {link}, please.", "fr": "Bonjour {name}, voir {link}."}


@pytest.fixture
def conference() -> Conference:
    """A conference."""
    made: Conference = factories.ConferenceFactory()
    return made


def registered(conference: Conference, **person: Any) -> Registration:
    """Somebody who comes to a side event."""
    session = SideEventFactory(conference=conference, title={"en": "Panel"})
    registration: Registration = RegistrationFactory(
        admission=AdmissionFactory(conference=conference, session=session),
        participant=ParticipantFactory(conference=conference, **person),
    )
    return registration


def by() -> Actor:
    """An organiser."""
    return Actor.organiser(factories.UserFactory())


def written(*rows: Registration, subject: dict[str, str] = WORDS, text: dict[str, str] = TEXT) -> Announcement:
    """A draft to the people behind registrations."""
    made = announcements.begin(
        conference=rows[0].admission.conference, registration_ids=[row.pk for row in rows], by=by(), now=NOW
    )
    return announcements.word(announcement_id=made.pk, subject=subject, text=text, to_ended=False)


def mail(message: Message) -> Mail:
    """What leaves."""
    found = organiser_mails.tell_announcement(message, now=NOW)
    assert isinstance(found, Mail)
    return found


def test_each_person_gets_one_mail_ten_minutes_later(conference: Conference) -> None:
    one = registered(conference, display_name="Ada *Alias*")
    again = RegistrationFactory(
        admission=AdmissionFactory(conference=conference, session=None), participant=one.participant
    )
    other = registered(conference)

    sent = announcements.send_off(announcement_id=written(one, again, other).pk, by=by(), now=NOW)

    assert (sent.state, sent.recipients) == ("released", 2)
    messages = Message.objects.order_by("pk")
    assert [message.due_at for message in messages] == [NOW + timedelta(minutes=10)] * 2
    assert {message.order_key for message in messages} == {
        f"participant:{person.public_id}" for person in (one.participant, other.participant)
    }
    letter = mail(messages[0])
    assert letter.to == one.participant.open_identity().email
    assert letter.subject == "Room for Ada *Alias*"
    assert f"you come to Panel, {conference.title}. See Open your personal page:\n" in letter.text
    assert 'href="http' in letter.html
    assert "Ada *Alias*" in letter.html
    assert one.participant.personal_token in letter.text


def test_language_of_the_person_else_english_with_a_notice(conference: Conference) -> None:
    french, german = registered(conference, language="fr"), registered(conference, language="de")
    announcements.send_off(
        announcement_id=written(french, german, subject={"en": "Hello", "fr": "Salut"}).pk, by=by(), now=NOW
    )

    to_french, to_german = (mail(message) for message in Message.objects.order_by("pk"))

    assert (to_french.subject, to_french.language) == ("Salut", "fr")
    assert (to_german.subject, to_german.language) == ("Hello", "en")
    assert "Bonjour" in to_french.text
    assert "English" not in to_french.text
    assert to_german.text.splitlines()[0].strip("*").startswith("Diese Nachricht")


def test_nobody_erased_or_cancelled_is_written_to_unless_wanted(conference: Conference) -> None:
    comes, erased, cancelled = (registered(conference) for _ in range(3))
    IdentityKey.objects.filter(participant=erased.participant).delete()
    Registration.objects.filter(pk=cancelled.pk).update(status="cancelled", cancelled_at=NOW)
    draft = written(comes, erased, cancelled)

    assert list(announcements.recipients(draft)) == [comes.participant]
    draft = announcements.word(announcement_id=draft.pk, subject=WORDS, text=TEXT, to_ended=True)
    assert list(announcements.recipients(draft)) == [comes.participant, cancelled.participant]


def test_who_cancels_before_it_leaves_gets_nothing(conference: Conference) -> None:
    one = registered(conference)
    announcements.send_off(announcement_id=written(one).pk, by=by(), now=NOW)
    Registration.objects.update(status="cancelled", cancelled_at=NOW)

    assert organiser_mails.tell_announcement(Message.objects.get(), now=NOW) == Superseded("cancelled since")


def test_recall_stops_what_has_not_left(conference: Conference) -> None:
    draft = written(registered(conference), registered(conference), registered(conference))
    announcements.send_off(announcement_id=draft.pk, by=by(), now=NOW)
    gone, held, _waiting = Message.objects.order_by("pk")
    Message.objects.filter(pk=gone.pk).update(state="sent", finished_at=NOW)
    outbox.services.hold([held.pk], by_user=None)

    count = announcements.recall(announcement_id=draft.pk, by=by(), now=NOW)

    assert count == 2
    assert list(Message.objects.order_by("pk").values_list("state", flat=True)) == ["sent", "superseded", "superseded"]
    assert organiser_mails.tell_announcement(held, now=NOW) == Superseded("recalled")
    with pytest.raises(announcements.StandsElsewhere):
        announcements.recall(announcement_id=draft.pk, by=by(), now=NOW)


def test_many_people_need_a_second_organiser(conference: Conference, settings: Any) -> None:
    settings.ANNOUNCEMENT_RELEASE_ABOVE = 1
    draft, first = written(registered(conference), registered(conference)), by()

    waiting = announcements.send_off(announcement_id=draft.pk, by=first, now=NOW)
    with pytest.raises(announcements.NeedsAnother):
        announcements.release(announcement_id=draft.pk, by=first, now=NOW)
    before = Message.objects.count()
    released = announcements.release(announcement_id=draft.pk, by=by(), now=NOW)

    assert (waiting.state, before) == ("waiting", 0)
    assert (released.state, Message.objects.count()) == ("released", 2)
    with pytest.raises(IntegrityError, match="announcement_released_by_a_second"), transaction.atomic():
        Announcement.objects.update(released_by=first.user)
    assert set(AuditEntry.objects.values_list("action", flat=True)) == {
        "announcement.begun", "announcement.sent_off", "announcement.released",
    }  # fmt: skip


def test_nothing_leaves_without_words_or_people(conference: Conference) -> None:
    one = registered(conference)
    for draft in (written(one, text={"fr": "Salut"}), written(one, subject={})):
        with pytest.raises(announcements.NothingToSend):
            announcements.send_off(announcement_id=draft.pk, by=by(), now=NOW)
    draft = written(one)
    Registration.objects.update(status="cancelled", cancelled_at=NOW)
    with pytest.raises(announcements.NothingToSend):
        announcements.send_off(announcement_id=draft.pk, by=by(), now=NOW)


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def user(client: Client, conference: Conference) -> User:
    """Somebody of communications, signed in."""
    found: User = factories.RoleFactory(kind="communications", conference=conference).user
    client.force_login(found)
    return found


def test_write_preview_try_and_send(client: Client, user: User, conference: Conference) -> None:
    one = registered(conference, display_name="Ada")
    chosen = {"action": "write_to_selected", "_selected_action": [one.pk], "index": "0"}
    page = client.post(reverse("admin:registration_registration_changelist"), chosen, follow=True)
    url = page.request["PATH_INFO"]
    words = {"subject_en": "Hello {name}", "text_en": "See {link}"}

    wrong = client.post(url, words | {"text_en": "Dear {nme}", "save": "1"})
    tried = client.post(url, words | {"test": "1", "test_language": "de"}, follow=True)
    trial = organiser_mails.tell_announcement_test(Message.objects.get(), now=NOW)
    sent = client.post(url, words | {"send": "1"}, follow=True)

    assert "1 person gets it." in page.text
    assert "Unknown placeholder: {nme}" in wrong.text
    assert "Hello Ada" in tried.text
    assert one.participant.personal_token not in tried.text
    assert isinstance(trial, Mail)
    assert trial.to == user.email
    assert "Ada" not in trial.text
    assert "recall it for ten minutes" in sent.text
    assert '<progress value="0" max="1"' in sent.text
    assert Message.objects.filter(topic=organiser_mails.ANNOUNCEMENT).count() == 1


def test_lines_in_a_subject_are_no_headers(client: Client, user: User, conference: Conference) -> None:
    draft = written(registered(conference))
    url = pages.url("message", conference, message=draft.public_id)

    answer = client.post(url, {"subject_en": "Hi\r\nBcc: all@mail.example", "text_en": "x", "save": "1"})

    assert "invisible or control characters" in answer.text
    draft.subject = {"en": "Hi\r\nBcc: all@mail.example"}
    letter, _language = organiser_mails.write(draft, organiser_mails.Reader("en", "Ada", "", "https://x.example/"))
    assert letter.subject == "Hi Bcc: all@mail.example"


def test_list_shows_how_each_fared_in_the_same_number_of_queries(
    client: Client, user: User, conference: Conference
) -> None:
    url = pages.url("messages", conference)
    first = written(registered(conference))
    announcements.send_off(announcement_id=first.pk, by=by(), now=NOW)
    with CaptureQueriesContext(connection) as for_one:
        client.get(url)
    drafts = [written(registered(conference), registered(conference)) for _ in range(3)]
    for draft in drafts:
        announcements.send_off(announcement_id=draft.pk, by=by(), now=NOW)
    Message.objects.filter(key__startswith=organiser_mails.key_of(drafts[-1])).update(state="sent", finished_at=NOW)

    with CaptureQueriesContext(connection) as for_four:
        page = client.get(url)

    assert len(for_four) == len(for_one)
    newest = page.context["rows"][0]
    assert (newest["sent"], newest["waiting"], newest["failed"]) == (2, 0, 0)


def test_messages_of_another_conference_are_not_there(client: Client, user: User, conference: Conference) -> None:
    other = written(registered(factories.ConferenceFactory()))

    there = client.get(pages.url("message", other.conference, message=other.public_id))
    here = client.get(pages.url("message", conference, message=other.public_id))

    assert (there.status_code, here.status_code) == (404, 404)
    assert Participant.objects.count() == 1


def test_a_worker_releases_what_goes_to_very_many(
    client: Client, user: User, conference: Conference, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ANNOUNCEMENT_RELEASE_ABOVE = 1
    monkeypatch.setattr(announcement_pages, "_MANY", 1)
    draft = written(registered(conference), registered(conference))
    announcements.send_off(announcement_id=draft.pk, by=by(), now=NOW)

    answer = client.post(pages.url("message", conference, message=draft.public_id), {"release": "1"})
    job = Job.objects.get()
    queued = Message.objects.filter(topic=organiser_mails.ANNOUNCEMENT)
    before = queued.count()
    jobs.handle(Message.objects.get(about_id=job.public_id), now=NOW)
    job.refresh_from_db()

    assert str(job.public_id) in answer["Location"]
    assert (before, queued.count(), job.state) == (0, 2, "done")
    assert announcement_pages.release(jobs.Direct(job.owner, conference, job.order)).url == job.result_url
