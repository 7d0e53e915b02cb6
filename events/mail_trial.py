"""The test of a letter: an organiser sends it to themselves, with examples in the place of people's data."""

from __future__ import annotations

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.models import User
from events import mail_texts
from events.models import Conference
from outbox import catalogue, topics
from outbox.models import Message
from outbox.results import Mail, Superseded

TOPIC = "events.mail_test"


def message(*, user: User, conference: Conference, letter: str, language: str, now: datetime) -> Message:
    """The message; one a minute for each letter."""
    return outbox.services.message(
        topic=TOPIC,
        about_kind="conference",
        about_id=conference.public_id,
        key=f"mail_test:{user.public_id}:{conference.public_id}:{letter}:{language}:{now:%Y%m%d%H%M}",
        now=now,
        details={"user": str(user.public_id), "letter": letter, "language": language},
    )


def send(message: Message, *, now: datetime) -> Mail | Superseded:
    """The letter as saved, to the organiser who asked."""
    user = User.objects.filter(public_id=message.details["user"], is_active=True).first()
    conference = Conference.objects.filter(public_id=message.about_id).first()
    if user is None or conference is None:
        return Superseded("gone")
    letter, language = message.details["letter"], message.details["language"]
    kind = catalogue.get(letter)
    with translation.override(language):
        composed = kind.compose(
            kind.examples(), language=language, wording=mail_texts.wording(conference.pk, letter, language)
        )
    return Mail(to=user.email, subject=composed.subject, text=composed.text, html=composed.html, language=language)


def register() -> None:
    """Make the handler known to the outbox. Called when the app is ready."""
    topics.register(TOPIC, send, title=_("Test of a letter"))
