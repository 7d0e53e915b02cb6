"""A mistyped year is refused by the database, so that no page has to reckon near the ends of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError
from django.db import IntegrityError, connection
from django.test import Client
from django.utils.timezone import make_aware

from events import agenda
from events.models import Conference, ConferenceDay, Segment, Session
from tests.factories import ConferenceDayFactory, ConferenceFactory, SegmentFactory, SessionFactory

pytestmark = pytest.mark.django_db

OLD, NEW = datetime(203, 7, 15, 9, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("model", "factory", "values", "name"),
    [
        (Conference, ConferenceFactory, {"starts_on": date(203, 7, 15)}, "conference_dates_are_near"),
        (Conference, ConferenceFactory, {"ends_on": date(9999, 12, 31)}, "conference_dates_are_near"),
        (ConferenceDay, ConferenceDayFactory, {"date": date(9999, 12, 31)}, "conference_day_is_near"),
        (Session, SessionFactory, {"starts_at": OLD, "ends_at": make_aware(datetime(2030, 1, 1))}, "session_times"),
        (Session, SessionFactory, {"starts_at": make_aware(datetime(2030, 1, 1)), "ends_at": NEW}, "session_times"),
        (Segment, SegmentFactory, {"starts_at": OLD, "ends_at": make_aware(datetime(2030, 1, 1))}, "segment_times"),
    ],
)
def test_years_far_away_are_refused(model: Any, factory: Any, values: dict[str, Any], name: str) -> None:
    row = factory()

    with pytest.raises(IntegrityError, match=name):
        model.objects.filter(pk=row.pk).update(**values)


def test_migration_names_the_rows_to_correct() -> None:
    """The constraint alone says its name and no row."""
    look = import_module("events.migrations.0013_dates_are_near").look
    look(apps, None)
    with connection.cursor() as cursor:
        for table, name in (("conference", "conference_dates_are_near"), ("session", "session_times_are_near")):
            cursor.execute(f"ALTER TABLE events_{table} DROP CONSTRAINT {name}")
    session = SessionFactory(starts_at=datetime(2030, 1, 1, tzinfo=UTC), ends_at=NEW)
    Conference.objects.filter(pk=session.conference_id).update(starts_on=date(203, 7, 15))

    with pytest.raises(CommandError) as refused:
        look(apps, None)

    assert str(refused.value).endswith(f"events_conference {session.conference_id}, events_session {session.pk}.")


def test_what_was_long_ago_can_be_picked(client: Client) -> None:
    session = SessionFactory(
        conference__slug="summit",
        starts_at=datetime(1950, 6, 1, 9, tzinfo=UTC),
        ends_at=datetime(1950, 6, 1, 10, tzinfo=UTC),
    )
    answer = client.post(
        "/en/summit/agenda/", {"add": str(session.public_id)}, headers={"Sec-Fetch-Site": "same-origin"}
    )

    assert answer.status_code == 303
    assert agenda.with_pick([], session)[0].seen == session.starts_at
