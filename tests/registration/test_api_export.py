"""All registrations of a side event in one answer, in memory that does not grow with them."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from registration.api import delegations as token_api
from tests.bench import many
from tests.factories import AdmissionFactory, ConferenceFactory, RegistrationFactory, SideEventFactory
from tests.registration.tokens import Program, a_delegation, token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_minute")]


def test_rows_are_those_of_the_list_in_the_shape_that_was_asked_for() -> None:
    side_event = SideEventFactory()
    RegistrationFactory.create_batch(3, admission=AdmissionFactory(session=side_event))
    RegistrationFactory(admission=AdmissionFactory(conference=side_event.conference, session=SideEventFactory()))
    program = Program(token(side_event))

    answer = program.get("/registrations/export/?fields=name,status")

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Cache-Control"] == "no-store"
    listed = program.get("/registrations/?fields=name,status").json()["results"]
    assert sorted(map(json.loads, lines), key=lambda row: row["id"]) == sorted(listed, key=lambda row: row["id"])


def test_delegation_exports_nobody_while_it_has_no_members() -> None:
    answer = Program(token(a_delegation())).get("/registrations/export/")

    assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"")


def test_memory_is_that_of_a_portion_however_many_rows_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_api, "_AT_ONCE", 50)
    peaks = []
    for rows in (100, 1_000):
        conference = ConferenceFactory()
        side_event = SideEventFactory(conference=conference)
        AdmissionFactory(session=side_event)
        many._fill([conference], rows * 10 + 1, rows * 11)
        answer = Program(token(side_event)).get("/registrations/export/")
        tracemalloc.start()
        count = sum(part.count(b"\n") for part in answer.streaming_content)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == rows

    assert peaks[1] < peaks[0] * 1.3
