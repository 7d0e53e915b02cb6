"""A rush on the registration form over real HTTP: many people, so many at a time, each with a browser of their own.

A person's connection is new, and kept from the form to its answer. Were it handed on to the next person, it would stay
with the web process that took it: of 50 connections one process would then serve all, or some, as chance had it.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

_TOKEN = re.compile(r'name="token" value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Result:
    """What one person met. status: of the POST; seconds: until its answer; loading: until the form was there before."""

    email: str
    status: int
    seconds: float
    loading: float
    location: str
    error: str = ""
    before: tuple[int, ...] = ()  # the answers to earlier tries; 0 where there was none


class FormRefused(RuntimeError):
    """The page with the form was not given."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the form answers {status}")
        self.status = status


def find_token(page: str) -> str:
    """The one-time token in the form. Raises RuntimeError when there is none."""
    if (found := _TOKEN.search(page)) is None:
        raise RuntimeError("the page holds no form")
    return found[1]


def send_form(
    connection: http.client.HTTPConnection, path: str, fields: dict[str, str | list[str]]
) -> tuple[int, float, float, str]:
    """Load the form, fill it in and send it: status and seconds of the POST, seconds of the GET, Location."""
    started = time.perf_counter()
    connection.request("GET", path)
    page = connection.getresponse()
    body = page.read().decode()
    if page.status != 200:
        raise FormRefused(page.status)
    loading = time.perf_counter() - started
    content = urlencode({**fields, "token": find_token(body)}, doseq=True)
    started = time.perf_counter()
    connection.request("POST", path, content, {"Content-Type": "application/x-www-form-urlencoded"})
    answer = connection.getresponse()
    answer.read()
    return answer.status, time.perf_counter() - started, loading, answer.headers.get("Location", "")


def run(
    url: str, path: str, people: Sequence[dict[str, str | list[str]]], *, connections: int, tries: int = 1
) -> tuple[list[Result], float]:
    """Send everybody's form, over a number of connections at once. Returns the results and the seconds it took.

    Closed loop: as soon as one person has their answer, the next one opens the form.
    tries: how often a person sends the form again after an error of the connection or a 5xx, as people do.
    """
    host = urlsplit(url).netloc
    queue = list(people)
    results: list[Result] = []
    lock = threading.Lock()
    gate = threading.Barrier(connections + 1)

    def clerk() -> None:
        connection = http.client.HTTPConnection(host, timeout=60)
        gate.wait(30)
        while True:
            with lock:
                if not queue:
                    break
                person = queue.pop(0)
            result = Result(str(person["email"]), 0, 0.0, 0.0, "", "not tried")
            before: tuple[int, ...] = ()
            for attempt in range(tries):
                before += (result.status,) if attempt else ()
                try:
                    result = Result(str(person["email"]), *send_form(connection, path, person), before=before)
                    if result.status < 500:
                        break
                except FormRefused as error:
                    result = Result(str(person["email"]), error.status, 0.0, 0.0, "", repr(error), before)
                    connection.close()
                except (OSError, http.client.HTTPException, RuntimeError) as error:
                    result = Result(str(person["email"]), 0, 0.0, 0.0, "", repr(error), before)
                    connection.close()
            connection.close()
            with lock:
                results.append(result)

    threads = [threading.Thread(target=clerk) for _number in range(connections)]
    for thread in threads:
        thread.start()
    gate.wait(30)
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return results, time.perf_counter() - started


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 in milliseconds."""
    ordered = sorted(seconds) or [0.0]
    p50, p95, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 for share in (0.5, 0.95, 0.99))
    return p50, p95, p99
