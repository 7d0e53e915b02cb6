"""One person at one conference, and the key that keeps their identity shut."""

from __future__ import annotations

import contextlib
import unicodedata
from dataclasses import asdict, dataclass
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from alliance.db import EncryptedTextField, PublicIdField
from events.models import Conference, Country, Organisation
from registration.models.admission import Category
from registration.models.delegation import Delegation, DelegationCapacity


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a participant really is. Sealed at rest with the person's own key; never log or cache it."""

    given_name: str
    family_name: str
    email: str

    @property
    def full_name(self) -> str:
        """Given and family name as typed."""
        return f"{self.given_name} {self.family_name}".strip()


class ParticipantQuerySet(models.QuerySet["Participant"]):
    """Participants."""

    def with_email(self, *, conference_id: int, email: str) -> Self:
        """The participant of a conference with that address, in whatever way it is typed."""
        return self.filter(conference_id=conference_id, email_index=email_index(email))

    def shown(self) -> Self:
        """Those whom others may come to see: not who was taken down."""
        return self.filter(taken_down_at=None)


def normalise_email(email: str) -> str:
    """The form in which two addresses are compared: one person may not register twice by typing capitals."""
    local, _at, domain = unicodedata.normalize("NFKC", email.strip()).rpartition("@")
    with contextlib.suppress(UnicodeError):  # not a name we could mail to; the form's validator says so before
        domain = domain.encode("idna").decode("ascii")
    return f"{local}@{domain}".casefold()


def email_index(email: str) -> bytes:
    """The keyed hash by which an address is found again without being stored readably."""
    return crypto.blind_index("participant-email", normalise_email(email))


class Participant(models.Model):
    """One person at one conference, unique by normalised e-mail address.

    display_name is the only name that lists, exports and platforms may use: the alias where the person chose one, else
    the full name. It is stored readably, as are organisation, function, category and country. The identity (given and
    family name, address) is sealed with a key of the person in IdentityKey; without that row it is unreadable for
    ever, in every backup that lacks the row too. registration.services.erasure erases the rest.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="participants", verbose_name=_("conference")
    )
    delegation = models.ForeignKey(
        Delegation, on_delete=models.SET_NULL, related_name="members", null=True, blank=True,
        verbose_name=_("delegation"),
    )  # fmt: skip
    delegation_capacity = models.CharField(
        _("capacity in the delegation"), max_length=12, choices=DelegationCapacity, blank=True
    )
    display_name = models.CharField(_("display name"), max_length=200)
    has_alias = models.BooleanField(_("appears under an alias"), default=False)
    email_index = models.BinaryField(max_length=32, editable=False)
    sealed_identity = models.BinaryField(editable=False)
    language = models.CharField(_("language"), max_length=8, choices=settings.LANGUAGES, default="en")
    time_zone = models.CharField(_("own time zone"), max_length=40, blank=True)
    category = models.CharField(_("category"), max_length=32, choices=Category, default=Category.OTHER)
    country = models.ForeignKey(
        Country, on_delete=models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("country")
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="+", null=True, blank=True,
        verbose_name=_("known organisation"),
    )  # fmt: skip
    organisation_text = models.CharField(_("organisation"), max_length=200, blank=True)
    function = models.CharField(_("function"), max_length=200, blank=True)
    interpretation_language = models.CharField(_("interpretation"), max_length=40, blank=True)
    accessibility_needs = EncryptedTextField(_("accessibility needs"), blank=True)
    # When the person last corrected what audience rules look at: from then on an organiser decides about such events.
    audience_changed_at = models.DateTimeField(
        _("corrected group, country or organisation at"), null=True, editable=False
    )
    # Set and emptied by events.removals alone: badges, lists of delegations and convenors, the door leave them out.
    taken_down_at = models.DateTimeField(_("taken down at"), null=True, editable=False)
    link_version = models.PositiveSmallIntegerField(default=1, editable=False)
    link_hash = models.BinaryField(max_length=32, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"))
    updated_at = models.DateTimeField(_("changed at"), auto_now=True)

    objects: ClassVar[ParticipantQuerySet] = ParticipantQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        verbose_name = _("participant")
        verbose_name_plural = _("participants")
        permissions = [("merge_participant", "Can merge participants who are the same person")]
        constraints = [
            models.UniqueConstraint(
                name="participant_email_unique_in_conference", fields=["conference", "email_index"]
            ),
            models.CheckConstraint(name="participant_has_display_name", condition=~Q(display_name="")),
            models.CheckConstraint(name="participant_category_is_known", condition=Q(category__in=Category.values)),
            models.CheckConstraint(
                name="participant_language_is_known",
                condition=Q(language__in=[code for code, _name in settings.LANGUAGES]),
            ),
            models.CheckConstraint(
                name="participant_delegation_and_capacity_are_a_pair",
                condition=Q(delegation__isnull=True, delegation_capacity="")
                | Q(delegation__isnull=False, delegation_capacity__in=DelegationCapacity.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.display_name} (#{self.pk})"

    @property
    def personal_token(self) -> str:
        """The secret of the personal page, made anew for each mail from the public id; only its hash is stored."""
        return crypto.derive_token("personal-page", str(self.public_id), str(self.link_version))

    def seal(self, identity: Identity, key: bytes) -> None:
        """Put the identity under the person's key. The row must be saved by the caller."""
        self.sealed_identity = crypto.seal(asdict(identity), key=key, row=self.public_id.bytes)

    def open_identity(self) -> Identity:
        """Who this is. Needs identity_key loaded. Raises crypto.Unreadable when the person has been erased."""
        try:
            wrapped = self.identity_key.wrapped
        except IdentityKey.DoesNotExist as error:
            raise crypto.Unreadable from error
        data = crypto.unseal(
            bytes(self.sealed_identity), key=crypto.unwrap_person_key(bytes(wrapped)), row=self.public_id.bytes
        )
        return Identity(**data)


class IdentityKey(models.Model):
    """The key of one person, wrapped by the key of the house. Kept in a table of its own so that backups can differ."""

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="identity_key"
    )
    wrapped = models.BinaryField()

    class Meta:
        verbose_name = _("identity key")
        verbose_name_plural = _("identity keys")

    def __str__(self) -> str:
        return f"key of #{self.pk}"
