"""Is the process alive, can it serve, and what are the figures: /healthz, /readyz and /metrics.

The project knows the database and Redis; every app adds what it knows in AppConfig.ready (register, measure). Answers
hold states and figures, never names of hosts, addresses or the text of an error.

This is a middleware, not a view: a probe comes to an address inside the machine room with a Host header that no public
site has, and it must be answered when sessions, languages or URLs are broken.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

import structlog
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

log = structlog.get_logger("alliance.health")

REDIS_TIMEOUT = 0.3  # seconds


class State(StrEnum):
    """How something is. Degraded: pages and registrations work, something else waits."""

    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found. figures: numbers with their unit in the name, such as oldest_seconds."""

    state: State
    figures: Mapping[str, float | int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, such as Sample({"state": "queued"}, 12)."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge in the Prometheus text format. name: with unit, without prefix."""

    name: str
    help: str
    samples: Iterable[Sample]


Check = Callable[[datetime], Finding]
Measure = Callable[[datetime], Iterable[Metric]]

_checks: dict[str, Check] = {}
_measures: dict[str, Measure] = {}


def register(name: str, check: Check) -> None:
    """Add a check to /readyz; it runs only while the database answers. To be called in AppConfig.ready."""
    _checks[name] = check


def measure(name: str, source: Measure) -> None:
    """Add metrics to /metrics. To be called in AppConfig.ready."""
    _measures[name] = source


# --- what the project knows itself ----------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _wanted_migrations() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())


def database(now: datetime) -> Finding:
    """PostgreSQL answers and has every migration this code needs."""
    started = time.perf_counter()
    try:
        applied = set(MigrationRecorder(connection).applied_migrations())
    except Error:
        return Finding(State.DOWN)
    missing = len(_wanted_migrations() - applied)
    figures = {"milliseconds": round((time.perf_counter() - started) * 1000, 1), "missing_migrations": missing}
    return Finding(State.DOWN if missing else State.OK, figures)


def redis(now: datetime) -> Finding:
    """Redis answers a ping. Without it messages leave some seconds later and nothing else happens."""
    from redis import Redis, RedisError
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    started = time.perf_counter()
    client = Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=REDIS_TIMEOUT,
        socket_connect_timeout=REDIS_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        client.ping()
    except (RedisError, OSError):
        return Finding(State.DEGRADED)
    finally:
        client.close()
    return Finding(State.OK, {"milliseconds": round((time.perf_counter() - started) * 1000, 1)})


def look(now: datetime) -> tuple[State, dict[str, dict[str, object]]]:
    """All checks: the state of the whole and what each one found. A check that fails counts as degraded."""
    found = {"database": database(now), "redis": redis(now)}
    if found["database"].state is State.OK:
        for name, check in _checks.items():
            try:
                found[name] = check(now)
            except Exception as error:
                log.exception("health_check_failed", check=name, error=type(error).__name__)
                found[name] = Finding(State.DEGRADED)
    states = {finding.state for finding in found.values()}
    whole = next((state for state in (State.DOWN, State.DEGRADED) if state in states), State.OK)
    return whole, {name: {"status": finding.state, **finding.figures} for name, finding in found.items()}


# --- answers --------------------------------------------------------------------------------------------------------


def alive(request: HttpRequest) -> HttpResponse:
    """200: this process runs. It asks nobody else, so a database that is away does not get it restarted."""
    return JsonResponse({"status": State.OK})


def ready(request: HttpRequest) -> HttpResponse:
    """Whether to send people here: 503 while the database is away or not migrated; else 200, even when degraded."""
    state, checks = look(timezone.now())
    return JsonResponse({"status": state, "checks": checks}, status=503 if state is State.DOWN else 200)


def _may_read_metrics(request: HttpRequest) -> bool:
    """With METRICS_TOKEN: who has it. Without: who asks from a private address, and not through a proxy."""
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").encode()
        return secrets.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _lines(now: datetime) -> Iterator[str]:
    for source in _measures.values():
        for metric in source(now):
            name = f"alliance_{metric.name}"
            yield f"# HELP {name} {metric.help}"
            yield f"# TYPE {name} gauge"
            for sample in metric.samples:
                labels = ",".join(f'{key}="{_escape(value)}"' for key, value in sample.labels.items())
                yield f"{name}{{{labels}}} {sample.value:g}" if labels else f"{name} {sample.value:g}"


def metrics(request: HttpRequest) -> HttpResponse:
    """Figures in the Prometheus text format; 404 for strangers."""
    if not _may_read_metrics(request):
        return HttpResponse(status=404)
    body = "".join(f"{line}\n" for line in _lines(timezone.now()))
    return HttpResponse(body, content_type="text/plain; version=0.0.4; charset=utf-8")


_ANSWERS = {"/healthz": alive, "/readyz": ready, "/metrics": metrics}


class Probes:
    """Middleware: answers the three addresses before anything that could be broken."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a probe; pass on everything else."""
        answer = _ANSWERS.get(request.path_info)
        if answer is None:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        try:
            return answer(request)
        except Error:
            return JsonResponse({"status": State.DOWN}, status=503)
