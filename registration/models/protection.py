"""The protection of somebody who comes: what is kept of them sealed only, and who may look."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Safe
from alliance import crypto
from registration.models.participant import Participant


@dataclass(frozen=True, slots=True)
class Kept:
    """What was taken out of the row, for audience rules, for the keepers of the safe, and to put it back."""

    country: int | None = None  # primary keys
    organisation: int | None = None
    organisation_text: str = ""
    function: str = ""
    note: str = ""


class ProtectedParticipant(models.Model):
    """What is withheld about a participant, who appears under an alias. The values are sealed with the person's key.

    Country and organisation are taken out of the participant's row, so that no page, list, badge or figure can show
    them by mistake; the database refuses to have them back (migration registration.0023).
    """

    participant = models.OneToOneField(
        Participant, on_delete=models.CASCADE, primary_key=True, related_name="protection",
        verbose_name=_("participant"),
    )  # fmt: skip
    safe = models.OneToOneField(Safe, on_delete=models.PROTECT, related_name="+")
    hides_country = models.BooleanField(_("no country"), default=False)
    hides_organisation = models.BooleanField(_("no organisation"), default=False)
    no_photo = models.BooleanField(_("no photographs"), default=False)
    no_recording = models.BooleanField(_("no recording"), default=False)
    sealed = models.BinaryField(editable=False)
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("protection of a participant")
        verbose_name_plural = _("protections of participants")
        constraints = [models.CheckConstraint(name="protected_participant_is_sealed", condition=~Q(sealed=b""))]

    def __str__(self) -> str:
        return f"protection (#{self.pk})"

    def seal(self, kept: Kept) -> None:
        """Put it under the person's key. Needs participant with identity_key; the caller saves."""
        self.sealed = crypto.seal(asdict(kept), key=self._key, row=self._row)

    def unseal(self) -> Kept:
        """What was taken out. Needs participant with identity_key. Raises crypto.Unreadable for the erased."""
        data: dict[str, Any] = crypto.unseal(bytes(self.sealed), key=self._key, row=self._row)
        return Kept(**data)

    @property
    def _key(self) -> bytes:
        return crypto.unwrap_person_key(bytes(self.participant.identity_key.wrapped))

    @property
    def _row(self) -> bytes:
        return b"protection" + self.participant.public_id.bytes
