"""Canaries: names of people who must not be found are planted, and every way out of the house is searched for them.

Every word of somebody under an alias, or taken down, begins with "qvx"; the same words of people who may be named begin
with "wqz". The search of a channel counts only because it finds the latter there: CONTROLS says where they stand, and
test_the_search_finds_what_is_planted plants one in every kind of container.
"""

from __future__ import annotations

import base64
import io
import logging
import tempfile
import zipfile
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation

from events import page_cache
from tests.privacy.left_behind import in_redis, in_sessions, in_tables, in_the_databases_log, on_disk
from tests.privacy.searching import OPEN, SECRET, found
from tests.privacy.ways_out import (
    answered,
    as_logged,
    by_people,
    certificates,
    crawl,
    exports,
    letters,
    on_paper,
    programs,
    trouble,
)
from tests.privacy.world import World
from tests.registration import at_rest

# What only its owner may see; the others stand in the database and in the admin, where organisers work with them.
SEALED = ("qvxalias", "qvxhidden", "qvxcanary", "qvxneeds", "qvxsupport")
# Channels in which somebody who may be named must be found by the very search that finds no canary.
CONTROLS = {
    "pages", "feeds", "documents", "page cache", "api", "api of a delegation", "page of a delegation", "list",
    "badges", "convenor", "mails", "calendars in mails", "files", "admin", "exports", "certificates", "jobs", "audit",
    "history", "sessions", "broker", "cache", "temporary files", "database's log", "logs",
}  # fmt: skip


@pytest.mark.parametrize(
    "planted",
    [
        "Qvxname",
        "%51vxname",
        "&#81;vxname",
        base64.b64encode(b"She is Qvxname, they say").decode(),
        "BEGIN:VCALENDAR\r\nSUMMARY:Qv\r\n xname",
        "Content-Transfer-Encoding: quoted-printable\n\nQv=\nxname",
    ],
)
def test_the_search_finds_what_is_planted(planted: str) -> None:
    assert found(planted, SECRET) == {"qvxname"}
    assert found(planted.encode(), SECRET) == {"qvxname"}


def test_the_search_finds_what_is_planted_in_a_packed_file() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", "<w:t>Qvx</w:t><w:t>name</w:t>")

    assert "qvxname" in found(packed.getvalue(), SECRET)


def test_no_canary_leaves_the_house(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = list(crawl(Client(), "/en/", "/sitemap.xml", "/en/summit/programme.ics", "/en/summit/changes.atom"))
    said += [answered("pages", path, Client().get(path)) for path in world.paths]
    kept = [
        (path, page.body)
        for memory in (page_cache._plain, page_cache._with_query)
        for path, page in memory.pages.items()
    ]
    said += [("page cache", path, body) for path, body in kept]
    with translation.override("en"):
        said += [*programs(world), *exports(world), *by_people(world), *on_paper(world), *letters()]
    said += [*in_tables(), *in_sessions(), *in_redis(), *in_the_databases_log(world.alias)]
    logging.getLogger("alliance.canary").debug("Wqzlogged")
    said += trouble(monkeypatch)
    records = "\n".join(as_logged(record) for record in caplog.records)
    said += [("logs", "debug", records.encode())]
    assert "route" in records
    said += on_disk(tmp_path)
    said += certificates(world)

    leaks = {(channel, where): words for channel, where, what in said if (words := _secret(channel, where, what))}
    assert leaks == {}
    assert {channel for channel, _where, what in said if found(what, OPEN)} >= CONTROLS
    assert {Client().get(path).status_code for path in world.paths} == {404}

    markup = [(channel, where, what) for channel, where, what in said if b"Content-Type: text/html" in what[:2000]]
    assert [where for _channel, where, what in markup if b"<b onx" in what or b"49Wqz" in what] == []
    shown = {channel for channel, _where, what in markup if b"&lt;b onx" in what}
    assert shown == {"pages", "page of a delegation", "convenor", "admin"}

    kept_at_rest = at_rest.everything()  # what a backup is made of
    assert [word for word in SEALED if at_rest.holds(kept_at_rest, word)] == []
    assert at_rest.holds(kept_at_rest, "wqztitle")


def _secret(channel: str, where: str, what: bytes) -> set[str]:
    """The canaries in an answer but for those in its own address: a list repeats the question, a 404 the path."""
    words = found(what, SECRET) - found(where, SECRET)
    return words & set(SEALED) if channel == "admin" else words
