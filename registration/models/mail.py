"""What participants' mail servers and participants themselves say about our mails."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from registration.models.participant import Participant


class BounceKind(models.TextChoices):
    """outbox.bounces says what they mean."""

    HARD = "hard", _("The address does not work")
    SOFT = "soft", _("A mail did not arrive")


class MailBounceQuerySet(models.QuerySet["MailBounce"]):
    """Bounces."""

    def current(self) -> Self:
        """Those about the address that the participant has now."""
        return self.filter(address_index=F("participant__email_index"))


class MailBounce(models.Model):
    """That a mail to somebody came back: the latest. It holds numbers of the answer and nothing that was written.

    address_index: the blind index of the address it went to. Correcting the address thus clears the flag.
    """

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="mail_bounce",
        verbose_name=_("participant"),
    )  # fmt: skip
    kind = models.CharField(_("kind"), max_length=4, choices=BounceKind)
    code = models.CharField(_("answer"), max_length=20, blank=True)
    address_index = models.BinaryField(max_length=32, editable=False)
    topic = models.CharField(_("topic"), max_length=60)
    at = models.DateTimeField(_("came back at"))

    objects: ClassVar[MailBounceQuerySet] = MailBounceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("mail that came back")
        verbose_name_plural = _("mails that came back")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="mail_bounce_kind_is_known", condition=Q(kind__in=BounceKind.values))
        ]

    def __str__(self) -> str:
        return f"{self.kind} (#{self.pk})"

    @property
    def is_current(self) -> bool:
        """Whether the participant still has the address. Needs participant loaded."""
        return bytes(self.address_index) == bytes(self.participant.email_index)


class OptOut(models.Model):
    """Somebody wants no reminders, thanks or summaries. Mails about their own registration still come.

    about_kind: "participant" or "user" (focal points). about_id: the public id.
    """

    about_kind = models.CharField(_("kind of row"), max_length=12)
    about_id = models.UUIDField(_("public id"), unique=True)
    created_at = models.DateTimeField(_("since"))

    class Meta:
        verbose_name = _("opt-out")
        verbose_name_plural = _("opt-outs")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(name="opt_out_kind_is_known", condition=Q(about_kind__in=["participant", "user"]))
        ]

    def __str__(self) -> str:
        return f"{self.about_kind} (#{self.pk})"
