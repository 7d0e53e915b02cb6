"""Safes: what stands behind an alias, who is named to look into it, and every time somebody did.

What a safe holds lies with whom it is about (speakers.Protection, registration.Protection); this app knows the keepers
and the openings only, and not whose safe it is.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import EncryptedTextField, PublicIdField


class Safe(models.Model):
    """Something that only the named keepers open, each time with a reason. Its id leads to no person."""

    public_id = PublicIdField()
    made_at = models.DateTimeField(_("made at"))

    class Meta:
        verbose_name = _("safe")
        verbose_name_plural = _("safes")

    def __str__(self) -> str:
        return f"safe (#{self.pk})"

    @property
    def number(self) -> str:
        """What mails call it: short, and made from nothing about anybody."""
        return self.public_id.hex[:8].upper()


class SafeKeeper(models.Model):
    """A user who may open a safe, or is told of each opening, or both. Nobody names themselves to open it."""

    safe = models.ForeignKey(Safe, on_delete=models.CASCADE, related_name="keepers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    may_open = models.BooleanField(_("may open it"), default=False)
    is_told = models.BooleanField(_("is told of each opening"), default=False)
    named_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    named_at = models.DateTimeField(_("named at"))

    class Meta:
        verbose_name = _("keeper of a safe")
        verbose_name_plural = _("keepers of safes")
        constraints = [
            models.UniqueConstraint(name="safe_keeper_named_once", fields=["safe", "user"]),
            models.CheckConstraint(name="safe_keeper_has_a_task", condition=Q(may_open=True) | Q(is_told=True)),
            models.CheckConstraint(
                name="safe_keeper_is_named_by_another",
                condition=Q(named_by=None) | ~Q(named_by=F("user")) | Q(may_open=False),
            ),
        ]

    def __str__(self) -> str:
        return f"keeper (#{self.pk})"


class SafeOpening(models.Model):
    """Somebody looked into a safe. Never changed; it goes with the safe only (migration accounts.0005)."""

    safe = models.ForeignKey(Safe, on_delete=models.CASCADE, related_name="openings")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)
    at = models.DateTimeField(_("at"))
    reason = EncryptedTextField(_("reason"))

    class Meta:
        verbose_name = _("opening of a safe")
        verbose_name_plural = _("openings of safes")
        constraints = [models.CheckConstraint(name="safe_opening_has_a_reason", condition=~Q(reason=""))]
        indexes = [models.Index(name="safe_opening_newest", fields=["safe", "-at"])]

    def __str__(self) -> str:
        return f"opening (#{self.pk})"
