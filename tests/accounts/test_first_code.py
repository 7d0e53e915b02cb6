"""The code that sets up an app."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.test import Client
from django.utils import timezone

from tests.factories import StaffFactory

PASSWORD = "correct horse battery staple"


@pytest.mark.django_db
def test_it_signs_nobody_in_afterwards(client: Client, settings: Any) -> None:
    """Guard: FirstCodeForm.spend; whoever looked over the shoulder had half a minute with it."""
    settings.SECOND_FACTOR_REQUIRED = True
    user = StaffFactory(email="office@office.example")
    user.set_password(PASSWORD)
    user.save()
    form = {"login": user.email, "password": PASSWORD}
    client.post("/en/accounts/login/", form)
    secret = client.get("/en/accounts/factors/app/").context["form"].secret
    step = int(timezone.now().timestamp()) // 30
    shown = totp.format_hotp_value(totp.hotp_value(secret, step))

    set_up = client.post("/en/accounts/factors/app/", {"code": shown})
    other = Client()
    other.post("/en/accounts/login/", form)
    refused = other.post("/en/accounts/login/code/", {"code": shown})
    taken = other.post("/en/accounts/login/code/", {"code": totp.format_hotp_value(totp.hotp_value(secret, step + 1))})

    assert (set_up.status_code, refused.status_code, taken.status_code) == (302, 200, 302)
    assert "was used already" in refused.text
