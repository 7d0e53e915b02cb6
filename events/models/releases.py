"""Releases: numbered states of a programme, as they were when organisers published them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from alliance.db import PublicIdField
from alliance.translated import TranslatedField
from events.models.conference import Conference

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class ReleaseQuerySet(models.QuerySet["Release"]):
    """Releases."""

    def newest_first(self) -> Self:
        """The one that the public sees comes first."""
        return self.order_by("-number")


class Release(models.Model):
    """A published state of a conference's programme, numbered from 1. The public sees the one with the highest number.

    changes: what is new since the one before, as events.releases.changes wrote it: ids and kinds, never a name of a
    person, so that nobody can be found in it who has been hidden or given a pseudonym since.
    """

    public_id = PublicIdField()
    conference = models.ForeignKey(
        Conference, on_delete=models.CASCADE, related_name="releases", verbose_name=_("conference")
    )
    number = models.PositiveIntegerField(_("number"))
    made_at = models.DateTimeField(_("published at"))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, related_name="+", null=True, blank=True,
        verbose_name=_("published by"),
    )  # fmt: skip
    note = TranslatedField(_("note"), help_text=_("Printed above the list of changes."))
    changes = models.JSONField(_("changes"), default=list, blank=True)

    objects: ClassVar[ReleaseQuerySet] = ReleaseQuerySet.as_manager()  # type: ignore[assignment]

    if TYPE_CHECKING:
        rows: RelatedManager[ReleasedRow]

    class Meta:
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        constraints = [
            models.UniqueConstraint(name="release_number_unique_in_conference", fields=["conference", "number"]),
            models.CheckConstraint(name="release_number_is_positive", condition=Q(number__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.number} (#{self.pk})"


class ReleasedRow(models.Model):
    """One row of a programme table as a release froze it. Columns that only organisers read are left out."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="rows")
    table = models.CharField(max_length=63)
    row_id = models.BigIntegerField()
    data = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="released_row_stands_once", fields=["release", "table", "row_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"
