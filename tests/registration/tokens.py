"""Delegations and side events with tokens, and a program that uses them, for tests of the API."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.test import Client

from accounts.actors import Actor
from accounts.models import ActorKind
from events.models import Session
from registration.models import Delegation, FocalPoint, Membership, Scope
from registration.services import api_tokens
from tests.api import problem as problem
from tests.factories import NOW, AdmissionFactory, DelegationFactory, RoleFactory, UserFactory

API = "/api/v1"


def a_delegation(**more: Any) -> Delegation:
    """A delegation at a conference with both ways to attend, and a focal point."""
    made: Delegation = DelegationFactory(**more)
    if not made.conference.admissions.exists():
        for mode in ("in_person", "online"):
            AdmissionFactory(session=None, conference=made.conference, mode=mode)
    FocalPoint.objects.create(delegation=made, user=UserFactory())
    return made


def token(target: Delegation | Session, *scopes: Scope, **more: Any) -> str:
    """The secret of a new token: of the focal point for a delegation, of an organiser for a side event."""
    if isinstance(target, Delegation):
        found = target.focal_points.first()
        assert found is not None
        by = Actor(ActorKind.DELEGATION, found.user)
    else:
        by = Actor.organiser(RoleFactory(kind="organiser", conference=target.conference).user)
    allowed = Scope.values if isinstance(target, Delegation) else [Scope.REGISTRATIONS_READ]
    values: dict[str, Any] = {"label": "Test", "expires_at": NOW + timedelta(days=30), "by": by, "now": NOW}
    return api_tokens.make(target=target, scopes=scopes or allowed, **(values | more)).secret


class Program:
    """A client that sends a token, or none."""

    def __init__(self, secret: str | None = None) -> None:
        self.client = Client()
        self.headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """An answer. body: sent as JSON unless it is bytes. headers: with _ for -."""
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = named.pop("Content-Type", "application/json")
        # Also without a body: servers hand on what kind of nothing it is.
        told: Any = {} if method in {"GET", "HEAD", "OPTIONS"} else {"CONTENT_TYPE": kind}
        return self.client.generic(method, f"{API}{path}", data, kind, headers=self.headers | named, **told)

    def get(self, path: str, **headers: str) -> Any:
        """Read."""
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Write."""
        return self.send("POST", path, body, **headers)

    def etag(self, path: str) -> str:
        """The ETag of a row now."""
        return str(self.get(path).headers["ETag"])


def path_of(member: Membership) -> str:
    """Where a member is read and changed."""
    return f"/participants/{member.public_id}/"


def person(number: int = 1, **more: Any) -> dict[str, Any]:
    """Somebody to nominate."""
    return {"given_name": "Lena", "family_name": f"Member{number}", "email": f"member{number}@state.example"} | more


def wrong(answer: Any) -> dict[str, str]:
    """What is wrong, by pointer."""
    return {fault.get("pointer", fault["name"]): fault["detail"] for fault in answer.json()["errors"]}
