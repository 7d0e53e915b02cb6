"""Taking down: a person or a session gone from everywhere at once, and the list of what had left the house before."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import EncryptedTextField, PublicIdField
from events.models.conference import Conference

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class RemovalQuerySet(models.QuerySet["Removal"]):
    """Acts of taking down."""

    def in_force(self) -> Self:
        """Those that nobody has lifted."""
        return self.filter(lifted_at=None)

    def newest_first(self) -> Self:
        """The latest act comes first."""
        return self.order_by("-taken_down_at", "-pk")


class Removal(models.Model):
    """Somebody or something was taken down. Its own row says that it is; this one who did it, and what is left.

    kind, subject_id: what it is about, as registered in events.removals, and its public id: it may be deleted. The
    reasons are free text about a person and encrypted. before: what lifting has to bring back.
    """

    public_id = PublicIdField()
    kind = models.CharField(_("kind"), max_length=16)
    subject_id = models.UUIDField(_("public id"))
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="removals", null=True, blank=True,
        verbose_name=_("conference"),
    )  # fmt: skip
    taken_down_at = models.DateTimeField(_("taken down at"))
    taken_down_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("taken down by"),
    )  # fmt: skip
    reason = EncryptedTextField(_("reason"), blank=True)
    before = models.JSONField(default=dict, editable=False)
    listed_at = models.DateTimeField(null=True, editable=False)
    lifted_at = models.DateTimeField(_("lifted at"), null=True, blank=True)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("lifted by"),
    )  # fmt: skip
    lift_reason = EncryptedTextField(_("why it was lifted"), blank=True)

    objects: ClassVar[RemovalQuerySet] = RemovalQuerySet.as_manager()  # type: ignore[assignment]

    if TYPE_CHECKING:
        steps: RelatedManager[RemovalStep]

    class Meta:
        verbose_name = _("removal")
        verbose_name_plural = _("removals")
        constraints = [
            models.UniqueConstraint(
                name="removal_in_force_once", fields=["kind", "subject_id"], condition=Q(lifted_at=None)
            ),
            models.CheckConstraint(
                name="removal_lifted_after_taken_down", condition=Q(lifted_at__gte=F("taken_down_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"


class RemovalStep(models.Model):
    """One thing that had left the house, to be dealt with and ticked off. details: ids, counts and times, no names."""

    removal = models.ForeignKey(Removal, on_delete=models.CASCADE, related_name="steps")
    code = models.CharField(max_length=40)
    details = models.JSONField(default=dict)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True)

    class Meta:
        verbose_name = _("step of a removal")
        verbose_name_plural = _("steps of removals")
        constraints = [
            models.UniqueConstraint(name="removal_step_once", fields=["removal", "code"]),
        ]

    def __str__(self) -> str:
        return f"{self.code} (#{self.pk})"
