"""As in production, and an organiser with a password."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import User
from tests.accounts.signing_in import PASSWORD
from tests.factories import StaffFactory


@pytest.fixture
def required(settings: Any) -> None:
    """As in production, but for a hash of passwords that takes no time."""
    settings.SECOND_FACTOR_REQUIRED = True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def staff() -> User:
    """An organiser with a password."""
    user = StaffFactory(email="office@office.example")
    user.set_password(PASSWORD)
    user.save()
    return user
