"""Invitations to speak: where to write to, what came back, and what somebody has agreed to.

They are no part of the programme: no release, feed, API, export or programme file knows them.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from alliance.db import EncryptedTextField, PublicIdField

TOKEN_PURPOSE = "speaker-invitation"  # noqa: S105 - what the token is for


class SpeakerInvitationQuerySet(models.QuerySet["SpeakerInvitation"]):
    """Invitations to speak."""

    def without_secrets(self) -> Self:
        """For lists: the address and what was answered stay shut."""
        return self.defer("address", "answers")

    def current(self) -> Self:
        """Those whose contribution is still the same person's. Nobody gets the mail or the link of somebody else."""
        return self.filter(person=F("contribution__person"))


class SpeakerInvitation(models.Model):
    """The contact of one contribution's speaker, and their answer.

    address and answers are encrypted and go two weeks after the conference. answers: JSON of what they propose, as in
    speakers.invitations.FIELDS; an organiser takes each over or not. person: whose address it is; when the contribution
    gets another person the invitation is void. Only the hash of the link's token is stored.
    bounced_at, bounce_code: when a mail came back, and the numbers of the answer; another address empties both.
    """

    public_id = PublicIdField()
    contribution = models.OneToOneField("speakers.Contribution", on_delete=models.CASCADE, related_name="invitation")
    person = models.ForeignKey("speakers.Person", on_delete=models.CASCADE, related_name="+")
    address = EncryptedTextField(_("e-mail address"), blank=True)
    language = models.CharField(_("language"), max_length=8, default="en")
    link_version = models.PositiveIntegerField(default=0)
    token_hash = models.BinaryField(max_length=32, unique=True, null=True)
    sent_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(_("came back at"), null=True)
    bounce_code = models.CharField(_("answer"), max_length=20, blank=True)
    answers = EncryptedTextField(blank=True)

    objects: ClassVar[SpeakerInvitationQuerySet] = SpeakerInvitationQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("invitation to speak")
        verbose_name_plural = _("invitations to speak")
        constraints = [
            models.CheckConstraint(
                name="speaker_invitation_sent_has_link", condition=Q(sent_at__isnull=True) | Q(link_version__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def token(self) -> str:
        """The secret of the personal link, derived anew each time."""
        return crypto.derive_token(TOKEN_PURPOSE, str(self.public_id), str(self.link_version))


class SpeakerPurpose(models.TextChoices):
    """What speakers are asked to agree to."""

    PHOTO = "photo", _("Photographs")
    RECORDING = "recording", _("Recording")
    STREAM = "stream", _("Live stream")
    QUOTE = "quote", _("Quotation")
    MATERIALS = "materials", _("My materials")
    CONTACT = "contact", _("Contact after the conference")


class SpeakerConsent(models.Model):
    """One answer of a speaker to one question, in the wording of its day. Rows are added, never changed."""

    invitation = models.ForeignKey(SpeakerInvitation, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=12, choices=SpeakerPurpose)
    is_given = models.BooleanField()
    wording = models.CharField(max_length=12)  # the version: speakers.consents
    language = models.CharField(max_length=8, default="en")  # in which the words were shown
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("consent of a speaker")
        verbose_name_plural = _("consents of speakers")
        constraints = [
            models.CheckConstraint(
                name="speaker_consent_purpose_is_known", condition=Q(purpose__in=SpeakerPurpose.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} (#{self.pk})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only once. Raises TypeError for a row that is there already."""
        if not self._state.adding:
            raise TypeError("a consent is not changed; add another row")
        super().save(*args, **kwargs)


class SpeakerTakeDown(models.Model):
    """Work for organisers: a speaker took a consent back, or it has ended. What was made with it must be taken down."""

    public_id = PublicIdField()
    invitation = models.ForeignKey(SpeakerInvitation, on_delete=models.CASCADE, related_name="take_downs")
    purpose = models.CharField(max_length=12, choices=SpeakerPurpose)
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True
    )

    class Meta:
        verbose_name = _("withdrawn consent")
        verbose_name_plural = _("withdrawn consents")
        constraints = [
            models.UniqueConstraint(
                name="speaker_take_down_open_once",
                fields=["invitation", "purpose"],
                condition=Q(done_at__isnull=True),
            ),
            models.CheckConstraint(
                name="speaker_take_down_purpose_is_known", condition=Q(purpose__in=SpeakerPurpose.values)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} (#{self.pk})"
