"""Requests that were answered already."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class IdempotencyKey(models.Model):
    """A request that was carried out, written in the same transaction as its effect: a repeat gets the same answer.

    scope: what the key belongs to, such as "register". The answer holds no personal data. Rows are kept 7 days.
    """

    scope = models.CharField(max_length=40)
    key_hash = models.BinaryField(max_length=32)
    body_hash = models.BinaryField(max_length=32)
    answer = models.JSONField(default=dict)
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("answered request")
        verbose_name_plural = _("answered requests")
        constraints = [models.UniqueConstraint(name="idempotency_key_used_once", fields=["scope", "key_hash"])]
        indexes = [models.Index(name="idempotency_age", fields=["created_at"])]

    def __str__(self) -> str:
        return f"{self.scope} (#{self.pk})"
