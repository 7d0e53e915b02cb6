"""Who was invited to what by a personal link: name and address sealed with a key of their own, the answer, the clock.

Nothing here refers to a participant: an alias chosen when accepting must not be joined with the name that was invited
(docs/invitations.md). The rows of a person are found again by a keyed hash of the address.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from alliance import crypto
from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference
from registration.models.admission import Admission
from registration.models.participant import Identity, Participant, normalise_email


class InvitationState(models.TextChoices):
    """What became of an invitation. That it has expired is read from the clock (Invitation.standing)."""

    SENT = "sent", pgettext_lazy("invitation", "Not answered yet")
    ACCEPTED = "accepted", pgettext_lazy("invitation", "Accepted")
    DECLINED = "declined", pgettext_lazy("invitation", "Declined")
    WITHDRAWN = "withdrawn", pgettext_lazy("invitation", "Withdrawn")


EXPIRED = "expired"
EXPIRED_LABEL = pgettext_lazy("invitation", "Expired")
# Which an answer can still change, while the time has not run out.
ANSWERABLE = frozenset({InvitationState.SENT, InvitationState.DECLINED})


def invitation_index(conference_id: int, email: str) -> bytes:
    """The keyed hash by which invitations of one conference to one address are found again."""
    return crypto.blind_index("invitation", f"{conference_id}:{normalise_email(email)}")


def person_index(participant: Participant) -> bytes:
    """The keyed hash by which the invitations of a participant are found again."""
    return crypto.blind_index("invitation-person", str(participant.public_id))


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations."""

    def of_address(self, *, conference_id: int, email: str) -> Self:
        """Those of a conference to an address, in whatever way it is typed."""
        return self.filter(conference_id=conference_id, email_index=invitation_index(conference_id, email))

    def readable(self) -> Self:
        """Those whose person is not forgotten."""
        return self.filter(invitation_key__isnull=False)


class Invitation(models.Model):
    """One person invited to one or several admissions of a conference. The link works for one answer of one person."""

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="invitations", verbose_name=_("conference")
    )
    admissions = models.ManyToManyField(Admission, related_name="invitations", verbose_name=_("admissions"))
    email_index = models.BinaryField(max_length=32, editable=False)
    sealed_identity = models.BinaryField(editable=False)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    state = models.CharField(_("state"), max_length=10, choices=InvitationState, default=InvitationState.SENT)
    expires_at = models.DateTimeField(_("answer until"))
    sent_at = models.DateTimeField(_("sent at"))
    reminded_at = models.DateTimeField(_("reminded at"), null=True, blank=True)
    # The day alone: the minute would join an acceptance with a registration under an alias.
    answered_on = models.DateField(_("answered on"), null=True, blank=True)
    # A keyed hash of who accepted: without the key of the house it joins nothing. By it an erased person is forgotten.
    person_index = models.BinaryField(max_length=32, null=True, editable=False, db_index=True)
    word = EncryptedTextField(_("word to the organisers"), blank=True)
    link_version = models.PositiveSmallIntegerField(default=1, editable=False)
    link_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("created by"),
    )  # fmt: skip

    objects: ClassVar[InvitationQuerySet] = InvitationQuerySet.as_manager()  # type: ignore[assignment]

    if TYPE_CHECKING:
        invitation_key: InvitationKey

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                name="invitation_stands_once",
                fields=["conference", "email_index"],
                condition=~Q(state=InvitationState.WITHDRAWN),
            ),
            models.CheckConstraint(name="invitation_state_is_known", condition=Q(state__in=InvitationState.values)),
            models.CheckConstraint(
                name="invitation_answered_on_a_day",
                condition=Q(state__in=[InvitationState.ACCEPTED, InvitationState.DECLINED], answered_on__isnull=False)
                | Q(state__in=[InvitationState.SENT, InvitationState.WITHDRAWN]),
            ),
            models.CheckConstraint(
                name="invitation_language_is_known",
                condition=Q(language__in=[code for code, _name in settings.LANGUAGES]),
            ),
        ]
        indexes = [models.Index(name="invitation_to_remind", fields=["expires_at"], condition=Q(state="sent"))]

    def __str__(self) -> str:
        return f"{self.state} (#{self.pk})"

    @property
    def token(self) -> str:
        """The secret of the link, made anew for each mail; only its hash is stored."""
        return crypto.derive_token("invitation", str(self.public_id), str(self.link_version))

    def standing(self, now: datetime) -> str:
        """The state at an instant: what nobody accepted in time has expired."""
        return EXPIRED if self.state in ANSWERABLE and self.expires_at <= now else str(self.state)

    def may_answer(self, now: datetime) -> bool:
        """Whether the invited person can still accept, or decline."""
        return self.state in ANSWERABLE and now < self.expires_at

    def seal(self, identity: Identity, key: bytes) -> None:
        """Put name and address under a key. The row must be saved by the caller."""
        self.sealed_identity = crypto.seal(asdict(identity), key=key, row=self.public_id.bytes)

    def open_identity(self) -> Identity:
        """Who was invited. Needs invitation_key loaded. Raises crypto.Unreadable when it has been forgotten."""
        try:
            wrapped = self.invitation_key.wrapped
        except InvitationKey.DoesNotExist as error:
            raise crypto.Unreadable from error
        data: dict[str, Any] = crypto.unseal(
            bytes(self.sealed_identity), key=crypto.unwrap_person_key(bytes(wrapped)), row=self.public_id.bytes
        )
        return Identity(**data)


class InvitationKey(models.Model):
    """The key of one invitation, wrapped by the key of the house. Without it nobody can read who was invited."""

    invitation = models.OneToOneField(
        Invitation, on_delete=models.CASCADE, primary_key=True, related_name="invitation_key"
    )
    wrapped = models.BinaryField()

    class Meta:
        verbose_name = _("key of an invitation")
        verbose_name_plural = _("keys of invitations")

    def __str__(self) -> str:
        return f"key of #{self.pk}"
