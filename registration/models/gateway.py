"""Links to join: those that were replaced, from how many networks one was used, and rehearsals."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from alliance.db import PublicIdField
from events.models import Conference
from registration.models.registration import Registration


class RetiredLink(models.Model):
    """A link to join that an organiser replaced. Whoever opens it is told so, and not let in."""

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="retired_links")
    join_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    retired_at = models.DateTimeField(_("replaced at"))

    class Meta:
        verbose_name = _("replaced link")
        verbose_name_plural = _("replaced links")

    def __str__(self) -> str:
        return f"replaced link (#{self.pk})"


class JoinNetwork(models.Model):
    """That a link was used from some network within an hour. No address is kept.

    network: a keyed hash of the first bits of the address, made for this registration and this hour alone: rows of two
    people, or of two hours, cannot be compared.
    """

    registration = models.ForeignKey(Registration, on_delete=models.CASCADE, related_name="join_networks")
    hour = models.DateTimeField(_("hour"))
    network = models.BinaryField(max_length=16, editable=False)

    class Meta:
        verbose_name = _("network of a link")
        verbose_name_plural = _("networks of links")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="join_network_once", fields=["registration", "hour", "network"])
        ]
        indexes = [models.Index(name="join_network_age", fields=["hour"])]

    def __str__(self) -> str:
        return f"network (#{self.pk})"


class RehearsalQuerySet(models.QuerySet["Rehearsal"]):
    """Rehearsals."""

    def running(self, now: datetime) -> Self:
        """Those under way."""
        return self.filter(ended_at=None, until__gt=now)


class Rehearsal(models.Model):
    """Everything that would go to the participants of a conference goes to one organiser instead, for a time.

    ended_at: when what was held back was let go.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="rehearsals", verbose_name=_("conference")
    )
    organiser = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("organiser")
    )
    started_at = models.DateTimeField(_("began at"))
    until = models.DateTimeField(_("until"))
    ended_at = models.DateTimeField(_("ended at"), null=True)
    copies = models.PositiveIntegerField(_("copies"), default=0)

    objects: ClassVar[RehearsalQuerySet] = RehearsalQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                name="rehearsal_one_at_a_time", fields=["conference"], condition=Q(ended_at__isnull=True)
            ),
            models.CheckConstraint(name="rehearsal_ends_after_it_began", condition=Q(until__gt=F("started_at"))),
        ]

    def __str__(self) -> str:
        return f"rehearsal (#{self.pk})"

    @property
    def join_token(self) -> str:
        """The secret of the organiser's own link, the same for all meetings of the conference but for what follows."""
        return crypto.derive_token("rehearsal", str(self.public_id))
