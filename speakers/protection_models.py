"""The protection of somebody who speaks: what is said of them nowhere, and what lies in their safe."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Safe
from alliance.db import EncryptedTextField


class Protection(models.Model):
    """What is withheld about a speaker. Country, organisation and titles are taken out of the programme.

    So no page, list or file can show them by mistake; the database refuses to have them back beside the person
    (migration speakers.0009). record: what was taken out and what else the keepers of the safe may read, as JSON.
    Whether somebody is protected is told to nobody who may not set it.
    """

    person = models.OneToOneField(
        "speakers.Person", on_delete=models.CASCADE, primary_key=True, related_name="protection",
        verbose_name=_("person"),
    )  # fmt: skip
    safe = models.OneToOneField(Safe, on_delete=models.PROTECT, related_name="+")
    hides_country = models.BooleanField(_("no country"), default=False)
    hides_organisation = models.BooleanField(_("no organisation"), default=False)
    no_photo = models.BooleanField(_("no photographs"), default=False)
    no_recording = models.BooleanField(_("no recording"), default=False)
    record = EncryptedTextField(blank=True)
    set_at = models.DateTimeField(_("set at"))

    class Meta:
        verbose_name = _("protection of a speaker")
        verbose_name_plural = _("protections of speakers")
        constraints = [
            models.CheckConstraint(
                name="protection_protects_something",
                condition=Q(hides_country=True)
                | Q(hides_organisation=True)
                | Q(no_photo=True)
                | Q(no_recording=True)
                | ~Q(record=""),
            )
        ]

    def __str__(self) -> str:
        return f"protection (#{self.pk})"
