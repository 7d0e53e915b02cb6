"""Delegations of States and organisations, and the people who speak for them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from events.models import Conference, Country, Organisation


class DelegationCapacity(models.TextChoices):
    """As what somebody belongs to a delegation."""

    HEAD = "head", _("Head of delegation")
    ALTERNATE = "alternate", _("Alternate")
    ADVISER = "adviser", _("Adviser")
    OBSERVER = "observer", _("Observer")


class Delegation(models.Model):
    """A State, organisation or body at a conference, with its own quota."""

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="delegations", verbose_name=_("conference")
    )
    country = models.ForeignKey(
        Country, on_delete=models.PROTECT, related_name="delegations", null=True, blank=True, verbose_name=_("State")
    )
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, related_name="delegations", null=True, blank=True,
        verbose_name=_("organisation"),
    )  # fmt: skip
    quota = models.PositiveSmallIntegerField(_("quota"), null=True, blank=True, help_text=_("Empty: no limit."))
    quota_in_person = models.PositiveSmallIntegerField(
        _("quota in person"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    quota_online = models.PositiveSmallIntegerField(
        _("quota on-line"), null=True, blank=True, help_text=_("Empty: no limit.")
    )
    note = models.CharField(_("note"), max_length=250, blank=True)

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        constraints = [
            models.CheckConstraint(
                name="delegation_of_state_or_organisation",
                condition=Q(country__isnull=False, organisation__isnull=True)
                | Q(country__isnull=True, organisation__isnull=False),
            ),
            models.UniqueConstraint(
                name="delegation_stands_once",
                fields=["conference", "country", "organisation"],
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"delegation (#{self.pk})"

    @property
    def whose(self) -> Country | Organisation:
        """The State or organisation. Needs country and organisation loaded."""
        found = self.country or self.organisation
        assert found is not None  # noqa: S101 - delegation_of_state_or_organisation
        return found

    @property
    def name(self) -> str:
        """Whose delegation it is, in the active language. Needs country and organisation loaded."""
        whose = self.country or self.organisation
        return str(whose.name) if whose is not None else ""


class FocalPoint(models.Model):
    """A user who nominates, replaces and withdraws the members of a delegation."""

    delegation = models.ForeignKey(
        Delegation, on_delete=models.CASCADE, related_name="focal_points", verbose_name=_("delegation")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="focal_points", verbose_name=_("user")
    )

    class Meta:
        verbose_name = _("focal point")
        verbose_name_plural = _("focal points")
        constraints = [models.UniqueConstraint(name="focal_point_stands_once", fields=["delegation", "user"])]

    def __str__(self) -> str:
        return f"focal point (#{self.pk})"
