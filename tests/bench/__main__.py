"""Measure a rush and the programme page against a real house. All figures of one run belong together.

Processor time counts, since the machine is busy with other things too: milliseconds are taken from /proc for the web
server's processes and for PostgreSQL's. The client's own time is not in them.

    ./run bench [--people 600] [--places 200] [--connections 50] [--pages 3000] [--rows 1000000]
                [--only rush|api-rush|programme|api|export|many]
"""

from __future__ import annotations

import argparse
import http.client
import os
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from tests import rush
from tests.bench import api, api_rush, export, many, programme
from tests.house import House, house

if TYPE_CHECKING:
    from registration.models import Admission

_ROUNDS_RAW = 600


def main() -> None:
    """Start the house, measure, print the table."""
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--places", type=int, default=200)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--pages", type=int, default=3000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=["rush", "api-rush", "programme", "api", "export", "many"])
    options = parser.parse_args()
    with house(more={"DJANGO_SETTINGS_MODULE": "tests.bench.settings"}) as running:
        os.environ.update(running.environment)
        import django

        django.setup()
        print(f"{options.people} people, {options.places} places, {options.connections} connections; 2 web workers")
        admission, large, listed = _conference(options.places), programme.large_conference(), api.conference()
        running.start_web()
        if options.only in {None, "rush"}:
            _measure_rush(running, admission, options)
            _measure_raw(running, admission)
            _count_statements(admission)
        if options.only in {None, "rush", "api-rush"}:
            api_rush.measure(running, options)
        if options.only in {None, "programme"}:
            programme.measure(running, large, options)
        if options.only in {None, "api"}:
            api.measure(running, listed, options)
        if options.only in {None, "export"}:
            export.measure(running)
        if options.only in {None, "many"}:
            many.measure(running, options)


def _conference(places: int) -> Admission:
    """A conference with eight sessions of six speakers each, and a side event with a capacity."""
    from tests.factories import (
        AdmissionFactory,
        ConferenceFactory,
        ContributionFactory,
        MeetingFactory,
        SegmentFactory,
        SessionFactory,
        SideEventFactory,
    )

    conference = ConferenceFactory(slug="bench-2030")
    for _number in range(8):
        session = SessionFactory(conference=conference)
        segment = SegmentFactory(session=session)
        ContributionFactory.create_batch(6, session=session, segment=segment)
    side_event = SideEventFactory(conference=conference)
    MeetingFactory(session=side_event)
    return AdmissionFactory(session=side_event, capacity=places)


def person(number: int, admission: Admission) -> dict[str, str | list[str]]:
    """What one person types."""
    return {
        f"attend-{admission.session.slug}" if admission.session else "attend": str(admission.public_id),
        "given_name": "Grace",
        "family_name": f"Guest {number}",
        "email": f"visitor{number}@rush.example",
        "category": "civil_society",
        "time_zone": "Europe/Paris",
    }


def _measure_rush(running: House, admission: Admission, options: argparse.Namespace) -> None:
    from registration.models import Registration

    people = [person(number, admission) for number in range(options.people)]
    path = f"/en/{admission.conference.slug}/register/"
    web, database = running.cpu_seconds("web"), running.postgres_cpu_seconds()
    results, seconds = rush.run(running.url, path, people, connections=options.connections)
    web, database = running.cpu_seconds("web") - web, running.postgres_cpu_seconds() - database
    bad = [result for result in results if result.status != 303]
    p50, p95, p99 = rush.percentiles([result.seconds for result in results])
    _p50, loading, _p99 = rush.percentiles([result.loading for result in results])
    confirmed = Registration.objects.filter(admission=admission, status="confirmed").count()
    waiting = Registration.objects.filter(admission=admission, status="waitlisted").count()
    print(f"\nRush by form: {seconds:.1f} s, {len(results) / seconds:.0f} registrations/s, {len(bad)} errors")
    print(f"confirmed {confirmed}, waiting {waiting}")
    print(f"POST p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms; GET before it p95 {loading:.0f} ms")
    for result in bad[:3]:
        print(f"  {result}")
    programme.row("", "web ms", "PostgreSQL ms")
    programme.row(
        "form GET + POST, per registration", f"{web / len(people) * 1000:.2f}", f"{database / len(people) * 1000:.2f}"
    )
    _measure_post_alone(running, admission)


def _measure_post_alone(running: House, admission: Admission) -> None:
    """The POST without the GET of the form: forms are loaded first, then sent one after the other."""
    path = f"/en/{admission.conference.slug}/register/"
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    rounds = 200
    web = running.cpu_seconds("web")
    for _number in range(rounds):
        connection.request("GET", path)
        connection.getresponse().read()
    form = (running.cpu_seconds("web") - web) / rounds * 1000
    web = running.cpu_seconds("web")
    for number in range(rounds):
        rush.send_form(connection, path, person(100_000 + number, admission))
    both = (running.cpu_seconds("web") - web) / rounds * 1000
    programme.row("one connection: form GET", f"{form:.2f}")
    programme.row("one connection: form POST (both less GET)", f"{both - form:.2f}")


def _measure_raw(running: House, admission: Admission) -> None:
    """The least a guarded registration can be: one insert and the claim, from 8 threads."""
    import secrets

    from django.db import connection, transaction

    from accounts import actors
    from registration.models import Registration
    from registration.services import places
    from tests.factories import NOW, AdmissionFactory, ParticipantFactory

    target = AdmissionFactory(
        session=admission.session, conference=admission.conference, mode="in_person", capacity=10**6
    )
    participants = ParticipantFactory.create_batch(_ROUNDS_RAW, conference=admission.conference)
    lock = threading.Lock()

    def clerk() -> None:
        try:
            while True:
                with lock:
                    if not participants:
                        return
                    participant = participants.pop()
                with transaction.atomic():
                    registration = Registration(admission=target, participant=participant, created_at=NOW)
                    registration.join_hash = secrets.token_bytes(32)
                    registration.save(force_insert=True)
                    places.claim(
                        admission_ids=[target.pk], registration_ids=[registration.pk], by=actors.SYSTEM, now=NOW
                    )
        finally:
            connection.close()

    database, own, started = running.postgres_cpu_seconds(), time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=clerk) for _number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    own, database = time.process_time() - own, running.postgres_cpu_seconds() - database
    programme.row(
        f"raw guarded insert, per row ({_ROUNDS_RAW / seconds:.0f}/s)",
        f"{own / _ROUNDS_RAW * 1000:.2f}",
        f"{database / _ROUNDS_RAW * 1000:.2f}",
    )


def _count_statements(admission: Admission) -> None:
    """The SQL statements of one registration by form, in this process."""
    from django.db import connection
    from django.test import Client

    client = Client()
    path = f"/en/{admission.conference.slug}/register/"
    found: list[str] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found.append(sql)
        return execute(sql, params, many, context)

    for number in range(2):  # the second time the form's offers are known to the process, as in a rush
        body = client.get(path, HTTP_HOST="127.0.0.1").content.decode()
        token = rush.find_token(body)
        found.clear()
        wrapper: AbstractContextManager[None] = connection.execute_wrapper(count)
        with wrapper:
            answer = client.post(path, {**person(200_000 + number, admission), "token": token}, HTTP_HOST="127.0.0.1")
        assert answer.status_code == 303, answer.status_code
    print(f"\nSQL statements of one registration by form: {len(found)}, and BEGIN and COMMIT")


if __name__ == "__main__":
    main()
