"""How long data about people is kept after a conference, and proofs of what was deleted, without personal data."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from events.models import Conference

LONGEST = 3650  # days


class RetentionPeriod(models.Model):
    """A period of a conference that differs from the default of its rule (registration.retention)."""

    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="retention_periods", verbose_name=_("conference")
    )
    rule = models.CharField(_("rule"), max_length=40)
    days = models.PositiveSmallIntegerField(_("days kept"))
    changed_at = models.DateTimeField(_("changed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("period of keeping")
        verbose_name_plural = _("periods of keeping")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="retention_period_once", fields=["conference", "rule"]),
            models.CheckConstraint(name="retention_period_ends", condition=Q(days__lte=LONGEST)),
        ]

    def __str__(self) -> str:
        return f"{self.rule} (#{self.pk})"


class RetentionStart(models.Model):
    """Since when a rule is known to this installation; it erases nothing before organisers had time to see it.

    rule: key and version, so that a rule that begins to erase other data is announced again.
    """

    rule = models.CharField(_("rule"), max_length=60, unique=True)
    since = models.DateTimeField(_("known since"))

    class Meta:
        verbose_name = _("beginning of a rule of keeping")
        verbose_name_plural = _("beginnings of rules of keeping")

    def __str__(self) -> str:
        return f"{self.rule} (#{self.pk})"


class DeletionProofQuerySet(models.QuerySet["DeletionProof"]):
    """Proofs."""

    def newest_first(self) -> Self:
        """As organisers read them."""
        return self.order_by("-on_day", "rule", "-pk")


class DeletionProof(models.Model):
    """That so many of a kind were deleted on a day, by which rule in which version. Nothing says whose they were.

    One row for each day, written in the transaction that deletes. days: the period that had passed; None where the rule
    has no period after the conference. conference: None for what belongs to the house.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.SET_NULL, related_name="deletion_proofs", null=True, blank=True,
        verbose_name=_("conference"),
    )  # fmt: skip
    rule = models.CharField(_("rule"), max_length=40)
    version = models.PositiveSmallIntegerField(_("version of the rule"))
    days = models.PositiveSmallIntegerField(_("days kept"), null=True, blank=True)
    on_day = models.DateField(_("day"))
    count = models.PositiveIntegerField(_("number"))

    objects: ClassVar[DeletionProofQuerySet] = DeletionProofQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("proof of deletion")
        verbose_name_plural = _("proofs of deletion")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="deletion_proof_once_a_day",
                fields=["conference", "rule", "version", "days", "on_day"],
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="deletion_proof_of_something", condition=Q(count__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.rule} (#{self.pk})"


class ErasureReceipt(models.Model):
    """What somebody who erased themself can prove by a code of their own: how much of what was erased on which day.

    Only the hash of the code is stored. Nothing leads to the person, and not even the conference is named.
    """

    code_index = models.BinaryField(max_length=32, unique=True, editable=False)
    on_day = models.DateField(_("day"))
    counts = models.JSONField(_("number by kind"), default=dict)

    class Meta:
        verbose_name = _("receipt of erasure")
        verbose_name_plural = _("receipts of erasure")

    def __str__(self) -> str:
        return f"receipt (#{self.pk})"
