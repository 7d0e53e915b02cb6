"""Publishing beside editors: it waits for them, and looking changes nothing."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from events.models import (
    ConferenceDay,
    ReleasedRow,
    Session,
)
from events.releases import publishing
from tests.events.releases.rows import publish
from tests.factories import (
    SessionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_publishing_waits_for_an_editor_and_never_against_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The editor writes the tables in another order than publishing locks them."""
    panel = SessionFactory()
    publish(panel.conference)
    trouble: list[Exception] = []
    has_begun, was_refused = threading.Event(), threading.Event()
    rest = time.sleep

    def refused(seconds: float) -> None:
        was_refused.set()
        rest(seconds)

    monkeypatch.setattr("events.releases.publishing.time.sleep", refused)

    def edit() -> None:
        try:
            with transaction.atomic():
                Session.objects.filter(pk=panel.pk).update(title={"en": "Second title"})
                has_begun.set()
                assert was_refused.wait(10), "publishing did not wait"
                ConferenceDay.objects.filter(pk=panel.day_id).update(label_printed="First day")
        except DatabaseError as error:
            trouble.append(error)
        finally:
            connection.close()

    editor = threading.Thread(target=edit)
    editor.start()
    has_begun.wait()
    release = publish(panel.conference)
    editor.join()

    assert trouble == []
    data = release.rows.get(table="events_conferenceday").data
    assert data["label_printed"] == "First day"


def test_looking_at_what_would_change_writes_nothing(panel: Session, django_capture_on_commit_callbacks: Any) -> None:
    first = publish(panel.conference)
    Session.objects.update(title={"en": "Second title"}, starts_at=F("starts_at") - timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM events_release_id_seq")
        before = cursor.fetchone()
    writes: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        writes.extend([sql] if sql.lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE")) else [])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        assert publishing.unpublished_changes(panel.conference)
        assert publishing.changes_by_restoring(first).has_any
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM events_release_id_seq")
        assert cursor.fetchone() == before
    assert writes == []
    assert ReleasedRow.objects.filter(release__number__gt=1).count() == 0
