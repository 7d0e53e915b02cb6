"""Browsers in which somebody is signed in."""

from __future__ import annotations

from django.test import Client

from events.models import Conference
from tests.factories import RoleFactory


def signed_in(kind: str, conference: Conference) -> Client:
    """Somebody with a role there."""
    client = Client()
    client.force_login(RoleFactory(kind=kind, conference=conference).user)
    return client
