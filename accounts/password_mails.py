"""The mail with the link to set a password anew."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.models import User
from outbox import letters, topics
from outbox.letters import Link
from outbox.models import Message
from outbox.results import Mail, Superseded

TOPIC = "account.password_reset"
_WORTH_SENDING = timedelta(hours=2)


def queue(email: str, *, language: str, now: datetime) -> None:
    """Queue the mail; for an address nobody signs in with a message that sends nothing, so that both are the same work.

    language: of the page on which it was asked for.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first()
    about = user.public_id if user is not None else uuid.uuid4()
    outbox.services.queue(
        [
            outbox.services.message(
                topic=TOPIC,
                about_kind="user",
                about_id=about,
                key=f"{TOPIC}:{uuid.uuid4()}",
                now=now,
                deadline_at=now + _WORTH_SENDING,
                details={"language": language},
            )
        ]
    )


def tell(message: Message, *, now: datetime) -> Mail | Superseded:
    """The link is made when the mail leaves; it works once, for two hours, and while the password stays the same."""
    user = User.objects.filter(public_id=message.about_id, is_active=True).first()
    if user is None:
        return Superseded("nothing to send")
    language = str(message.details.get("language", user.language))
    with translation.override(language):
        path = reverse(
            "account_reset_password_from_key",
            args=[urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)],
        )
        context = {"page": Link(settings.SITE_URL + path)}
        letter = letters.write("account/mail/password_reset.md", context, language=language)
    return Mail(to=user.email, subject=letter.subject, text=letter.text, html=letter.html, language=language)


def register() -> None:
    """Make the handler known to the outbox. Called when the app is ready."""
    topics.register(TOPIC, tell, title=_("Link to set a password"))
