"""Public reads: so many a minute from one address, counted at next to no cost, and never more than a few queries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.module_loading import import_string

from alliance.api import cors, limits
from alliance.api.limits import Fast, Limit
from alliance.api.router import ROUTES
from tests.factories import (
    NOW,
    AdmissionFactory,
    ContributionFactory,
    ConvenorshipFactory,
    RegistrationFactory,
    SegmentFactory,
    SideEventFactory,
)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[Fast]:
    """Three a minute, counted apart from other tests, in a minute that does not end."""
    made = Fast(Limit("reads", 3), step=2)
    monkeypatch.setattr(cors, "READS", made)
    monkeypatch.setattr(limits, "_space", f"test-{uuid4()}")
    with time_machine.travel(NOW, tick=False):
        yield made


@pytest.mark.django_db
def test_answer_says_what_is_left_and_then_when_to_come_back(client: Client, reads: Fast) -> None:
    answers = [client.get("/api/v1/countries/?lang=fr") for _number in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit"].partition(";t=")[0] for answer in answers] == [
        f'"reads";r={left}' for left in (2, 1, 0, 0)
    ]
    last = answers[-1]
    assert last.headers["RateLimit-Policy"] == '"reads";q=3;w=60'
    assert 0 < int(last.headers["Retry-After"]) <= 60
    assert last.headers["Content-Type"] == "application/problem+json"
    assert last.json()["title"] == "Trop de requêtes"
    assert "RateLimit" in last.headers["Access-Control-Expose-Headers"]
    assert last.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.django_db
def test_kept_pages_and_304_count_too(client: Client, reads: Fast) -> None:
    etag = client.get("/api/v1/countries/").headers["ETag"]
    again = [client.get("/api/v1/countries/", headers={"If-None-Match": etag}) for _number in range(3)]

    assert [answer.status_code for answer in again] == [304, 304, 429]
    assert again[0].headers["RateLimit"].startswith('"reads";r=1;')


@pytest.mark.django_db
def test_other_address_has_its_own_count_behind_our_proxy(client: Client, reads: Fast, settings: Any) -> None:
    settings.BEHIND_PROXY = True
    for _number in range(4):
        client.get("/api/v1/countries/", headers={"X-Forwarded-For": "6.6.6.6, 203.0.113.7"})

    answers = [
        client.get("/api/v1/countries/", headers={"X-Forwarded-For": f"9.9.9.9, 203.0.113.{last}"}).status_code
        for last in (7, 8)
    ]

    assert answers == [429, 200]


def test_processes_count_together_at_every_step(reads: Fast) -> None:
    other = Fast(reads.limit, step=2)
    for _number in range(2):
        other.count("somebody")

    assert [reads.count("somebody").used for _number in range(2)] == [1, 4]


def test_cache_is_asked_at_every_25th_request_only(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = Fast(Limit("reads", 10**9))
    asked: list[int] = []

    def counted(key: str, step: int, seconds: int) -> int:
        asked.append(step)
        return sum(asked)

    monkeypatch.setattr(limits, "_counted", counted)

    with time_machine.travel(NOW, tick=False):
        for _number in range(1000):
            fast.count("somebody")

    assert asked == [25] * 40


@pytest.mark.django_db
@pytest.mark.parametrize("resource", [name for name, _view in ROUTES])
def test_page_has_bounds_and_nothing_is_expanded_without_end(client: Client, resource: str) -> None:
    for query in ("page_size=201", "page_size=0", "expand=conference.conference.conference", "fields=" + "id," * 600):
        assert client.get(f"/api/v1/{resource}/?{query}").status_code == 400, query


BUDGET = 16  # statements of one list, whatever is expanded


@pytest.mark.django_db
@pytest.mark.parametrize(("resource", "view"), ROUTES)
def test_list_with_everything_expanded_stays_within_its_budget(client: Client, resource: str, view: str) -> None:
    session = SideEventFactory()
    ContributionFactory.create_batch(3, session=session, segment=SegmentFactory(session=session))
    ConvenorshipFactory(session=session)
    RegistrationFactory(admission=AdmissionFactory(session=session))
    expansions = sorted(import_string(view).expansions)
    query = f"?expand={','.join(expansions)}" if expansions else ""

    with CaptureQueriesContext(connection) as found:
        answer = client.get(f"/api/v1/{resource}/{query}")

    assert answer.status_code == 200, answer.content
    assert len(found) <= BUDGET, [one["sql"][:150] for one in found]
