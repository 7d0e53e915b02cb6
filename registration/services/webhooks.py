"""Webhooks: setting one up, changing its secret, stopping and going on, sending again.

Like a token, a webhook can never do more than the person who set it up: nothing is sent any more when they lose the
right to look after what it tells. The secret is shown once and kept encrypted. Everything stands in the audit trail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

import outbox.services
from accounts import actors
from accounts.actors import Actor
from alliance import outgoing
from alliance.exceptions import DomainError
from events.models import Conference
from registration.models import (
    Delegation,
    DeliveryState,
    FocalPoint,
    PauseReason,
    WebhookDelivery,
    WebhookEvent,
    WebhookState,
    WebhookSubscription,
)
from registration.models.webhook import OF_MEMBERS, OF_PROGRAMME
from registration.webhooks import deliveries as webhooks
from registration.webhooks import mails

MOST = 10  # of one delegation, and of all partners of a conference
KEPT = timedelta(days=30)  # deliveries
RIGHT = "registration.change_delegation"

_ADDRESS: dict[str, str | Promise] = {
    "not-https": gettext_lazy("The address must begin with https://."),
    "port": gettext_lazy("The address must use the usual port, 443."),
    "name": gettext_lazy("The address must have a name that can be found on the internet, not a number."),
    "unreadable": gettext_lazy("This address cannot be read. It must have no name, password or #."),
}


class AddressRefused(DomainError):
    """The address cannot be called."""

    code = "webhook-address-refused"

    def __init__(self, reason: str) -> None:
        self.message = _ADDRESS[reason]
        super().__init__()


class EventsRefused(DomainError):
    """Nothing is chosen, or what this reader may not be told."""

    code = "webhook-events-refused"
    message = gettext_lazy("Choose at least one event.")


class TooMany(DomainError):
    """Somebody sets up webhooks and removes none."""

    code = "too-many-webhooks"
    message = gettext_lazy("There are 10 webhooks. Remove one that is not needed before you set up another one.")


class StillRotating(DomainError):
    """The secret before has not been dropped."""

    code = "webhook-still-rotating"
    message = gettext_lazy("The secret before still counts. Drop it before you make another one.")


@dataclass(frozen=True, slots=True)
class Made:
    """A webhook with its new secret, which is shown once."""

    subscription: WebhookSubscription
    secret: str


def ports() -> frozenset[int]:
    """Where servers of others may listen."""
    return frozenset(settings.WEBHOOK_PORTS)


def make(
    *,
    conference: Conference,
    delegation: Delegation | None,
    label: str,
    url: str,
    events: Sequence[str],
    by: Actor,
    now: datetime,
) -> Made:
    """A new webhook of a delegation, or of a partner. The caller has checked that the person looks after it.

    Raises AddressRefused, EventsRefused, TooMany.
    """
    allowed = (*OF_MEMBERS, *OF_PROGRAMME) if delegation is not None else OF_PROGRAMME
    wanted = [event.value for event in allowed if event.value in events]
    if by.user is None or not wanted or len(wanted) != len(set(events)):
        raise EventsRefused
    try:
        outgoing.check_address(url, ports=ports())
    except outgoing.Refused as refusal:
        raise AddressRefused(refusal.reason) from None
    secret = webhooks.new_secret()
    with transaction.atomic():
        _one_at_a_time(delegation or conference)
        if WebhookSubscription.objects.filter(conference=conference, delegation=delegation).count() >= MOST:
            raise TooMany
        subscription = WebhookSubscription.objects.create(
            conference=conference,
            delegation=delegation,
            label=label,
            url=url,
            events=wanted,
            secret=secret,
            made_at=now,
            made_by=by.user,
        )
        _audit(subscription, "webhook.made", by=by, now=now, events=wanted)
    return Made(subscription, secret)


def rotate(subscription: WebhookSubscription, *, by: Actor, now: datetime) -> Made:
    """A new secret. Both sign until the one before is dropped, so that no receiver misses a beat.

    Raises StillRotating.
    """
    secret = webhooks.new_secret()
    with transaction.atomic():
        row = _locked(subscription)
        if row.old_secret:
            raise StillRotating
        row.old_secret, row.secret = row.secret, secret
        row.save(update_fields=["old_secret", "secret"])
        _audit(row, "webhook.rotated", by=by, now=now)
    return Made(row, secret)


def drop_old_secret(subscription: WebhookSubscription, *, by: Actor, now: datetime) -> None:
    """The secret before signs no more. Dropping twice is fine."""
    with transaction.atomic():
        row = _locked(subscription)
        if row.old_secret:
            row.old_secret = ""
            row.save(update_fields=["old_secret"])
            _audit(row, "webhook.secret-dropped", by=by, now=now)


def pause(
    subscription: WebhookSubscription, *, by: Actor, now: datetime, reason: PauseReason = PauseReason.BY_HAND
) -> None:
    """Send nothing until resume(). What happens meanwhile is told to nobody.

    Unless somebody does it by hand, those who look after the webhook get a mail: nobody looks at its page every day.
    """
    with transaction.atomic():
        row = _locked(subscription)
        if row.state == WebhookState.ACTIVE:
            row.state, row.pause_reason = WebhookState.PAUSED, reason
            row.save(update_fields=["state", "pause_reason"])
            _audit(row, "webhook.paused", by=by, now=now, reason=str(reason))
            if reason != PauseReason.BY_HAND:
                outbox.services.queue(mails.paused(row, now=now))


def resume(subscription: WebhookSubscription, *, by: Actor, now: datetime) -> None:
    """Go on, in the name of whoever resumes it."""
    with transaction.atomic():
        row = _locked(subscription)
        if row.state == WebhookState.PAUSED and by.user is not None:
            row.state, row.pause_reason, row.failures = WebhookState.ACTIVE, "", 0
            row.failing_since, row.not_before, row.made_by = None, None, by.user
            row.save()
            _audit(row, "webhook.resumed", by=by, now=now)


def remove(subscription: WebhookSubscription, *, by: Actor, now: datetime) -> None:
    """Take it away with its log. What is on its way is not sent any more."""
    with transaction.atomic():
        _audit(subscription, "webhook.removed", by=by, now=now)
        WebhookSubscription.objects.filter(pk=subscription.pk).delete()


def send_test(subscription: WebhookSubscription, *, now: datetime) -> WebhookDelivery:
    """Send something that says nothing, whether paused or not."""
    with transaction.atomic():
        delivery = WebhookDelivery.objects.create(
            subscription=subscription,
            event=WebhookEvent.TEST,
            data={"conference": str(subscription.conference.public_id)},
            happened_at=now,
        )
        outbox.services.queue(webhooks.messages([delivery], now=now))
    return delivery


def send_again(delivery: WebhookDelivery, *, now: datetime) -> None:
    """Send what was sent before, under the same webhook-id. Nothing while it is on its way."""
    with transaction.atomic():
        sent = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.WAITING)
        if sent.update(state=DeliveryState.WAITING, sendings=F("sendings") + 1):
            delivery.refresh_from_db()
            outbox.services.queue(webhooks.messages([delivery], now=now))


def still_stands(subscription: WebhookSubscription) -> bool:
    """Whether the person who set it up, or resumed it, could do so today."""
    maker = subscription.made_by
    if not maker.is_active:
        return False
    delegation = subscription.delegation_id
    if delegation and FocalPoint.objects.filter(delegation=delegation, user=maker.pk).exists():
        return True
    return maker.access.may(RIGHT, subscription.delegation or subscription.conference)


def forget_old_deliveries(*, now: datetime) -> int:
    """Delete the log of what was told more than thirty days ago. Returns how many."""
    deleted, _by_model = WebhookDelivery.objects.filter(happened_at__lt=now - KEPT).delete()
    return deleted


def _one_at_a_time(owner: Delegation | Conference) -> None:
    """Whoever sets up another webhook of the same owner waits, so that the number is kept."""
    list(type(owner)._default_manager.select_for_update(no_key=True).filter(pk=owner.pk))


def _locked(subscription: WebhookSubscription) -> WebhookSubscription:
    return WebhookSubscription.objects.select_for_update(no_key=True, of=("self",)).get(pk=subscription.pk)


def _audit(subscription: WebhookSubscription, action: str, *, by: Actor, now: datetime, **details: object) -> None:
    of = subscription.delegation
    about = {"delegation": str(of.public_id)} if of else {"conference": str(subscription.conference.public_id)}
    actors.audit_entry(
        at=now,
        by=by,
        action=action,
        about_kind="webhook",
        about_id=subscription.public_id,
        details=about | details,
    ).save()
