"""A rush through the API: programs of many delegations nominate people one by one, all at the same time.

Beside the rush on the form (tests/bench/__main__.py): the same house, the same places, the same figures. The house lets
one computer ask 600 times a minute; the bench is one computer, so its web server counts without that end (urls.py).
"""

from __future__ import annotations

import argparse
import http.client
import json
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests import rush
from tests.bench import programme
from tests.house import House

if TYPE_CHECKING:
    from registration.models import Admission, Delegation

_PATH = "/api/v1/participants/"
_DELEGATIONS = 40
_FEW = 200  # over one connection, for the price of a nomination without waiting


def without_limits() -> None:
    """Count requests by address and token as ever, and refuse none. For the web server of the bench alone."""
    from alliance.api import cors
    from alliance.api.limits import Limit
    from registration.api import access as token_access

    cors.READS.limit = Limit("reads", 10**9)
    token_access.PER_ADDRESS = Limit("address", 10**9)
    token_access.PER_TOKEN = Limit("token", 10**9)


def measure(running: House, options: argparse.Namespace) -> None:
    """Print the figures. options: people, places, connections."""
    from registration.models import Registration

    admission, programs = _delegations(options.places)
    people = [(programs[number % len(programs)][1], _person(number)) for number in range(options.people)]
    web, database = running.cpu_seconds("web"), running.postgres_cpu_seconds()
    answers, seconds = _run(running, people, options.connections)
    web, database = running.cpu_seconds("web") - web, running.postgres_cpu_seconds() - database
    mine = Registration.objects.filter(admission=admission)
    confirmed, waiting = mine.filter(status="confirmed").count(), mine.filter(status="waitlisted").count()
    bad = [answer for answer in answers if answer[0] != 201]
    p50, p95, p99 = rush.percentiles([answer[1] for answer in answers])
    print(
        f"\nRush by API: {seconds:.1f} s, {len(answers) / seconds:.0f} nominations/s, {confirmed / seconds:.0f} "
        f"confirmed/s, {len(bad)} errors"
    )
    print(f"confirmed {confirmed}, waiting {waiting}; {len(programs)} delegations")
    print(f"POST p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms (answers leave after whole steps of 50 ms)")
    for status, _seconds, text in bad[:3]:
        print(f"  {status} {text}")
    programme.row("", "web ms", "PostgreSQL ms")
    programme.row("API POST, per registration", *_each(web, database, len(people)))
    programme.row("API POST, per confirmed registration", *_each(web, database, confirmed))
    web, database = running.cpu_seconds("web"), running.postgres_cpu_seconds()
    _run(running, [(programs[0][1], _person(100_000 + number)) for number in range(_FEW)], 1)
    web, database = running.cpu_seconds("web") - web, running.postgres_cpu_seconds() - database
    programme.row("one connection: API POST", *_each(web, database, _FEW))
    print(f"\nSQL statements of one registration by API: {_statements(programs[1][1])}, and BEGIN and COMMIT")


def _each(web: float, database: float, count: int) -> tuple[str, str]:
    return f"{web / max(1, count) * 1000:.2f}", f"{database / max(1, count) * 1000:.2f}"


def _delegations(places: int) -> tuple[Admission, list[tuple[Delegation, str]]]:
    """A conference with places in the room, and delegations without quotas, each with the secret of a token."""
    from datetime import timedelta

    from django.utils import timezone

    from accounts.actors import Actor
    from accounts.models import ActorKind
    from registration.models import FocalPoint, Scope
    from registration.services import api_tokens
    from tests.factories import AdmissionFactory, ConferenceFactory, DelegationFactory, OrganisationFactory, UserFactory

    conference = ConferenceFactory(slug="bench-api-rush")
    admission: Admission = AdmissionFactory(session=None, conference=conference, mode="in_person", capacity=places)
    now = timezone.now()
    found: list[tuple[Delegation, str]] = []
    for _number in range(_DELEGATIONS):
        delegation: Delegation = DelegationFactory(
            conference=conference, country=None, organisation=OrganisationFactory()
        )
        user = UserFactory()
        FocalPoint.objects.create(delegation=delegation, user=user)
        made = api_tokens.make(
            target=delegation,
            label="Bench",
            scopes=[Scope.MEMBERS_READ, Scope.MEMBERS_WRITE],
            expires_at=now + timedelta(days=1),
            by=Actor(ActorKind.DELEGATION, user),
            now=now,
        )
        found.append((delegation, made.secret))
    return admission, found


def _person(number: int) -> dict[str, str]:
    """What a program says of one person."""
    return {
        "given_name": "Grace",
        "family_name": f"Member {number}",
        "email": f"member{number}@api-rush.example",
        "function": "Adviser",
        "mode": "in_person",
    }


def _headers(secret: str, number: int) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {secret}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"bench-{number}-{time.monotonic_ns()}",
    }


def _run(
    running: House, people: list[tuple[str, dict[str, str]]], connections: int
) -> tuple[list[tuple[int, float, str]], float]:
    """Send everybody, over a number of connections: status, seconds and (of a refusal) the text of each answer."""
    queue = list(enumerate(people))
    answers: list[tuple[int, float, str]] = []
    lock = threading.Lock()

    def clerk() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
        while True:
            with lock:
                if not queue:
                    break
                number, (secret, person) = queue.pop(0)
            started = time.perf_counter()
            try:
                connection.request("POST", _PATH, json.dumps(person), _headers(secret, number))
                answer = connection.getresponse()
                status, text = answer.status, answer.read().decode(errors="replace")
            except (OSError, http.client.HTTPException) as error:
                status, text = 0, repr(error)
                connection.close()
            with lock:
                answers.append((status, time.perf_counter() - started, "" if status == 201 else text[:300]))
        connection.close()

    threads = [threading.Thread(target=clerk) for _number in range(connections)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers, time.perf_counter() - started


def _statements(secret: str) -> int:
    """The SQL statements of one nomination, in this process, once it has warmed up."""
    from django.db import connection
    from django.test import Client

    client = Client()
    found: list[str] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found.append(sql)
        return execute(sql, params, many, context)

    for number in range(2):
        found.clear()
        with connection.execute_wrapper(count):
            answer = client.generic(
                "POST",
                _PATH,
                json.dumps(_person(200_000 + number)),
                content_type="application/json",
                headers={**_headers(secret, number), "Host": "127.0.0.1"},
            )
        if answer.status_code != 201:
            raise RuntimeError(f"the API answers {answer.status_code}: {answer.content.decode()[:300]}")
    return len(found)
