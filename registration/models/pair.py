"""Two seats that are given together: somebody's, and that of the person who supports them."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from registration.models.participant import Participant
from registration.models.registration import Registration


class SeatPairQuerySet(models.QuerySet["SeatPair"]):
    """Pairs of seats."""

    def standing(self) -> Self:
        """Those that still hold together."""
        return self.filter(ended_at__isnull=True)


class SeatPair(models.Model):
    """The registration of somebody and that of the person who comes with them, for the same admission.

    While a pair stands, both are in the same state of affairs, or the database refuses the commit (migration
    registration.0026). What the other person is for (interpreter, lawyer, companion) is asked by nobody. The row stays
    when the pair has ended, so that erasing one finds what they told us about the other.
    """

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="pairs")
    companion = models.OneToOneField(Registration, on_delete=models.CASCADE, related_name="companion_of")
    # Of a member of a delegation the registration passes on to another person; who named the companion does not.
    named_by = models.ForeignKey(Participant, on_delete=models.CASCADE, related_name="+", verbose_name=_("named by"))
    made_at = models.DateTimeField(_("made at"))
    ended_at = models.DateTimeField(_("ended at"), null=True, blank=True)

    objects: ClassVar[SeatPairQuerySet] = SeatPairQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("pair of seats")
        verbose_name_plural = _("pairs of seats")
        constraints = [
            models.UniqueConstraint(
                name="seat_pair_one_companion", fields=["registration"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(name="seat_pair_is_of_two", condition=~Q(registration=F("companion"))),
        ]

    def __str__(self) -> str:
        return f"pair (#{self.pk})"
