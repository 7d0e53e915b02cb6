"""What an API token reaches: the members of one delegation, or who registered for one side event. Nothing else."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiToken
from events.models import Session
from registration.models.delegation import Delegation


class Scope(models.TextChoices):
    """What a token may be used for. Every operation of the API names the one it needs."""

    MEMBERS_READ = "members:read", _("Read the delegation and its members")
    MEMBERS_WRITE = "members:write", _("Nominate, correct, replace and withdraw members")
    REGISTRATIONS_READ = "registrations:read", _("Read registrations")
    PROGRAMME_READ = "programme:read", _("Read the public programme, counted by token")


OF_DELEGATIONS = tuple(Scope)
OF_SESSIONS = (Scope.REGISTRATIONS_READ, Scope.PROGRAMME_READ)


class ApiGrant(models.Model):
    """Binds a token to the rows it reaches. A token without a grant reaches nothing.

    The token itself (hash, prefix, scopes, dates, who made it) is accounts.models.ApiToken, which knows no delegations.
    """

    token = models.OneToOneField(
        ApiToken, on_delete=models.CASCADE, primary_key=True, related_name="grant", verbose_name=_("API token")
    )
    delegation = models.ForeignKey(
        Delegation, on_delete=models.CASCADE, related_name="api_grants", null=True, blank=True,
        verbose_name=_("delegation"),
    )  # fmt: skip
    session = models.ForeignKey(
        Session, on_delete=models.CASCADE, related_name="api_grants", null=True, blank=True,
        verbose_name=_("side event"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("reach of an API token")
        verbose_name_plural = _("reach of API tokens")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                name="api_grant_is_for_one_thing",
                condition=Q(delegation__isnull=False, session__isnull=True)
                | Q(delegation__isnull=True, session__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"reach of token #{self.pk}"

    @property
    def conference_id(self) -> int:
        """The conference it is about. Needs delegation or session loaded."""
        if self.delegation is not None:
            return self.delegation.conference_id
        assert self.session is not None  # noqa: S101 - api_grant_is_for_one_thing
        return self.session.conference_id
