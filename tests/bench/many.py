"""A registration beside a million others, the admin's lists over them, and how long a registration holds its lock."""

from __future__ import annotations

import argparse
import http.client
import logging
import statistics
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from tests import rush
from tests.bench import programme
from tests.house import House

if TYPE_CHECKING:
    from events.models import Conference
    from registration.models import Admission

_FEW = 1_000
_CONFERENCES = 5  # over which the rows are spread
_ROUNDS = 400
_CLERKS = 4  # threads that register while the time under the lock is taken

# Triggers would count a million rows one by one; the counters are set in one statement afterwards.
_FILL = """
SET statement_timeout = 0;
SET session_replication_role = replica;
INSERT INTO registration_participant (
    public_id, conference_id, display_name, has_alias, email_index, sealed_identity, language, time_zone, category,
    country_id, organisation_text, function, interpretation_language, accessibility_needs, link_version, link_hash,
    created_at, updated_at, delegation_capacity
)
SELECT gen_random_uuid(), (%(conferences)s::bigint[])[1 + n %% cardinality(%(conferences)s::bigint[])],
    'Guest ' || n, false, sha256(('e' || n)::bytea), sha256(('s' || n)::bytea), 'en', '',
    (ARRAY['civil_society', 'delegation', 'academia', 'media'])[1 + n %% 4],
    %(country)s, 'An organisation', '', '', '', 1, sha256(('l' || n)::bytea),
    now() - n * interval '1 second', now(), ''
FROM generate_series(%(first)s, %(last)s) AS n;
INSERT INTO registration_registration (
    public_id, admission_id, participant_id, status, position, version, reason, created_at, decided_at,
    decided_by_kind, join_version, join_hash
)
SELECT gen_random_uuid(), admission.id, participant.id, status.name,
    CASE WHEN status.name = 'waitlisted' THEN participant.id END, 1, '', participant.created_at,
    participant.created_at, 'system', 1, sha256(('j' || admission.id || '.' || participant.id)::bytea)
FROM registration_participant participant
JOIN registration_admission admission ON admission.conference_id = participant.conference_id
CROSS JOIN LATERAL (
    SELECT CASE WHEN admission.session_id IS NULL AND participant.id %% 4 = 0 THEN 'waitlisted' ELSE 'confirmed' END
        AS name
) status
WHERE participant.link_hash IN (SELECT sha256(('l' || n)::bytea) FROM generate_series(%(first)s, %(last)s) AS n);
UPDATE registration_places places
SET taken = counted.taken, waiting = counted.waiting, next_position = counted.behind + 1
FROM (
    SELECT admission_id, count(*) FILTER (WHERE status = 'confirmed') AS taken,
        count(*) FILTER (WHERE status = 'waitlisted') AS waiting, coalesce(max(position), 0) AS behind
    FROM registration_registration GROUP BY admission_id
) counted WHERE counted.admission_id = places.admission_id;
SET session_replication_role = origin;
"""


def measure(running: House, options: argparse.Namespace) -> None:
    """Print the tables. options: rows, how many registrations there are in the end."""
    from django.db import connection

    conferences, target = _conferences()
    _fill(conferences, 1, _FEW)
    _one(running, target, range(100))
    print(f"\nOne registration by form, web and PostgreSQL together, beside {_FEW:,} and {options.rows:,} others")
    few = _one(running, target, range(100, 100 + _ROUNDS))
    started = time.perf_counter()
    _fill(conferences, _FEW + 1, options.rows)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT count(*) FROM registration_registration")
        there = cursor.fetchone()
    print(f"(filled to {there[0] if there else 0:,} in {time.perf_counter() - started:.0f} s)")
    _one(running, target, range(1_000, 1_100))
    many = _one(running, target, range(1_100, 1_100 + _ROUNDS))
    programme.row("", "processor ms", "median ms")
    programme.row(f"beside {_FEW:,}", f"{few[0]:.2f}", f"{few[1]:.2f}")
    programme.row(f"beside {options.rows:,}", f"{many[0]:.2f}", f"{many[1]:.2f}")
    programme.row("ratio (aim: at most 1.2)", f"{many[0] / few[0]:.2f}", f"{many[1] / few[1]:.2f}")
    _lists(conferences[0])
    _under_the_lock(target)


def _conferences() -> tuple[list[Conference], Admission]:
    """Conferences with an admission each that holds the many, and an admission of its own to register for."""
    from tests.factories import AdmissionFactory, ConferenceFactory, SideEventFactory

    made: list[Conference] = []
    for number in range(_CONFERENCES):
        conference: Conference = ConferenceFactory(slug=f"bench-many-{number}")
        AdmissionFactory(conference=conference, session=None, capacity=None)
        made.append(conference)
    # The admission that people come to is crowded itself: it gets its share of the rows, all confirmed.
    target: Admission = AdmissionFactory(session=SideEventFactory(conference=made[0]), capacity=None)
    return made, target


def _fill(conferences: Iterable[Any], first: int, last: int) -> None:
    from django.db import connection

    from events.models import Country

    values = {
        "conferences": [conference.pk for conference in conferences],
        "country": Country.objects.values_list("pk", flat=True).first(),
        "first": first,
        "last": last,
    }
    with connection.cursor() as cursor:
        for statement in filter(str.strip, _FILL.split(";\n")):
            used = {name: value for name, value in values.items() if f"%({name})s" in statement}
            cursor.execute(statement.replace("%%", "%") if not used else statement, used or None)


def _one(running: House, target: Admission, numbers: Iterable[int]) -> tuple[float, float]:
    """Milliseconds of processor of web and database per registration, and the median by the clock of GET and POST."""
    from tests.bench.__main__ import person

    path = f"/en/{target.conference.slug}/register/"
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
    spent = running.cpu_seconds("web") + running.postgres_cpu_seconds()
    times = []
    for number in numbers:
        fields = person(500_000 + number, target)
        status, sending, loading, _location = rush.send_form(connection, path, fields)
        if status != 303:
            raise RuntimeError(f"the form answers {status}")
        times.append(sending + loading)
    spent = running.cpu_seconds("web") + running.postgres_cpu_seconds() - spent
    connection.close()
    return spent / len(times) * 1000, statistics.median(times) * 1000


def _lists(conference: Conference) -> None:
    """The lists of the admin, opened as an administrator and as an organiser of one conference."""
    from django.test import Client

    from accounts.models import Role
    from tests.factories import UserFactory

    logging.disable(logging.INFO)  # a line per request would stand between the rows of the table
    organiser = UserFactory(is_staff=True)
    Role.objects.create(user=organiser, kind="organiser", conference=conference)
    people = {"administrator": UserFactory(is_staff=True, is_superuser=True), "organiser": organiser}
    list_url = "/admin/registration/registration/"
    pages = {
        "registrations": list_url,
        "registrations, waiting": f"{list_url}?status__exact=waitlisted",
        "registrations of one conference": f"{list_url}?admission__conference__id__exact={conference.pk}",
        "registrations, a name": f"{list_url}?q=Guest+4711",
        "registrations, page 100": f"{list_url}?p=100",
        "start page": f"/admin/events/conference/{conference.pk}/start/",
        "search, a name": "/admin/search/?q=Guest+4711",
        "participants": "/admin/registration/participant/",
        "participants, a name": "/admin/registration/participant/?q=Guest+4711",
    }
    print("\nLists of the admin (aim: under a second, the same number of statements for any number of rows)")
    programme.row("", "statements", "ms by clock")
    for who, user in people.items():
        client = Client()
        client.force_login(user)
        client.get("/admin/", HTTP_HOST="127.0.0.1")
        for what, url in pages.items():
            statements, seconds = _counted(partial(client.get, url, HTTP_HOST="127.0.0.1"))
            programme.row(f"{what} ({who})"[:45], str(statements), f"{seconds * 1000:.0f}")


def _counted(act: Callable[[], Any]) -> tuple[int, float]:
    """The statements of an answer, and the better of two times in seconds."""
    from django.db import connection

    best = 0.0
    found: list[str] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        found.append(sql)
        return execute(sql, params, many, context)

    for _number in range(2):
        found.clear()
        started = time.perf_counter()
        with connection.execute_wrapper(count):
            answer = act()
        if answer.status_code != 200:
            raise RuntimeError(f"the list answers {answer.status_code}")
        best = min(best or 60.0, time.perf_counter() - started)
    return len(found), best


def _under_the_lock(target: Admission) -> None:
    """From the end of the claim, which takes the lock, to the end of the commit, which gives it back."""
    from django.db import connection, transaction
    from django.utils import timezone

    from registration import forms, selectors, services
    from registration.services import places

    held: list[float] = []
    claim = places.claim

    def timed(**values: Any) -> Any:
        # The lock is taken somewhere inside the statement: its whole time counts, waiting for others left out below.
        outcome = claim(**values)
        taken = time.perf_counter()
        transaction.on_commit(lambda: held.append(time.perf_counter() - taken))
        return outcome

    offered = selectors.offers(target.conference.slug)
    if offered is None:
        raise RuntimeError("nothing on offer")
    chosen = [a for thing in offered.things for a in thing.admissions if a.pk == target.pk]

    def clerk(number: int) -> None:
        try:
            for one in range(100):
                applicant = services.Applicant(
                    given_name="Grace",
                    family_name="Guest",
                    email=f"lock{number}.{one}@rush.example",
                    language="en",
                    category="civil_society",
                )
                services.register(
                    conference=offered.conference,
                    admissions=chosen,
                    applicant=applicant,
                    form_token=forms.new_token(),
                    now=timezone.now(),
                )
        finally:
            connection.close()

    places.claim = timed
    try:
        threads = [threading.Thread(target=clerk, args=[number]) for number in range(_CLERKS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        places.claim = claim
    p50, p95, p99 = rush.percentiles(held)
    print(f"\nFrom the claim to the end of the commit, {_CLERKS} at a time (aim: p50 under 5 ms)")
    print(f"p50 {p50:.2f} ms, p95 {p95:.2f} ms, p99 {p99:.2f} ms")
