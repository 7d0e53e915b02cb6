"""Ten thousand registrations in one answer: what the web server's memory does meanwhile, and what Python allocates."""

from __future__ import annotations

import http.client
import time
import tracemalloc
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.bench import many, programme
from tests.house import House

if TYPE_CHECKING:
    from events.models import Session

_ROWS = (1_000, 10_000)
_PATH = "/api/v1/registrations/export/"


def measure(running: House) -> None:
    """Print the table."""
    from django.utils import timezone

    from tests.registration.tokens import token

    print("\nExport of all registrations of a side event, a JSON object a line")
    programme.row("rows", "kB", "seconds", "web most MB", "Python peak kB")
    first = 5_000_000  # beyond the numbers of the other measurements
    for rows in _ROWS:
        side_event = _side_event(rows, first)
        first += rows
        now = timezone.now()
        secret = token(side_event, now=now, expires_at=now + timedelta(days=1))
        size, seconds = _read(running, secret)
        memory = running.most_memory("web") / 1e6
        programme.row(
            f"{rows:,}", f"{size / 1000:.0f}", f"{seconds:.1f}", f"{memory:.0f}", f"{_peak(secret, rows):.0f}"
        )


def _side_event(rows: int, first: int) -> Session:
    from tests.factories import AdmissionFactory, ConferenceFactory, SideEventFactory

    conference = ConferenceFactory()
    made: Session = SideEventFactory(conference=conference)
    AdmissionFactory(session=made)
    many._fill([conference], first, first + rows - 1)
    return made


def _read(running: House, secret: str) -> tuple[int, float]:
    """Bytes and seconds of the answer over the wire."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=120)
    started = time.perf_counter()
    connection.request("GET", _PATH, headers={"Authorization": f"Bearer {secret}"})
    answer = connection.getresponse()
    if answer.status != 200:
        raise RuntimeError(f"the API answers {answer.status}")
    size = 0
    while part := answer.read(65_536):
        size += len(part)
    return size, time.perf_counter() - started


def _peak(secret: str, rows: int) -> float:
    """What Python has allocated at most while it writes the same answer in this process, in kB."""
    from django.test import Client

    headers = {"Authorization": f"Bearer {secret}", "Host": "127.0.0.1"}
    answer: Any = Client().get(_PATH, headers=headers)
    tracemalloc.start()
    count = sum(part.count(b"\n") for part in answer.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    if count != rows:
        raise RuntimeError(f"{count} rows instead of {rows}")
    return peak / 1000
