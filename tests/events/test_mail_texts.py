"""Letters in the organisers' own words: saved with checks, sent when letters leave, never at the cost of a rule."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from events import cloning, mail_texts, mail_trial
from events.admin import pages
from events.models import Conference, MailSettings, MailText
from outbox.models import Message
from outbox.results import Mail
from registration.letters import emails
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db

BODY = "Guten Tag {{ name }}!\n\n{{ choices }}\n\n[Ihre Seite]({{ page }})"


def save(conference: Conference, *, version: int = 0, body: str = BODY, **more: Any) -> MailText:
    given = {"letter": "confirmed", "language": "de", "subject": "Nachricht", "body": body, **more}
    return mail_texts.save(conference_id=conference.pk, version=version, by=actors.SYSTEM, now=NOW, **given)


def test_letters_leave_in_the_wording_of_their_conference_and_language() -> None:
    admission = factories.AdmissionFactory()
    save(admission.conference)

    def mail(language: str) -> Mail:
        participant = factories.ParticipantFactory(conference=admission.conference, language=language)
        registration = factories.RegistrationFactory(admission=admission, participant=participant, status="confirmed")
        return emails.status_changed(registration, {}, had_place=False, now=NOW)

    german, english = mail("de"), mail("en")

    assert (german.subject, german.text[:10]) == ("Nachricht", "Guten Tag ")
    assert "/r/" in german.html
    assert german.attachments
    assert english.subject == "Your registration"


def test_later_save_from_an_older_text_is_refused() -> None:
    conference = factories.ConferenceFactory()
    save(conference)
    save(conference, version=1, subject="Zweite")

    for version in (0, 1, 3):
        with pytest.raises(mail_texts.ChangedMeanwhile):
            save(conference, version=version)

    assert MailText.objects.get().subject == "Zweite"
    with pytest.raises(mail_texts.ChangedMeanwhile):
        mail_texts.reset(
            conference_id=conference.pk, letter="confirmed", language="de", version=1, by=actors.SYSTEM, now=NOW
        )


def test_refused_text_changes_nothing() -> None:
    conference = factories.ConferenceFactory()

    with pytest.raises(mail_texts.TextRefused) as refused:
        save(conference, body="Hallo {{ nmae }}")

    assert [problem.line for problem in refused.value.problems] == [0, 0, 1]
    assert not MailText.objects.exists()
    assert not AuditEntry.objects.exists()


def test_changes_stand_in_the_audit_trail_without_the_words() -> None:
    conference = factories.ConferenceFactory()
    save(conference)
    mail_texts.reset(
        conference_id=conference.pk, letter="confirmed", language="de", version=1, by=actors.SYSTEM, now=NOW
    )

    assert list(AuditEntry.objects.order_by("pk").values_list("action", "details")) == [
        ("mail_text.changed", {"letter": "confirmed", "language": "de"}),
        ("mail_text.reset", {"letter": "confirmed", "language": "de"}),
    ]
    assert mail_texts.wording(conference.pk, "confirmed", "de") is None


@pytest.fixture
def organiser(client: Client) -> tuple[Client, Conference]:
    role = factories.RoleFactory(kind="organiser")
    client.force_login(role.user)
    assert role.conference is not None
    return client, role.conference


def address(conference: Conference) -> str:
    return pages.url("mail-text", conference, letter="confirmed", language="de")


def test_organiser_words_a_letter_looks_at_it_and_goes_back(organiser: tuple[Client, Conference]) -> None:
    client, conference = organiser
    admission = factories.AdmissionFactory(conference=conference)
    participant = factories.ParticipantFactory(conference=conference, display_name="Wren <i>")
    factories.RegistrationFactory(admission=admission, participant=participant, status="confirmed")
    form = {"version": "0", "subject": "Nachricht", "body": BODY}

    seen = client.post(address(conference), form | {"preview": "1"})
    assert "Wren &lt;i&gt;" in seen.text
    assert participant.personal_token not in seen.text
    assert not MailText.objects.exists()
    assert client.post(address(conference), form | {"save": "1"}).status_code == 302
    again = client.post(address(conference), form | {"save": "1", "subject": "Andere"})
    assert "Somebody else has changed this text" in again.text
    assert MailText.objects.get().subject == "Nachricht"
    assert "is-edited" in client.get(pages.url("mails", conference)).text
    assert client.post(address(conference), {"version": "1", "reset": "1"}).status_code == 302
    assert not MailText.objects.exists()


def test_refusal_names_the_line_and_keeps_what_was_typed(organiser: tuple[Client, Conference]) -> None:
    client, conference = organiser
    body = f"{BODY}\n\nDear <b>you</b>"

    page = client.post(address(conference), {"version": "0", "subject": "S", "body": body, "save": "1"})

    assert "Line 7: HTML is not allowed." in page.text
    assert "Dear &lt;b&gt;you&lt;/b&gt;" in page.text
    assert "<b>you</b>" not in page.text


def test_test_mail_goes_to_the_organiser_with_examples_only(organiser: tuple[Client, Conference]) -> None:
    client, conference = organiser
    factories.ParticipantFactory(conference=conference, display_name="Wren")

    client.post(address(conference), {"test": "1"})
    client.post(address(conference), {"test": "1"})

    message = Message.objects.first()
    assert message is not None
    mail = mail_trial.send(message, now=NOW)
    assert isinstance(mail, Mail)
    assert mail.language == "de"
    assert "Maria Rossi" in mail.text
    assert "Wren" not in mail.text


def test_who_may_only_see_changes_nothing(client: Client) -> None:
    role = factories.RoleFactory(kind="viewer")
    client.force_login(role.user)
    assert role.conference is not None

    assert client.get(address(role.conference)).status_code == 403


def test_settings_are_saved(organiser: tuple[Client, Conference]) -> None:
    client, conference = organiser

    client.post(pages.url("mails", conference), {"hour_before": "on"})

    found = mail_texts.settings_of(conference)
    assert (found.reminds_a_day_before, found.reminds_an_hour_before, found.sends_digests) == (False, True, False)


def test_next_edition_begins_with_the_same_words() -> None:
    conference = factories.ConferenceFactory(starts_on=NOW.date(), ends_on=NOW.date())
    save(conference)
    MailSettings.objects.create(conference=conference, reminds_a_day_before=False)

    target = cloning.clone(
        conference_id=conference.pk, slug="next", edition=None, starts_on=NOW.date(), title=conference.title
    )

    assert mail_texts.wording(target.pk, "confirmed", "de") == ("Nachricht", BODY)
    assert not mail_texts.settings_of(target).reminds_a_day_before
    assert mail_texts.settings_of(target).reminds_an_hour_before
    assert mail_texts.wording(conference.pk, "confirmed", "de") is not None
