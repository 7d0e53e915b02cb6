"""How Django asks what somebody may do: user.has_perm("events.change_session", session)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from accounts.models import User


class HouseBackend(ModelBackend):
    """Signs people in by password as Django does, and answers from permissions and roles (accounts.access)."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Whether the user may do it: with a row, there; without one, at one conference at least."""
        return isinstance(user_obj, User) and user_obj.access.may(perm, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """What the user may do somewhere. For one row ask has_perm()."""
        if not isinstance(user_obj, User) or not user_obj.is_active:
            return set()
        if user_obj.is_superuser or obj is not None:
            return super().get_all_permissions(user_obj, obj)
        return set(user_obj.access.anywhere)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether anything of the app is the user's to see."""
        return any(name.startswith(f"{app_label}.") for name in self.get_all_permissions(user_obj))
