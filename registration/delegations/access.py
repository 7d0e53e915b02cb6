"""Which delegations a user speaks for. Everything a focal point opens is looked up through this and nothing else."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db.models import F, QuerySet

from accounts.models import User
from registration.models import Delegation


def delegations_of(user: User | AnonymousUser) -> QuerySet[Delegation]:
    """The delegations a user is a focal point of, newest conference first; none for others, whatever they may else."""
    if not user.is_authenticated or not user.is_active:
        return Delegation.objects.none()
    return (
        Delegation.objects.filter(focal_points__user_id=user.pk)
        .select_related("conference__venue", "country", "organisation")
        .order_by(F("conference__starts_on").desc(nulls_last=True), "pk")
    )
