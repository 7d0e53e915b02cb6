"""How feeds and data are handed out: ETag and 304, HEAD, gzip, and the same bytes for the same content."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from django.db import connection
from django.template.base import Template
from django.test import Client

from events import page_cache
from events.models import Convenorship, Segment, Session
from events.releases import publishing
from speakers.models import Contribution
from tests import services
from tests.factories import (
    NOW,
    ContributionFactory,
    ConvenorshipFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
)

ROOT = Path(__file__).resolve().parents[2]
FEEDS = ["programme.ics", "programme.xml", "programme.json", "changes.atom"]

# Asks for feeds in a process of its own and prints a digest of each; the pages come with it for their data blocks.
ELSEWHERE = """
import hashlib, os, sys
import time_machine
time_machine.travel(os.environ["AT"], tick=True).start()
import django
django.setup()
from django.test import Client
for path in sys.argv[1:]:
    answer = Client().get(path, HTTP_HOST="localhost")
    assert answer.status_code == 200, (path, answer.status_code)
    print(hashlib.sha256(answer.content).hexdigest(), answer.headers["ETag"])
"""


def programme() -> Session:
    """A programme with several rows of each kind."""
    first: Session = SideEventFactory(conference__slug="summit")
    conference = first.conference
    room = RoomFactory(venue=conference.venue)
    SessionFactory(conference=conference, room=room)
    for session in (
        first,
        SessionFactory(conference=conference, position=1),
        SessionFactory(conference=conference, position=1),
    ):
        segments = SegmentFactory.create_batch(2, session=session)
        ContributionFactory.create_batch(2, session=session, segment=segments[0])
        ContributionFactory.create_batch(2, session=session)
        ConvenorshipFactory.create_batch(2, session=session)
    publishing.publish(conference, by=None, now=NOW, check=False)
    Session.objects.filter(pk=first.pk).update(title={"en": "Another title"})
    publishing.publish(conference, by=None, now=NOW + timedelta(days=1), check=False)
    return first


def addresses(session: Session, language: str = "en") -> list[str]:
    """Every feed, and the pages that carry data."""
    below = f"/{language}/summit"
    return [
        *(f"{below}/{name}" for name in FEEDS),
        f"{below}/sessions/{session.slug}.ics",
        f"{below}/",
        f"{below}/changes/",
    ]


@pytest.mark.django_db
def test_every_feed_answers_as_the_standard_has_it(client: Client, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    for path in addresses(programme()):
        page_cache.forget()
        first_head = client.head(path)
        plain = client.get(path)
        head = client.head(path)
        zipped = client.get(path, headers={"Accept-Encoding": "gzip, br"})
        etag, changed = plain.headers["ETag"], plain.headers["Last-Modified"]

        assert plain.headers["Cache-Control"] == "public, no-cache", path
        assert plain.headers["Vary"] == "Accept-Encoding", path
        for answer in (first_head, head):
            assert answer.content == b"", path
            for name in ("ETag", "Last-Modified", "Content-Type", "Content-Length", "Cache-Control", "Vary"):
                assert answer.headers[name] == plain.headers[name], (path, name)
        assert gzip.decompress(zipped.content) == plain.content, path
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert int(plain.headers["Content-Length"]) == len(plain.content)
        for known in (
            {"If-None-Match": etag},
            {"If-None-Match": f'"other", W/{etag}'},
            {"If-None-Match": "*"},
            {"If-Modified-Since": changed},
        ):
            answer = client.get(path, headers=known)
            assert (answer.status_code, answer.content) == (304, b""), (path, known)
            assert answer.headers["ETag"] == etag
            assert answer.headers["Cache-Control"] == "public, no-cache"
        assert client.get(path, headers={"If-None-Match": '"other"', "If-Modified-Since": changed}).status_code == 200
        assert client.post(path).status_code == 405, path


@pytest.mark.django_db
def test_reader_who_has_it_costs_neither_template_nor_query(client: Client, django_assert_num_queries: Any) -> None:
    for path in [*addresses(programme()), "/en/summit/programme/"]:
        etag = client.get(path).headers["ETag"]
        with django_assert_num_queries(0), mock.patch.object(Template, "render", side_effect=AssertionError(path)):
            assert client.get(path, headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.django_db(transaction=True)  # the content has one number for a whole transaction
def test_change_is_another_etag(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    session = programme()
    before = {path: client.get(path).headers["ETag"] for path in addresses(session)}
    Session.objects.filter(pk=session.pk).update(title={"en": "A third title"})
    publishing.publish(session.conference, by=None, now=NOW + timedelta(days=2), check=False)
    monkeypatch.setattr(page_cache, "_VERSION_SECONDS", -1.0)

    for path, etag in before.items():
        answer = client.get(path, headers={"If-None-Match": etag})
        assert answer.status_code == 200, path
        assert answer.headers["ETag"] != etag


@pytest.mark.django_db
def test_order_of_rows_in_the_tables_does_not_show(client: Client) -> None:
    paths = addresses(programme())
    before = {path: client.get(path).content for path in paths}

    # PostgreSQL writes a changed row to another place, and reads without ORDER BY what comes first.
    for model in (Session, Contribution, Segment, Convenorship):
        for row in model._default_manager.order_by("-pk"):
            model._default_manager.filter(pk=row.pk).update(position=row.position)
    with connection.cursor() as cursor:
        for table in ("events_session", "speakers_contribution", "events_segment", "events_convenorship"):
            cursor.execute(f"UPDATE released.{table} SET id = id")
    page_cache.forget()

    assert {path: client.get(path).content for path in paths} == before


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_two_dates_give_the_same_bytes() -> None:
    """Processes differ in what they made before, in the seed of their hashes, and in their clocks."""
    paths = addresses(programme())
    found = []
    for seed, at in (("1", "2030-07-02T09:00:00+00:00"), ("77", "2030-07-04T23:59:00+00:00")):
        environment = {**os.environ, "DATABASE_URL": services.database_url(), "PYTHONHASHSEED": seed, "AT": at}
        environment |= {"ALLOWED_HOSTS": "localhost", "DJANGO_SETTINGS_MODULE": "alliance.settings"}
        command = [sys.executable, "-c", ELSEWHERE, *(paths if seed == "1" else reversed(paths))]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        lines = done.stdout.split("\n")[: len(paths)]
        found.append(lines if seed == "1" else lines[::-1])

    assert found[0] == found[1]
    assert len(set(found[0])) == len(paths)
    assert all(len(line.split()[0]) == len(hashlib.sha256().hexdigest()) for line in found[0])
