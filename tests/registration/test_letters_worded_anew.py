"""Letters that organisers' actions and people's own wishes cause leave in the organisers' words, too."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

import outbox.services
from accounts import actors
from events import mail_texts
from events.models import Conference
from outbox import catalogue, topics
from outbox.models import Message
from outbox.results import Mail
from registration.letters import organiser_mails
from registration.models import Farewell, RegistrationStatus
from registration.services import farewells
from tests import factories
from tests.factories import NOW

pytestmark = pytest.mark.django_db


def worded(conference: Conference, letter: str, body: str) -> None:
    """Organisers word a letter anew."""
    mail_texts.save(
        conference_id=conference.pk, letter=letter, language="en", subject="Our own subject", body=body, version=0,
        by=actors.SYSTEM, now=NOW,
    )  # fmt: skip


def written(message: Message) -> Mail:
    """What a message becomes."""
    mail = topics.get(message.topic).handler(message, now=NOW)
    assert isinstance(mail, Mail)
    return mail


def test_subjects_tell_who_looks_over_a_shoulder_neither_topic_nor_state() -> None:
    telling = re.compile(r"(?i)traffick|confirmed|declin|reject|waiting|cancel|nominat|promot|delet|alias|place|two")
    subjects = {kind.name: kind.source("en")[0] for kind in catalogue.kinds()}

    assert len(subjects) > 30
    assert [(name, subject) for name, subject in subjects.items() if telling.search(subject)] == []


def test_letter_about_two_rows_made_one() -> None:
    registration = factories.RegistrationFactory()
    person = registration.participant
    message = organiser_mails.merged(person, other="x", now=NOW)
    before = written(message)
    worded(person.conference, "merged", "One now, {{ name }}.\n\n{{ choices }}\n\n[Page]({{ page }})")

    after = written(message)

    assert person.personal_token in before.text
    assert before.subject == "Your registration"
    assert after.subject == "Our own subject"
    assert after.text.startswith(f"One now, {person.display_name}.")
    session = registration.admission.session
    assert session is not None
    assert str(session.title) in after.text
    assert person.personal_token in after.text


def test_letter_about_the_top_of_a_waiting_list() -> None:
    registration = factories.RegistrationFactory(status=RegistrationStatus.WAITLISTED, position=1)
    message = organiser_mails.moved_to_top(registration, now=NOW)
    before = written(message)
    worded(registration.participant.conference, "moved_to_top", "Up.\n\n{{ choices }}\n\n[Page]({{ page }})")

    assert "moved you up" in before.text
    assert "{{" not in before.text
    assert written(message).text.startswith("Up.")


def test_last_mail_of_all() -> None:
    conference = factories.ConferenceFactory(contact_email="office@conference.example")
    farewell = Farewell.objects.create(
        conference=conference, address="gone@mail.example", language="en", delete_by=NOW + timedelta(days=1)
    )
    message = outbox.services.message(
        topic=farewells.TOPIC, about_kind="farewell", about_id=farewell.public_id, key="farewell", now=NOW
    )
    before = written(message)
    worded(conference, "farewell", "Farewell from {{ conference }}.\n\n{{ questions }}")

    after = written(message)

    assert "office@conference.example" in before.text
    assert after.to == "gone@mail.example"
    assert after.text == f"Farewell from {conference.title}.\n\nQuestions: office@conference.example\n"
