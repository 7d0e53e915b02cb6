"""The programme page of a large conference, beside a trivial Django view that returns a fixed page of the same size."""

from __future__ import annotations

import argparse
import http.client
import statistics
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests import rush
from tests.house import House

if TYPE_CHECKING:
    from events.models import Conference

SESSIONS = 300
CONTRIBUTIONS = 400
PARALLEL = 6  # sessions at the same hour
_ROUNDS_COLD = 10
LONGEST_OLD_VERSION = 0.55  # seconds a process may keep the number of the content (events.page_cache)


def row(what: str, *columns: str) -> None:
    """One line of the table."""
    print(f"{what:<46}" + "".join(f"{column:>16}" for column in columns))


def large_conference() -> Conference:
    """Ten days of parallel sessions with their speakers, published."""
    from datetime import timedelta

    from events.releases import publishing
    from tests.factories import (
        NOW,
        ConferenceDayFactory,
        ConferenceFactory,
        ContributionFactory,
        RoomFactory,
        SegmentFactory,
        SessionFactory,
    )

    conference: Conference = ConferenceFactory(slug="bench-large")
    rooms = RoomFactory.create_batch(PARALLEL, venue=conference.venue)
    days = [ConferenceDayFactory(conference=conference, number=number) for number in range(1, 11)]
    first = SessionFactory.build(conference=None, day=None).starts_at
    made = 0
    for number in range(SESSIONS):
        day, place = divmod(number, SESSIONS // len(days))
        hour, room = divmod(place, PARALLEL)
        starts_at = first + timedelta(days=day, hours=2 * hour)
        session = SessionFactory(
            conference=conference,
            day=days[day],
            room=rooms[room],
            position=place + 1,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=1),
            summary={"en": "What this session is about, in a sentence or two, as conferences print it."},
        )
        segment = SegmentFactory(session=session)
        for _seat in range((number + 1) * CONTRIBUTIONS // SESSIONS - made):
            ContributionFactory(session=session, segment=segment)
            made += 1
    publishing.publish(conference, by=None, now=NOW, check=False)
    return conference


def count_queries(conference: Conference) -> tuple[int, int]:
    """The statements of a cold and of a warm programme page, in this process."""
    from django.db import connection
    from django.test import Client

    from events import page_cache

    client = Client()
    counts: list[int] = []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        counts[-1] += 1
        return execute(sql, params, many, context)

    page_cache.forget()
    for _state in ("cold", "warm"):
        counts.append(0)
        with connection.execute_wrapper(count):
            answer = client.get(f"/en/{conference.slug}/programme/", HTTP_HOST="127.0.0.1")
        assert answer.status_code == 200, answer.status_code
        time.sleep(LONGEST_OLD_VERSION)  # so that the warm page has to ask for the number of the content again
    return counts[0], counts[1]


class Meter:
    """Asks the house for pages over one connection, and takes the processor time of each kind of page."""

    def __init__(self, running: House) -> None:
        self.running = running
        self.connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[http.client.HTTPResponse, bytes]:
        """One answer and its body."""
        self.connection.request("GET", path, headers=headers or {})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def cost(self, count: int, request: Callable[[], Any]) -> tuple[float, float, list[float]]:
        """Seconds of processor of web and database for so many requests, and the seconds of each by the clock."""
        seconds = []
        web, database = self.running.cpu_seconds("web"), self.running.postgres_cpu_seconds()
        for _number in range(count):
            started = time.perf_counter()
            request()
            seconds.append(time.perf_counter() - started)
        return self.running.cpu_seconds("web") - web, self.running.postgres_cpu_seconds() - database, seconds

    def compare(
        self, kinds: dict[str, Callable[[], Any]], count: int, *, rounds: int = 10
    ) -> list[tuple[float, float]]:
        """Print a line for each kind: web processor seconds and requests per second are returned.

        The kinds take turns in small rounds, so that a busy machine is busy for all of them alike.
        """
        row("", "web ms", "PostgreSQL ms", "requests/s", "p50 ms", "p95 ms", "p99 ms")
        for request in kinds.values():
            self.cost(50, request)
        found: dict[str, list[tuple[float, float, list[float]]]] = {name: [] for name in kinds}
        for _round in range(rounds):
            for name, request in kinds.items():
                found[name].append(self.cost(max(1, count // rounds), request))
        totals = []
        for name, results in found.items():
            seconds = [one for result in results for one in result[2]]
            web = sum(result[0] for result in results)
            totals.append((web / len(seconds), len(seconds) / sum(seconds)))
            print_cost(name, web, sum(result[1] for result in results), seconds)
        return totals


def print_ratio(what: str, trivial: tuple[float, float], ours: tuple[float, float]) -> None:
    """One line: how ours does beside the trivial one."""
    by_processor = trivial[0] / ours[0] if ours[0] else float("inf")
    print(f"{what}: {ours[1] / trivial[1]:.2f} of its requests/s, {by_processor:.2f} of its speed by CPU")


def measure(running: House, conference: Conference, options: argparse.Namespace) -> None:
    """Print the table of the programme page."""
    page = f"/en/{conference.slug}/programme/"
    meter = Meter(running)
    get = meter.get
    gzip = {"Accept-Encoding": "gzip"}
    answer, body = get(page)
    packed = len(get(page, gzip)[1])
    known = {"If-None-Match": answer.headers["ETag"] or ""}
    cold, warm = count_queries(conference)
    print(f"\nProgramme page of {SESSIONS} sessions and {CONTRIBUTIONS} contributions: {len(body) / 1000:.0f} kB,")
    print(f"{packed / 1000:.0f} kB as gzip; {cold} queries cold, {warm} warm")
    values = meter.compare(
        {
            "trivial static view of the same size": lambda: get(f"/bench/trivial/{len(body)}/"),
            "programme page, warm": lambda: get(page),
            f"trivial static view of {packed // 1000} kB": lambda: get(f"/bench/trivial/{packed}/"),
            "programme page, warm, gzip": lambda: get(page, gzip),
            "programme page, 304": lambda: get(page, known),
        },
        options.pages,
    )

    def forgotten() -> None:
        change(conference)
        get(page)

    print_cost("programme page, cold", *meter.cost(_ROUNDS_COLD, forgotten), without=LONGEST_OLD_VERSION)
    print_ratio("warm page whole against the trivial view", values[0], values[1])
    print_ratio("warm page as gzip against the trivial view", values[2], values[3])


def print_cost(name: str, web: float, database: float, seconds: list[float], *, without: float = 0.0) -> None:
    count = len(seconds)
    p50, p95, p99 = rush.percentiles([one - without for one in seconds])
    speed = 1 / statistics.mean(one - without for one in seconds)
    row(
        name, f"{web / count * 1000:.2f}", f"{database / count * 1000:.2f}", f"{speed:.0f}",
        f"{p50:.1f}", f"{p95:.1f}", f"{p99:.1f}",
    )  # fmt: skip


def change(conference: Conference) -> None:
    """Change what pages are made of, and wait until every process must have noticed."""
    if conference.venue is not None:
        type(conference.venue).objects.filter(pk=conference.venue.pk).update(address="Heldenplatz")
    time.sleep(LONGEST_OLD_VERSION)
