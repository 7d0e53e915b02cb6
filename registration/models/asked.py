"""What a form asked for with an address that was known already, until the owner of the address says yes or no."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from registration.models.admission import Admission
from registration.models.participant import Participant


class AskedForQuerySet(models.QuerySet["AskedFor"]):
    """Wishes."""

    def standing(self, now: datetime) -> Self:
        """Those that can still be confirmed."""
        return self.filter(expires_at__gt=now)


class AskedFor(models.Model):
    """Somebody sent the form with the participant's address, and chose this. No place is held, and no list shows it.

    A row of its own and no registration, because organisers would see whose address it is (docs/decisions/0010).
    """

    public_id = PublicIdField()
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="asked_for", verbose_name=_("participant")
    )
    admission = models.ForeignKey(Admission, on_delete=models.CASCADE, related_name="+", verbose_name=_("admission"))
    asked_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("expires at"))

    objects: ClassVar[AskedForQuerySet] = AskedForQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("wish to confirm")
        verbose_name_plural = _("wishes to confirm")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="asked_for_once", fields=["participant", "admission"]),
            models.CheckConstraint(name="asked_for_expires_later", condition=Q(expires_at__gt=F("asked_at"))),
        ]
        indexes: ClassVar[list[models.Index]] = [models.Index(name="asked_for_age", fields=["expires_at"])]

    def __str__(self) -> str:
        return f"wish (#{self.pk})"

    @property
    def title(self) -> Any:
        """What it is for. Needs the admission with session and conference loaded."""
        return (self.admission.session or self.admission.conference).title
