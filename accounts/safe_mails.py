"""Mails to guardians: a safe was opened, or others may open it now. They name nobody whom a safe is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.models import Safe, User
from outbox import letters, topics
from outbox.models import Message
from outbox.results import Mail, Superseded

TOPIC = "safe.told"
_WORTH_SENDING = timedelta(days=14)


def about(safe: Safe, user_ids: Iterable[int], what: str, *, by: User | None, now: datetime) -> list[Message]:
    """Unsaved messages to the guardians. what: "opened" or "keepers"."""
    at = now.isoformat()
    return [
        outbox.services.message(
            topic=TOPIC,
            about_kind="user",
            about_id=user.public_id,
            key=f"{TOPIC}:{uuid4()}",
            now=now,
            deadline_at=now + _WORTH_SENDING,
            details={"what": what, "safe": str(safe.public_id), "by": str(by.public_id) if by else "", "at": at},
        )
        for user in User.objects.filter(pk__in=list(user_ids), is_active=True).order_by("pk")
    ]


def tell(message: Message, *, now: datetime) -> Mail | Superseded:
    """Who opened which safe, by its number, and when; whose it is the guardian knows."""
    user = User.objects.filter(public_id=message.about_id, is_active=True).first()
    safe = Safe.objects.filter(public_id=UUID(str(message.details["safe"]))).first()
    if user is None or safe is None:
        return Superseded("nobody to tell, or nothing left to tell of")
    by = message.details.get("by")
    who = User.objects.filter(public_id=UUID(by)).first() if by else None
    context = {
        "was_opened": message.details.get("what") == "opened",
        "number": safe.number,
        "who": who.get_short_name() if who is not None else "",
        "at": datetime.fromisoformat(str(message.details["at"])).astimezone(timezone.get_default_timezone()),
    }
    letter = letters.write("account/mail/safe_told.md", context, language=user.language)
    return Mail(to=user.email, subject=letter.subject, text=letter.text, html=letter.html, language=user.language)


def register() -> None:
    """Make the handler known to the outbox. Called when the app is ready."""
    topics.register(TOPIC, tell, title=_("Notice to guardians"))
