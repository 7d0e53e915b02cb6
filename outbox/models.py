"""What leaves the house: one row per mail, platform call or webhook, written with the change that causes it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField


class MessageState(models.TextChoices):
    """Where a message stands."""

    QUEUED = "queued", _("Queued")
    LEASED = "leased", _("Being sent")
    RETRYING = "retrying", _("Will be tried again")
    SENT = "sent", _("Sent")
    HELD = "held", _("Held by an organiser")
    DEAD = "dead", _("Given up")
    SUPERSEDED = "superseded", _("No longer needed")


OPEN_STATES = (MessageState.QUEUED, MessageState.LEASED, MessageState.RETRYING)


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages."""

    def unsent(self) -> Self:
        """Those that still have to leave: queued, being sent, or to be tried again."""
        return self.filter(state__in=OPEN_STATES)

    def due(self, now: datetime) -> Self:
        """Unsent ones whose time has come; the figure "oldest unsent message" is made of these."""
        return self.unsent().filter(next_attempt_at__lte=now)


class Message(models.Model):
    """A mail, platform call or webhook that must leave exactly once as far as that can be had.

    It holds ids only. What is sent is rendered from the present state at the moment of sending, and not at all when its
    cause no longer holds.
    """

    public_id = PublicIdField()
    topic = models.CharField(_("topic"), max_length=60, help_text=_("Finds the handler."))
    group = models.CharField(_("way out"), max_length=12, default="mail")
    key = models.CharField(_("key"), max_length=200, unique=True, help_text=_("The same key is never queued twice."))
    about_kind = models.CharField(_("kind of row"), max_length=40)
    about_id = models.UUIDField(_("public id"))
    about_version = models.PositiveIntegerField(_("version"), default=1)
    order_key = models.CharField(
        _("order"), max_length=80, blank=True, help_text=_("Messages with the same value leave one after the other.")
    )
    details = models.JSONField(_("details"), default=dict, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=MessageState, default=MessageState.QUEUED)
    due_at = models.DateTimeField(_("due at"), help_text=_("When it should leave; it is never tried before."))
    next_attempt_at = models.DateTimeField(_("next attempt at"))
    deadline_at = models.DateTimeField(_("given up at"))
    leased_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    crashes = models.PositiveSmallIntegerField(
        _("crashes"), default=0, help_text=_("How often the program that sends it failed or was killed over it.")
    )
    last_error = models.CharField(_("last error"), max_length=250, blank=True)
    created_at = models.DateTimeField(_("queued at"))
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects: ClassVar[MessageQuerySet] = MessageQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.CheckConstraint(name="message_state_is_known", condition=Q(state__in=MessageState.values)),
            models.CheckConstraint(
                name="message_lease_has_token_and_end",
                condition=Q(state=MessageState.LEASED, lease_token__isnull=False, leased_until__isnull=False)
                | (~Q(state=MessageState.LEASED) & Q(lease_token__isnull=True, leased_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="message_finished_at_a_time",
                condition=Q(
                    state__in=[MessageState.SENT, MessageState.DEAD, MessageState.SUPERSEDED],
                    finished_at__isnull=False,
                )
                | (
                    ~Q(state__in=[MessageState.SENT, MessageState.DEAD, MessageState.SUPERSEDED])
                    & Q(finished_at__isnull=True)
                ),
            ),
        ]
        indexes = [
            models.Index(
                # The whole order of claiming: with ties to sort, each claim would look at every waiting message.
                name="message_due",
                fields=["group", "next_attempt_at", "id"],
                condition=Q(state__in=[MessageState.QUEUED, MessageState.LEASED, MessageState.RETRYING]),
            ),
            models.Index(
                name="message_order",
                fields=["order_key", "id"],
                condition=Q(state__in=[MessageState.QUEUED, MessageState.LEASED, MessageState.RETRYING]),
            ),
            models.Index(
                name="message_leased", fields=["group", "leased_until", "id"], condition=Q(state=MessageState.LEASED)
            ),
            models.Index(
                # What organisers must look at: few rows, counted on each start page.
                name="message_stuck",
                fields=["state"],
                condition=Q(state__in=[MessageState.HELD, MessageState.DEAD]),
            ),
            models.Index(name="message_about", fields=["about_id"]),
            models.Index(name="message_newest", fields=["-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.topic} (#{self.pk})"


class Outage(models.Model):
    """A way out that does not answer: the mail server is down, or refuses to know us. Deleted when it works again.

    While the row stands, nothing is claimed for that way out but one message every half minute, to try it.
    """

    group = models.CharField(_("way out"), max_length=12, unique=True)
    since = models.DateTimeField(_("since"))
    next_probe_at = models.DateTimeField(_("tried again at"))
    probes = models.PositiveIntegerField(_("tries"), default=0)
    last_error = models.CharField(_("last error"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("outage")
        verbose_name_plural = _("outages")

    def __str__(self) -> str:
        return self.group


class Budget(models.Model):
    """How many messages have been let through to a destination in a minute; see outbox.budgets."""

    destination = models.CharField(_("destination"), max_length=253, unique=True)
    minute = models.DateTimeField(_("minute"))
    used = models.PositiveIntegerField(_("let through"), default=0)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")

    def __str__(self) -> str:
        return self.destination


class WorkerHeartbeat(models.Model):
    """When workers were last seen: one row per worker name. The admin warns when none is fresh."""

    name = models.CharField(max_length=120, unique=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.name
