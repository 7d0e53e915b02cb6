"""Releases as tests make and read them."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.test import Client

from events import page_cache
from events.models import Conference, Release, Session
from events.releases import publishing
from registration import selectors
from tests.factories import NOW


def publish(conference: Conference, **more: Any) -> Release:
    """Publish without asking the checks: rows of factories are not complete."""
    return publishing.publish(conference, by=None, now=NOW, check=False, **more)


def read(client: Client, path: str) -> Any:
    """The answer as another process, which keeps no page yet, would give it."""
    page_cache.forget()
    selectors.forget()
    return client.get(path)


PUBLIC = [
    "/en/summit/",
    "/en/summit/programme/",
    "/en/summit/sessions/panel/",
    "/en/summit/programme.ics",
    "/en/summit/programme.json",
    "/en/summit/programme.xml",
    "/en/summit/search/?q=title",
    "/api/v1/sessions/",
]


def title(panel: Session) -> str:
    return str(Session.objects.values_list("title", flat=True).get(pk=panel.pk))


def everything_kept() -> str:
    """All rows of all releases, and all that is published, as one text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(string_agg(data::text, ''), '') FROM events_releasedrow")
        texts = [cursor.fetchone()[0]]
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'released'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM released.{table} t")
            texts.append(cursor.fetchone()[0])
        cursor.execute("SELECT coalesce(string_agg(changes::text, ''), '') FROM events_release")
        return "".join([*texts, cursor.fetchone()[0]])
