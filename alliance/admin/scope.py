"""Whose rows these are: every list, form, choice and action shows and changes what the user's roles reach.

The user says it (accounts.access): user.has_perm(permission, row) and user.access.rows(rows, permissions). Here it is
applied once for all models. A row that the user may not see is not there: 404, like one that never was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.admin.filters import FieldListFilter, RelatedFieldListFilter
from django.contrib.auth import get_permission_codename
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from alliance.admin.typed import M


def own_rows(request: HttpRequest, rows: QuerySet[M], *permissions: str) -> QuerySet[M]:
    """Those rows for which the user holds one of the permissions."""
    return cast("Any", request.user).access.rows(rows, *permissions)  # type: ignore[no-any-return]


def rights(opts: Any, *what: str) -> list[str]:
    """Django's names of permissions on a model. what: view, add, change, delete."""
    return [f"{opts.app_label}.{get_permission_codename(one, opts)}" for one in what]


class Scoped:
    """For admins and inlines: choices of relations stay within what the form may change."""

    if TYPE_CHECKING:
        opts: Any
        model: Any

    def visible(self, request: HttpRequest, rows: QuerySet[M]) -> QuerySet[M]:
        """Those rows of another model that the user may see."""
        return own_rows(request, rows, *rights(rows.model._meta, "view", "change"))

    def get_field_queryset(self, db: str | None, db_field: Any, request: HttpRequest) -> QuerySet[Any] | None:
        """What can be chosen: rows of the conferences where the row of the form may be added or changed."""
        rows = super().get_field_queryset(db, db_field, request)  # type: ignore[misc]
        if cast("Any", request.user).access.holds_everywhere(*rights(self.opts, "add", "change")):
            return cast("QuerySet[Any] | None", rows)
        base = db_field.remote_field.model._default_manager.using(db) if rows is None else rows
        return own_rows(request, base.all(), *rights(self.opts, "add", "change"))


class ScopedRelatedFilter(RelatedFieldListFilter):
    """A filter by a relation that names only rows the user may see."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> Any:
        """The choices, as Django orders them."""
        related = field.remote_field.model
        ordering = self.field_admin_ordering(field, request, model_admin)
        permissions = rights(related._meta, "view", "change")
        if cast("Any", request.user).access.holds_everywhere(*permissions):
            limit: Any = None
        else:
            limit = {"pk__in": own_rows(request, related._default_manager.all(), *permissions).values("pk")}
        admin = model_admin.admin_site._registry.get(related)
        if getattr(admin, "is_known_by_label", False):
            rows = related._default_manager.complex_filter(limit or {}).order_by(*ordering)
            return [(row.pk, admin.label_of(row)) for row in rows]
        return field.get_choices(include_blank=False, ordering=ordering, limit_choices_to=limit)


FieldListFilter.register(lambda field: isinstance(field, models.ForeignKey), ScopedRelatedFilter, take_priority=True)


def may(request: HttpRequest, opts: Any, what: str, row: models.Model | None = None) -> bool:
    """Whether the user may do it: with a row, there; without one, at one conference at least."""
    (permission,) = rights(opts, what)
    return request.user.has_perm(permission, row)


def chosen_for(model_admin: Any, request: HttpRequest, rows: QuerySet[M]) -> QuerySet[M]:
    """Of the rows chosen for an action those for which the user may do it."""
    name = request.POST.get("action", "")
    entry = model_admin.get_actions(request).get(name)
    allowed = getattr(entry[0], "allowed_permissions", ()) if entry else ()
    for what in allowed:
        if what in ("view", "add", "change", "delete"):
            rows = own_rows(request, rows, *rights(model_admin.opts, what))
    return rows
