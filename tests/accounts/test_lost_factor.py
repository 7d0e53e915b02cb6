"""A lost second factor takes two administrators."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import factor_resets
from accounts.models import FactorReset, User
from tests.accounts.signing_in import CODE, actions, code, is_in, sign_in, with_app
from tests.factories import RoleFactory, StaffFactory, UserFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("required")]


def page_of(user: User) -> str:
    """Where administrators look after somebody's second factor."""
    return reverse("admin:accounts_user_second_factor", args=[user.pk])


def test_a_lost_factor_takes_two_administrators(client: Client, staff: User, settings: Any) -> None:
    with_app(staff)
    lost = Client()
    sign_in(lost)
    lost.post(CODE, {"code": code()})
    assert is_in(lost)
    settings.SECOND_FACTOR_REQUIRED = False
    first, second = (StaffFactory(is_superuser=True) for _number in range(2))
    client.force_login(first)
    client.post(page_of(staff), {"do": "ask"})
    alone = client.post(page_of(staff), {"do": "confirm"})
    kept = Authenticator.objects.filter(user=staff).exists()
    client.force_login(second)

    page = client.get(page_of(staff))
    client.post(page_of(staff), {"do": "confirm"})

    assert "Another administrator must confirm" in alone.text
    assert kept
    assert str(first.email) in page.text
    assert not Authenticator.objects.filter(user=staff).exists()
    assert not is_in(lost)
    assert actions() == ["sign_in", "factor.reset_asked", "factor.reset"]


def test_others_reset_nothing(client: Client, settings: Any) -> None:
    settings.SECOND_FACTOR_REQUIRED = False
    boss = StaffFactory(is_superuser=True)
    with_app(boss)
    for user in (UserFactory(is_staff=True), RoleFactory(kind="organiser").user):
        client.force_login(user)
        assert client.post(page_of(boss), {"do": "ask"}).status_code in {403, 404}
    client.force_login(boss)
    client.post(page_of(boss), {"do": "ask"})

    assert not FactorReset.objects.exists()


def test_a_wish_lapses_and_can_be_withdrawn(staff: User) -> None:
    with_app(staff)
    first, second = (StaffFactory(is_superuser=True) for _number in range(2))
    now = timezone.now()
    factor_resets.ask(staff, by=first, now=now - timedelta(days=4))

    with pytest.raises(factor_resets.CannotReset):
        factor_resets.confirm(staff, by=second, now=now)
    factor_resets.ask(staff, by=first, now=now)
    factor_resets.withdraw(staff, by=second, now=now)

    assert FactorReset.objects.filter(closed_at=None).count() == 0
    assert actions() == ["factor.reset_asked", "factor.reset_lapsed", "factor.reset_asked", "factor.reset_withdrawn"]
