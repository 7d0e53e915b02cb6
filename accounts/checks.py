"""What `manage.py check --deploy` says about signing in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import checks


def second_factor(**_options: Any) -> list[checks.CheckMessage]:
    """Warn of a house that lets people with roles in by a password alone."""
    if settings.SECOND_FACTOR_REQUIRED:
        return []
    return [
        checks.Warning(
            "Organisers sign in without a second factor.",
            hint="Take SECOND_FACTOR_REQUIRED=0 out of the environment.",
            id="accounts.W001",
        )
    ]


def register() -> None:
    """Join the checks of a deployment."""
    checks.register(second_factor, checks.Tags.security, deploy=True)
