"""What every request passes: its log line, its headers, and an honest answer while the database is away."""

from __future__ import annotations

import json
from typing import Any

import pytest
import structlog
from django.db import OperationalError
from django.test import Client
from structlog.testing import LogCapture

from tests.factories import ConferenceFactory, ParticipantFactory, RegistrationFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The log lines of requests, with what is bound to each request."""
    capture = LogCapture()
    log = structlog.wrap_logger(
        None, processors=[structlog.contextvars.merge_contextvars, capture], wrapper_class=structlog.BoundLogger
    )
    monkeypatch.setattr("alliance.middleware.log", log)
    return capture.entries  # type: ignore[return-value]  # structlog's own mapping type


def test_log_line_has_method_route_status_and_time(client: Client, lines: list[dict[str, Any]]) -> None:
    conference = ConferenceFactory(slug="alliance-20")

    for _made_and_kept in range(2):
        client.get(f"/api/v1/conferences/{conference.slug}/")

    assert len({line.pop("request_id") for line in lines}) == 2
    assert all(0 <= line.pop("ms") < 10_000 for line in lines)
    line = {
        "event": "request",
        "log_level": "info",
        "method": "GET",
        "route": "api/v1/conferences/<slug:id>/",
        "status": 200,
    }
    assert lines == [line, line]


def test_log_lines_hold_no_token_query_address_or_name(client: Client, lines: list[dict[str, Any]]) -> None:
    participant = ParticipantFactory(given_name="Canary", email="canary@mail.example")
    registration = RegistrationFactory(participant=participant, admission__conference=participant.conference)
    secrets = [participant.personal_token, registration.join_token, "canary", "Canary"]
    form = {"email": "canary@mail.example", "given_name": "Canary"}

    client.get(f"/r/{participant.personal_token}/?email=canary@mail.example")
    client.get(f"/join/{registration.join_token}/?token=canary")
    client.get("/api/v1/sessions/?search=canary@mail.example")
    client.get("/canary@mail.example/")
    client.post(f"/en/{participant.conference.slug}/register/", form, headers={"Referer": "https://x.example/canary"})

    written = json.dumps(lines)
    assert len(lines) == 5
    assert not [secret for secret in secrets if secret in written]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_not_logged(client: Client, lines: list[dict[str, Any]], path: str) -> None:
    client.get(path)

    assert lines == []


@pytest.mark.parametrize(
    ("path", "kind"), [("/api/v1/sessions/", "application/problem+json"), ("/en/", "text/html; charset=utf-8")]
)
def test_database_that_goes_away_is_503_with_a_time_to_come_back(
    client: Client, monkeypatch: pytest.MonkeyPatch, path: str, kind: str
) -> None:
    def gone() -> int:
        raise OperationalError("could not connect to canary-host")

    monkeypatch.setattr("events.page_cache.content_version", gone)

    response = client.get(path)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert response.headers["Content-Type"] == kind
    assert b"canary" not in response.content


def test_answers_carry_the_headers_that_keep_them_apart(client: Client) -> None:
    headers = client.get("/en/nothing-here/").headers

    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/en/accounts/login/", "/fr/x/register/", "/r/a-link/", "/admin/", "/nothing/"])
def test_form_in_chunks_is_asked_for_its_length(path: str) -> None:
    """Guard: KnownLength; taken for empty, it was told that it had been open for too long."""
    chunked: Any = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_TYPE": "multipart/form-data"}

    answer = Client(enforce_csrf_checks=True).generic("POST", path, b"", **chunked)

    assert answer.status_code == 411
    assert "Content-Length" in answer.content.decode()
    assert f'<html lang="{"fr" if "/fr/" in path else "en"}"' in answer.content.decode()
