"""How a registration stood before an organiser ended it: what is needed to take the decision back."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import ActorKind
from registration.models.registration import MOVES, Registration, RegistrationStatus

_MAY_END = sorted(status for status, moves in MOVES.items() if RegistrationStatus.CANCELLED in moves)


class Ending(models.Model):
    """Kept of a registration that an organiser has cancelled or rejected, for a short time (services.taking_back).

    The database lets an ended registration stand again only while this row speaks of its present version, and only in
    the status kept here, in line, or with an offer (trigger of registration.0029). What a person gave up themselves has
    no such row.
    """

    registration = models.OneToOneField(
        Registration, on_delete=models.CASCADE, primary_key=True, related_name="ending", verbose_name=_("registration")
    )
    version = models.PositiveIntegerField(_("version"))  # that the ending led to
    ended_at = models.DateTimeField(_("ended at"), db_index=True)
    status = models.CharField(_("status"), max_length=12, choices=RegistrationStatus)
    position = models.BigIntegerField(_("position on the list"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=250, blank=True)  # of the system's own
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    decided_by_kind = models.CharField(_("decided by"), max_length=16, choices=ActorKind, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("decided by user"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("decision that can be taken back")
        verbose_name_plural = _("decisions that can be taken back")
        constraints = [
            models.CheckConstraint(name="ending_of_what_stood", condition=Q(status__in=_MAY_END)),
            models.CheckConstraint(
                name="ending_keeps_the_position_of_who_waited",
                condition=~Q(status=RegistrationStatus.WAITLISTED) | Q(position__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.status} (#{self.pk})"
