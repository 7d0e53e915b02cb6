"""Somebody with a password and an app who signs in."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User

PASSWORD = "correct horse battery staple"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN = "/en/accounts/login/"
CODE = "/en/accounts/login/code/"
FACTORS = "/en/accounts/factors/"


def with_app(user: User) -> Authenticator:
    """The user has an app with codes, and recovery codes."""
    RecoveryCodes.activate(user)
    return totp.TOTP.activate(user, SECRET).instance


def code(steps: int = 0) -> str:
    """What the app shows now, or shows some steps of time later."""
    now = int(timezone.now().timestamp()) // 30
    return str(totp.format_hotp_value(totp.hotp_value(SECRET, now + steps)))


def sign_in(client: Client, *, email: str = "office@office.example", password: str = PASSWORD, **more: Any) -> Any:
    """Send the first form."""
    return client.post(LOGIN, {"login": email, "password": password}, **more)


def actions() -> list[str]:
    """What the audit trail says, in order."""
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


def is_in(client: Client) -> bool:
    """Whether the admin is open."""
    return client.get("/admin/").status_code == 200
