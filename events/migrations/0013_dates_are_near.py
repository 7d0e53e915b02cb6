"""No dates before 1900 or after 2199. Rows that have some are named: the constraint alone would only say its name."""

import datetime
from typing import Any

from django.core.management.base import CommandError
from django.db import migrations, models
from django.db.models import Q

FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2199, 12, 31)
FIRST, LAST = (datetime.datetime(year, 1, 1, tzinfo=datetime.UTC) for year in (1900, 2200))
FAR = {
    "Conference": Q(starts_on__lt=FIRST_DAY) | Q(ends_on__gt=LAST_DAY),
    "ConferenceDay": Q(date__lt=FIRST_DAY) | Q(date__gt=LAST_DAY),
    "Session": Q(starts_at__lt=FIRST) | Q(ends_at__gt=LAST),
    "Segment": Q(starts_at__lt=FIRST) | Q(ends_at__gt=LAST),
}


def look(apps: Any, _schema_editor: Any) -> None:
    """Raise CommandError with the rows to correct. Their keys alone are read: Python knows no years beyond 9999."""
    found = []
    for name, far in FAR.items():
        model = apps.get_model("events", name)
        keys = model._base_manager.filter(far).order_by("pk").values_list("pk", flat=True)
        found += [f"{model._meta.db_table} {key}" for key in keys[:20]]
    if found:
        raise CommandError(
            "Rows with a year before 1900 or after 2199, surely mistyped. Correct them with psql and migrate again;"
            f" until then public pages answer 503. Table and id: {', '.join(found)}."
        )


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0012_taking_down"),
    ]

    operations = [
        migrations.RunPython(look, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="conference",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_on__lte", datetime.date(2199, 12, 31)), ("starts_on__gte", datetime.date(1900, 1, 1))
                ),
                name="conference_dates_are_near",
            ),
        ),
        migrations.AddConstraint(
            model_name="conferenceday",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("date__gte", datetime.date(1900, 1, 1)), ("date__lte", datetime.date(2199, 12, 31))
                ),
                name="conference_day_is_near",
            ),
        ),
        migrations.AddConstraint(
            model_name="segment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__lte", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("starts_at__gte", datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="segment_times_are_near",
            ),
        ),
        migrations.AddConstraint(
            model_name="session",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("ends_at__lte", datetime.datetime(2200, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                    ("starts_at__gte", datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.UTC)),
                ),
                name="session_times_are_near",
            ),
        ),
    ]
