"""The mail to those who look after a webhook when it has stopped by itself: their program is told nothing any more."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

import outbox.services
from accounts.models import User
from outbox import letters, topics
from outbox.letters import Link
from outbox.models import Message
from outbox.results import Mail, Superseded
from registration.models import FocalPoint, PauseReason, WebhookState, WebhookSubscription

TOPIC = "webhook.paused"
_WORTH_SENDING = timedelta(days=3)


def paused(subscription: WebhookSubscription, *, now: datetime) -> list[Message]:
    """A message to each focal point of the delegation, or to whoever set it up for a partner."""
    return [
        outbox.services.message(
            topic=TOPIC,
            about_kind="conference",
            about_id=subscription.conference.public_id,
            key=f"{TOPIC}:{subscription.public_id}:{now.isoformat()}:{user.public_id}",
            now=now,
            deadline_at=now + _WORTH_SENDING,
            details={"webhook": str(subscription.public_id), "user": str(user.public_id)},
        )
        for user in _keepers(subscription)
    ]


def _keepers(subscription: WebhookSubscription) -> list[User]:
    found = User.objects.filter(is_active=True).order_by("pk")
    if subscription.delegation_id is None:
        return list(found.filter(pk=subscription.made_by_id))
    points = FocalPoint.objects.filter(delegation=subscription.delegation_id)
    return list(found.filter(pk__in=points.values_list("user", flat=True)))


def tell(message: Message, *, now: datetime) -> Mail | Superseded:
    """Which webhook, of which conference, and why. The address is named by its host: its path may be a secret."""
    subscription = (
        WebhookSubscription.objects.select_related("conference", "delegation", "made_by")
        .filter(public_id=message.details["webhook"], state=WebhookState.PAUSED)
        .first()
    )
    if subscription is None or subscription.pause_reason == PauseReason.BY_HAND:
        return Superseded("goes on, or is gone")
    user = next((one for one in _keepers(subscription) if str(one.public_id) == message.details["user"]), None)
    if user is None:
        return Superseded("does not look after it any more")
    with translation.override(user.language):
        values = {
            "label": subscription.label,
            "host": urlsplit(subscription.url).hostname or "",
            "conference": str(subscription.conference.title),
            "reason": str(PauseReason(subscription.pause_reason).label),
            "page": Link(settings.SITE_URL + _page(subscription)),
        }
    letter = letters.write("registration/mail/webhook_paused.md", values, language=user.language)
    return Mail(to=user.email, subject=letter.subject, text=letter.text, html=letter.html, language=user.language)


def _page(subscription: WebhookSubscription) -> str:
    """Where it is resumed."""
    if subscription.delegation is not None:
        return reverse("registration:delegation-webhooks", args=[subscription.delegation.public_id])
    return reverse("admin:events_conference_webhooks", args=[subscription.conference_id])


def register() -> None:
    """Make the handler known to the outbox. Called when the app is ready."""
    topics.register(TOPIC, tell, title=_("Webhook paused"))
