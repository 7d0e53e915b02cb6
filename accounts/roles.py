"""Giving and taking away roles: who may, and the audit row of each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import Permission
from django.db.models import Q

from accounts import permissions
from accounts.actors import Actor, audit_entry
from accounts.models import AuditEntry, Role, RoleKind, User

GRANTED, WITHDRAWN = "role.granted", "role.withdrawn"


def is_administrator(user: User) -> bool:
    """Whether somebody looks after the whole house: a superuser, or an administrator of all conferences."""
    if not user.is_active:
        return False
    return user.is_superuser or user.roles.filter(kind=RoleKind.ADMINISTRATOR, conference=None).exists()


def may_give(user: User, role: Role, *, right: str = "add") -> bool:
    """Whether a user may give a role (right: add), or take it away (right: delete).

    Administrators may anywhere. Others may where they hold the permission on roles, no role above their own, to nobody
    but others, and never the administrator's.
    """
    if user.is_superuser and user.is_active:
        return True
    if role.user_id == user.pk:
        return False
    if is_administrator(user):
        return True
    if role.kind == RoleKind.ADMINISTRATOR or role.kind not in RoleKind.values:
        return False
    place = role.session.conference_id if role.session is not None else role.conference_id
    held = _held(user, place)
    given = permissions.of_role(role.kind, is_house_wide=role.kind != RoleKind.CONVENOR and place is None)
    if role.may_see_contacts:
        given |= {"registration.view_participant"}
    return f"accounts.{right}_role" in held and given <= held


def stands_above(other: User, user: User) -> bool:
    """Whether somebody may do things that the user may not: then the user must not get at their account.

    An account that is switched off counts with what it could do when it is switched on again.
    """
    if user.is_superuser:
        return False
    if other.is_superuser:
        return True
    if not is_administrator(user) and other.roles.filter(kind=RoleKind.ADMINISTRATOR).exists():
        return True
    if not _plain(other) <= user.access.everywhere:
        return True
    return any(
        not permissions.of_role(role.kind, is_house_wide=role.conference_id is None) <= _held(user, role.conference_id)
        for role in other.roles.exclude(kind=RoleKind.CONVENOR)
    )


def _held(user: User, place: int | None) -> frozenset[str]:
    """What a user may do at a conference; without one, in the whole house."""
    access = user.access
    return access.everywhere if place is None else access.everywhere | access.at.get(place, frozenset())


def _plain(user: User) -> set[str]:
    """The Django permissions somebody has, also while the account is switched off."""
    held = Permission.objects.filter(Q(user=user) | Q(group__user=user))
    return {f"{app}.{name}" for app, name in held.values_list("content_type__app_label", "codename")}


def entry(role: Role, action: str, *, by: Actor, now: datetime) -> AuditEntry:
    """The unsaved audit row of a role that is given or taken away. Needs nothing loaded; ids only."""
    return audit_entry(
        at=now,
        by=by,
        action=action,
        about_kind="user",
        about_id=role.user.public_id,
        details={
            "role": role.kind,
            "conference": None if role.conference is None else str(role.conference.public_id),
            "session": None if role.session is None else str(role.session.public_id),
            "may_see_contacts": role.may_see_contacts,
        },
    )


def record(roles: Iterable[Role], action: str, *, by: Actor, now: datetime) -> None:
    """Write the audit rows of roles, in the transaction that gives or takes them."""
    AuditEntry.objects.bulk_create([entry(role, action, by=by, now=now) for role in roles])
