"""Is the process alive, can it serve, and what are the figures."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from alliance import health
from outbox.models import MessageState, Outage, WorkerHeartbeat
from tests import services
from tests.factories import AdmissionFactory, MessageFactory, RegistrationFactory

ROOT = Path(__file__).resolve().parents[2]


def ready(client: Client, status: int) -> dict[str, Any]:
    """What /readyz says. Fails on another status."""
    response = client.get("/readyz")
    assert response.status_code == status, response.content
    assert response.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
def worker() -> WorkerHeartbeat:
    """A worker that was seen just now."""
    return WorkerHeartbeat.objects.create(name="canary@host", seen_at=timezone.now())


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port that takes connections and never answers, like a frozen server."""
    with socket.create_server(("127.0.0.1", 0), backlog=8) as server:
        yield server.getsockname()[1]


# --- alive ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_healthz_answers_without_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probe_needs_no_known_host_and_no_https(client: Client, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["alliance.example.org"]

    response = client.get(path, headers={"Host": "10.0.0.7:8000"})

    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probe_takes_no_writes(client: Client, path: str) -> None:
    response = client.post(path)

    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


# --- ready ----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_readyz_tells_each_check_with_its_figure(client: Client, worker: WorkerHeartbeat) -> None:
    found = ready(client, 200)

    assert found["status"] == "ok"
    assert list(found["checks"]) == ["database", "redis", "published", "worker", "messages"]
    assert found["checks"]["database"]["missing_migrations"] == 0
    assert 0 <= found["checks"]["database"].pop("milliseconds") < 1000
    assert 0 <= found["checks"]["redis"].pop("milliseconds") < 1000
    assert 0 <= found["checks"]["worker"].pop("seen_seconds_ago") < 10
    assert found["checks"] == {
        "database": {"status": "ok", "missing_migrations": 0},
        "redis": {"status": "ok"},
        "published": {"status": "ok"},
        "worker": {"status": "ok"},
        "messages": {"status": "ok", "oldest_unsent_seconds": 0, "outages": 0},
    }


@pytest.mark.django_db
def test_readyz_names_no_host_address_or_worker(client: Client, worker: WorkerHeartbeat, settings: Any) -> None:
    settings.REDIS_URL = "redis://user:canary@127.0.0.1:1/0"
    Outage.objects.create(
        group="mail", since=timezone.now(), next_probe_at=timezone.now(), last_error="canary.mail.example refused"
    )

    response = client.get("/readyz")

    assert b"canary" not in response.content
    assert b"127.0.0.1" not in response.content
    assert "Server" not in response.headers


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [None, 31])
def test_readyz_is_degraded_without_a_worker(client: Client, seconds: int | None) -> None:
    if seconds is not None:
        WorkerHeartbeat.objects.create(name="w", seen_at=timezone.now() - timedelta(seconds=seconds))

    found = ready(client, 200)

    assert found["status"] == "degraded"
    assert found["checks"]["worker"]["status"] == "degraded"
    assert (found["checks"]["worker"]["seen_seconds_ago"] is None) == (seconds is None)


@pytest.mark.django_db
@pytest.mark.parametrize(("minutes", "status"), [(4, "ok"), (6, "degraded")])
def test_readyz_is_degraded_when_messages_wait_for_long(
    client: Client, worker: WorkerHeartbeat, minutes: int, status: str
) -> None:
    due_at = timezone.now() - timedelta(minutes=minutes)
    MessageFactory(due_at=due_at, next_attempt_at=due_at)
    MessageFactory(due_at=due_at - timedelta(days=1), next_attempt_at=due_at, state=MessageState.HELD)

    found = ready(client, 200)

    assert found["status"] == status
    assert abs(found["checks"]["messages"]["oldest_unsent_seconds"] - minutes * 60) < 10


@pytest.mark.django_db
def test_readyz_is_degraded_without_redis(client: Client, worker: WorkerHeartbeat, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    found = ready(client, 200)

    assert (found["status"], found["checks"]["redis"]) == ("degraded", {"status": "degraded"})


@pytest.mark.django_db
def test_readyz_waits_a_third_of_a_second_for_a_frozen_redis(
    client: Client, worker: WorkerHeartbeat, settings: Any, deaf_port: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{deaf_port}/0"
    client.get("/readyz")  # the first one loads the migrations
    started = time.monotonic()

    found = ready(client, 200)

    assert found["checks"]["redis"] == {"status": "degraded"}
    assert time.monotonic() - started < 0.3 + 0.5


@pytest.mark.django_db
def test_readyz_is_down_while_a_migration_is_missing(client: Client, worker: WorkerHeartbeat) -> None:
    MigrationRecorder.Migration.objects.filter(app="outbox").delete()

    found = ready(client, 503)

    assert found["status"] == "down"
    assert found["checks"]["database"]["missing_migrations"] == 1


@pytest.mark.django_db
def test_readyz_survives_a_check_that_fails(
    client: Client, worker: WorkerHeartbeat, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(now: object) -> health.Finding:
        raise RuntimeError("canary")

    monkeypatch.setitem(health._checks, "broken", broken)

    found = ready(client, 200)

    assert (found["status"], found["checks"]["broken"]) == ("degraded", {"status": "degraded"})


@pytest.mark.django_db
def test_readyz_is_down_when_the_database_ends_in_the_middle(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(now: object) -> None:
        raise OperationalError("canary")

    monkeypatch.setattr(health, "database", gone)

    assert ready(client, 503) == {"status": "down"}


def test_process_without_a_database_is_alive_and_not_ready() -> None:
    program = """
import django, json
django.setup()
from django.test import Client
answers = {path: Client().get(path) for path in ("/healthz", "/readyz", "/metrics", "/api/v1/sessions/")}
print(json.dumps({path: [a.status_code, a.content.decode()] for path, a in answers.items()}))
"""
    environment = {**os.environ, **services.servers.trial_environment(), "LOG_FORMAT": "json"}

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=60,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout)
    assert found["/healthz"] == [200, '{"status": "ok"}']
    assert found["/readyz"][0] == 503
    assert json.loads(found["/readyz"][1]) == {
        "status": "down",
        "checks": {"database": {"status": "down"}, "redis": {"status": "degraded"}},
    }
    assert found["/metrics"][0] == 503
    assert found["/api/v1/sessions/"][0] == 503
    assert json.loads(found["/api/v1/sessions/"][1])["type"] == "urn:alliance:problem:unavailable"


# --- figures --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_metrics_are_prometheus_text_and_name_nobody(client: Client, worker: WorkerHeartbeat) -> None:
    admission = AdmissionFactory(capacity=2)
    RegistrationFactory(admission=admission, participant__display_name="Canary")
    due_at = timezone.now() - timedelta(minutes=1)
    MessageFactory(due_at=due_at, next_attempt_at=due_at)

    response = client.get("/metrics")

    text = response.content.decode()
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'alliance_messages{state="queued"} 1\n' in text
    assert 'alliance_registrations{status="confirmed"} 1\n' in text
    assert f'alliance_places_capacity{{admission="{admission.public_id}"}} 2\n' in text
    assert f'alliance_places_taken{{admission="{admission.public_id}"}} 1\n' in text
    assert re.search(r"^alliance_oldest_unsent_message_seconds 6\d(\.\d)?$", text, re.MULTILINE)
    assert all(
        re.fullmatch(r"# (HELP|TYPE) alliance_.*|alliance_[a-z_]+(\{.*\})? [0-9.e+]+", line)
        for line in text.splitlines()
    )
    assert "anary" not in text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 200),
        ("fd00::7", {}, 200),
        ("8.8.8.8", {}, 404),
        ("10.1.2.3", {"X-Forwarded-For": "8.8.8.8"}, 404),
        ("10.1.2.3", {"Forwarded": "for=8.8.8.8"}, 404),
        ("", {}, 404),
    ],
)
def test_metrics_are_for_private_addresses(client: Client, address: str, headers: dict[str, str], status: int) -> None:
    assert client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code == status


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "status"), [("Bearer secret", 200), ("Bearer wrong", 404), ("Bearer sécret", 404), ("", 404)]
)
def test_metrics_with_a_token_ask_for_it_from_everybody(client: Client, settings: Any, given: str, status: int) -> None:
    settings.METRICS_TOKEN = "secret"

    assert client.get("/metrics", headers={"Authorization": given}, REMOTE_ADDR="127.0.0.1").status_code == status
