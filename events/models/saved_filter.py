"""Filters of a list of the admin that a user has given a name."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedFilter(models.Model):
    """What one user looks at again and again. Nobody else sees it, and it holds nothing that was typed to search.

    page: the list, as app_label.model_name. query: the filters and the order, as in the address.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_filters", verbose_name=_("user")
    )
    page = models.CharField(_("list"), max_length=60)
    name = models.CharField(_("name"), max_length=60)
    query = models.CharField(_("filters"), max_length=500)

    class Meta:
        verbose_name = _("saved filter")
        verbose_name_plural = _("saved filters")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(name="saved_filter_name_is_given_once", fields=["user", "page", "name"]),
            models.CheckConstraint(name="saved_filter_has_a_name", condition=~models.Q(name="") & ~models.Q(query="")),
        ]

    def __str__(self) -> str:
        return f"{self.page} (#{self.pk})"
