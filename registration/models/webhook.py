"""Where programs of delegations and partners are told what happened, and what became of each telling."""

from __future__ import annotations

from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference
from registration.models.delegation import Delegation


class WebhookEvent(models.TextChoices):
    """What can be told. Names are stable: programs of others compare them."""

    CONFIRMED = "registration.confirmed", _("A member has a place")
    WAITLISTED = "registration.waitlisted", _("A member waits for a place")
    PROMOTED = "registration.promoted", _("A waiting member has a place now")
    CANCELLED = "registration.cancelled", _("A member’s place is given up or refused")
    RELEASED = "programme.released", _("The programme is published anew")
    SESSION_CHANGED = "session.changed", _("Something about a session has changed")
    SESSION_CANCELLED = "session.cancelled", _("A session does not take place")
    TEST = "webhook.test", _("Test")


# Of the delegation's own members; a partner has none. The trigger of registration.0020 knows the same four.
OF_MEMBERS = (
    WebhookEvent.CONFIRMED, WebhookEvent.WAITLISTED, WebhookEvent.PROMOTED, WebhookEvent.CANCELLED,
)  # fmt: skip
OF_PROGRAMME = (WebhookEvent.RELEASED, WebhookEvent.SESSION_CHANGED, WebhookEvent.SESSION_CANCELLED)


class WebhookState(models.TextChoices):
    """Whether something is sent."""

    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")


class PauseReason(models.TextChoices):
    """Why nothing is sent."""

    BY_HAND = "by_hand", _("Paused by hand.")
    FAILURES = "failures", _("The server did not take what was sent, many times in a row.")
    GONE = "gone", _("The server said that the address is no longer used (410).")
    RIGHT = "right", _("Whoever set it up does not look after this any more.")


class WebhookSubscription(models.Model):
    """The address of somebody's program, and what it is told. Without a delegation: a partner of the conference."""

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="webhooks", verbose_name=_("conference")
    )
    delegation = models.ForeignKey(
        Delegation, on_delete=models.CASCADE, related_name="webhooks", null=True, blank=True,
        verbose_name=_("delegation"),
    )  # fmt: skip
    label = models.CharField(_("for"), max_length=100)
    url = models.URLField(_("address"), max_length=500)
    events = ArrayField(models.CharField(max_length=40, choices=WebhookEvent), verbose_name=_("events"))
    secret = EncryptedTextField(_("secret"))
    old_secret = EncryptedTextField(_("secret before"), blank=True)
    state = models.CharField(_("state"), max_length=12, choices=WebhookState, default=WebhookState.ACTIVE)
    pause_reason = models.CharField(_("reason"), max_length=12, choices=PauseReason, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    made_at = models.DateTimeField(_("made at"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("made by")
    )

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="webhook_state_is_known", condition=Q(state__in=WebhookState.values)),
            models.CheckConstraint(
                name="webhook_is_paused_for_a_reason",
                condition=Q(state=WebhookState.ACTIVE, pause_reason="")
                | (Q(state=WebhookState.PAUSED) & ~Q(pause_reason="")),
            ),
            models.CheckConstraint(name="webhook_address_is_https", condition=Q(url__startswith="https://")),
            models.CheckConstraint(
                name="webhook_of_partner_tells_no_members",
                condition=Q(delegation__isnull=False)
                | ~Q(events__overlap=[event.value for event in OF_MEMBERS]),
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"webhook #{self.pk}"


class DeliveryState(models.TextChoices):
    """What became of one telling."""

    WAITING = "waiting", _("On its way")
    DELIVERED = "delivered", _("Delivered")
    FAILED = "failed", _("Given up")
    MISSED = "missed", _("Not sent: paused")


class DeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    """Deliveries."""

    def newest_first(self) -> Self:
        """As the log shows them."""
        return self.order_by("-happened_at", "-pk")


class WebhookDelivery(models.Model):
    """One telling to one program, with what it says: ids, times and the public programme; never who somebody is.

    Its public id is the webhook-id: the same over all attempts and when it is sent again, so that receivers see
    duplicates.
    """

    public_id = PublicIdField()
    subscription = models.ForeignKey(
        WebhookSubscription, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook")
    )
    event = models.CharField(_("event"), max_length=40, choices=WebhookEvent)
    data = models.JSONField(_("what it says"), default=dict)
    happened_at = models.DateTimeField(_("happened at"))
    state = models.CharField(_("state"), max_length=12, choices=DeliveryState, default=DeliveryState.WAITING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    sendings = models.PositiveIntegerField(_("queued"), default=1)
    status_code = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    problem = models.CharField(_("problem"), max_length=20, blank=True)
    tried_at = models.DateTimeField(_("last tried at"), null=True, blank=True)

    objects: ClassVar[DeliveryQuerySet] = DeliveryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("delivery of a webhook")
        verbose_name_plural = _("deliveries of webhooks")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="delivery_state_is_known", condition=Q(state__in=DeliveryState.values)),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(name="delivery_newest", fields=["subscription", "-happened_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.event} (#{self.pk})"
