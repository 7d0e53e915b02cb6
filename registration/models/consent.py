"""What people agree to beyond taking part, kept as a ledger, and what must be taken down when they change their mind.

A row of the ledger is never changed: a trigger refuses it (migration with the table). How things stand is the newest
row of a purpose. Erasing the person takes the rows away with the person's key.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference
from registration.models.participant import Participant


class Purpose(models.TextChoices):
    """What for. One consent is for one purpose; none depends on another, and no place depends on any."""

    LIST = "list", _("List of participants")
    PHOTO = "photo", _("Photographs")
    RECORDING = "recording", _("Recording")
    STREAM = "stream", _("Live stream")
    QUOTE = "quote", _("Quotation")
    MATERIALS = "materials", _("My materials")
    CONTACT = "contact", _("Contact after the conference")


class ConsentSource(models.TextChoices):
    """Where somebody said so."""

    FORM = "form", _("Registration form")
    PAGE = "page", _("Personal page")
    MEMBER = "member", _("Answer to a nomination")
    PAPER = "paper", _("On paper, entered by an organiser")
    TIME = "time", _("Its time was over")


class ConsentQuerySet(models.QuerySet["Consent"]):
    """Consents."""

    def newest(self) -> Self:
        """The newest row of each person and purpose; the ones before are history."""
        return self.order_by("participant_id", "purpose", "-pk").distinct("participant_id", "purpose")


class Consent(models.Model):
    """One line of the ledger: somebody agreed to a purpose, or took it back. Append-only."""

    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="consents", verbose_name=_("participant")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    is_given = models.BooleanField(_("given"))
    wording = models.CharField(_("wording"), max_length=20, help_text=_("Version of the text that was shown."))
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES)
    source = models.CharField(_("where"), max_length=8, choices=ConsentSource)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, related_name="+", null=True, blank=True,
        verbose_name=_("entered by"), db_constraint=False,
    )  # fmt: skip
    at = models.DateTimeField(_("at"))
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    objects: ClassVar[ConsentQuerySet] = ConsentQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        constraints = [
            models.CheckConstraint(name="consent_purpose_is_known", condition=Q(purpose__in=Purpose.values)),
            models.CheckConstraint(name="consent_source_is_known", condition=Q(source__in=ConsentSource.values)),
            models.CheckConstraint(name="consent_has_a_wording", condition=~Q(wording="")),
            models.CheckConstraint(
                name="consent_expires_only_when_given",
                condition=Q(expires_at__isnull=True) | Q(is_given=True, expires_at__gt=F("at")),
            ),
        ]
        indexes = [models.Index(name="consent_newest", fields=["participant", "purpose", "-id"])]

    def __str__(self) -> str:
        return f"{self.purpose} (#{self.pk})"

    def stands(self, now: datetime) -> bool:
        """Whether it is given and has not expired; asked of the newest row of its purpose."""
        return self.is_given and (self.expires_at is None or now < self.expires_at)


class ConsentSetting(models.Model):
    """Which consents a conference asks for. Without a row it asks for none."""

    conference = models.OneToOneField(
        Conference, on_delete=models.CASCADE, primary_key=True, related_name="consent_setting",
        verbose_name=_("conference"),
    )  # fmt: skip
    purposes = ArrayField(
        models.CharField(max_length=12, choices=Purpose), default=list, blank=True, verbose_name=_("purposes")
    )

    class Meta:
        verbose_name = _("consents asked for")
        verbose_name_plural = _("consents asked for")
        constraints = [
            models.CheckConstraint(
                name="consent_setting_purposes_are_known", condition=Q(purposes__contained_by=Purpose.values)
            )
        ]

    def __str__(self) -> str:
        return f"consents (#{self.pk})"


class TakeDown(models.Model):
    """Work for organisers: somebody took a consent back, and what was made with it must be taken down.

    It outlives the erasure of the person, then without a name.
    """

    public_id = PublicIdField()
    participant = models.ForeignKey(
        Participant, on_delete=models.CASCADE, related_name="take_downs", verbose_name=_("participant")
    )
    purpose = models.CharField(_("purpose"), max_length=12, choices=Purpose)
    asked_at = models.DateTimeField(_("withdrawn at"))
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("done by"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("withdrawn consent")
        verbose_name_plural = _("withdrawn consents")
        constraints = [
            models.UniqueConstraint(
                name="take_down_open_once", fields=["participant", "purpose"], condition=Q(done_at__isnull=True)
            ),
            models.CheckConstraint(name="take_down_purpose_is_known", condition=Q(purpose__in=Purpose.values)),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} (#{self.pk})"


class AddressChange(models.Model):
    """A participant's new address, until the link in the mail to it is used. At most one a person.

    The address is sealed with the key of the person; of the link only the hash is stored.
    """

    public_id = PublicIdField()
    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="address_change",
        verbose_name=_("participant"),
    )  # fmt: skip
    sealed_address = models.BinaryField(editable=False)
    token_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    asked_at = models.DateTimeField(_("asked at"))
    expires_at = models.DateTimeField(_("expires at"))

    class Meta:
        verbose_name = _("change of address")
        verbose_name_plural = _("changes of address")

    def __str__(self) -> str:
        return f"address of #{self.pk}"


class Farewell(models.Model):
    """The address to which the last mail goes, of somebody who has been erased. Nothing joins it to a person.

    proof: the code by which they can show what was deleted; empty when they were given none.

    It is deleted as soon as the mail has left or was given up, at the latest at delete_by.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(Conference, on_delete=models.CASCADE, related_name="+")
    address = EncryptedTextField()
    proof = EncryptedTextField(blank=True, default="", db_default="")
    language = models.CharField(max_length=8, choices=settings.LANGUAGES)
    delete_by = models.DateTimeField()

    class Meta:
        verbose_name = _("last mail")
        verbose_name_plural = _("last mails")

    def __str__(self) -> str:
        return f"last mail (#{self.pk})"
