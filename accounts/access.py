"""What one user may do, and where. Read once per request: plain permissions and roles, four queries at most.

A Django permission, given to staff directly or by a group, counts for the whole house. A role counts at its conference,
or everywhere when it has none (accounts.permissions). Superusers may do everything and nothing is read for them.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from accounts import permissions
from accounts.role_kinds import RoleKind

M = TypeVar("M", bound=Model)
_ROLE, _USER, _MESSAGE = "accounts.role", "accounts.user", "outbox.message"


class Access:
    """The rights of one user. Nothing is granted to people whose account is switched off."""

    def __init__(self, user: Any) -> None:
        """user: an accounts.models.User, which asks for its rights here and so stands above this module."""
        self._user = user
        self._is_above_all = user.is_active and user.is_superuser

    @cached_property
    def _roles(self) -> list[tuple[int | None, str]]:
        """Conference and kind of each role. Convenors look after a session, which gives no right to its conference."""
        if not self._user.is_active or self._is_above_all or self._user.pk is None:
            return []
        roles = self._user.roles.exclude(kind=RoleKind.CONVENOR)
        return list(roles.values_list("conference_id", "kind"))

    @cached_property
    def everywhere(self) -> frozenset[str]:
        """Permissions that count for the whole house; not asked of superusers."""
        from django.contrib.auth.backends import ModelBackend  # it asks for the user model, which is not made yet above

        plain = ModelBackend().get_all_permissions(self._user)
        return frozenset(plain).union(
            *(permissions.of_role(kind, is_house_wide=True) for place, kind in self._roles if place is None)
        )

    @cached_property
    def at(self) -> dict[int, frozenset[str]]:
        """Permissions at each conference where there is a role of its own."""
        found: dict[int, frozenset[str]] = {}
        for place, kind in self._roles:
            if place is not None:
                given = permissions.of_role(kind, is_house_wide=False)
                found[place] = found.get(place, frozenset()) | given
        return found

    @property
    def has_roles(self) -> bool:
        """Whether roles decide, in part or alone, what this user may do."""
        return bool(self._roles)

    @cached_property
    def anywhere(self) -> frozenset[str]:
        """Permissions held at one conference at least."""
        return self.everywhere.union(*self.at.values())

    def holds_everywhere(self, *wanted: str) -> bool:
        """Whether one of the permissions counts for the whole house."""
        return self._is_above_all or not self.everywhere.isdisjoint(wanted)

    def conferences(self, *wanted: str) -> set[int]:
        """Keys of the conferences where one of the permissions is held by a role of that conference."""
        return {place for place, held in self.at.items() if not held.isdisjoint(wanted)}

    def knows(self, conference_id: int) -> bool:
        """Whether a conference is no secret to the user: by a role there, or by any right for the whole house."""
        return self._is_above_all or conference_id in self.at or not self.has_roles or bool(self.everywhere)

    def may(self, permission: str, row: Model | None = None) -> bool:
        """Whether something is allowed: with a row, or with its conference, there; without one, anywhere at all."""
        if not self._user.is_active:
            return False
        if self.holds_everywhere(permission):
            return True
        if row is None:
            return permission in self.anywhere
        places = self.conferences(permission)
        if not places:
            return False
        paths = permissions.PATHS.get(row._meta.label_lower)
        if paths is None:  # a user or a message: the database knows
            return row.pk is not None and self.rows(type(row)._default_manager.filter(pk=row.pk), permission).exists()
        return not paths or any(_key(row, path) in places for path in paths)

    def rows(self, rows: QuerySet[M], *wanted: str) -> QuerySet[M]:
        """Those rows for which one of the permissions is held. The permissions need not be about the rows' own model:

        which sessions a contribution may go to is a question of the right to change contributions there.
        """
        if not self._user.is_active:
            return rows.none()
        if self.holds_everywhere(*wanted):
            return rows
        places = self.conferences(*wanted)
        found = _belonging(rows.model._meta.label_lower, places) if places else None
        if found is None:
            return rows.none()
        return rows.filter(found) if found else rows


def _belonging(label: str, places: set[int]) -> Q | None:
    """Rows of these conferences; an empty condition where rows belong to none. None: nobody's by a role."""
    paths = permissions.PATHS.get(label)
    if paths is not None:
        found = Q()
        for path in paths:
            found |= Q(**{f"{path}__in": places})
        return found
    if label == _USER:  # those who have something to do with the conferences
        roles = apps.get_model(_ROLE)._default_manager.filter(_belonging(_ROLE, places) or Q())
        speaking_for = apps.get_model("registration.focalpoint").objects.filter(delegation__conference__in=places)
        return Q(pk__in=roles.values("user")) | Q(pk__in=speaking_for.values("user"))
    if label == _MESSAGE:
        found = Q(pk__in=[])
        for kind, model in permissions.ABOUT.items():
            about = apps.get_model(model)._default_manager.filter(_belonging(model, places) or Q())
            # The kind first: PostgreSQL then reads the ids of those kinds only of which there are messages.
            found |= Q(about_kind=kind) & Q(about_id__in=about.values("public_id"))
        return found
    return None


def conference_key(row: Model) -> int | None:
    """The key of the conference that a row belongs to; None where it belongs to none."""
    paths = permissions.PATHS.get(row._meta.label_lower) or ()
    return next((key for key in (_key(row, path) for path in paths) if key is not None), None)


def _key(row: Any, path: str) -> int | None:
    """The conference's key that a path leads to from a row; None where it leads nowhere."""
    if path == "pk":
        found: int | None = row.pk
        return found
    *steps, last = path.split("__")
    for step in steps:
        row = getattr(row, step, None)
        if row is None:
            return None
    return getattr(row, f"{last}_id")  # type: ignore[no-any-return]
