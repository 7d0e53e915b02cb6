"""Number the changes that calendars must know of: time, place, title and state of a session, and of its conference.

Triggers before each row, so that no path can forget and none can set the number back: an import, raw SQL and a restored
or inserted row get a number from one sequence, higher than any before. Publishing copies the numbers with the rows.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

# By table: what makes an entry another appointment, and what else it shows.
NUMBERED = {
    "events_session": ("{0}.starts_at, {0}.ends_at, {0}.room_id, {0}.format, {0}.title, {0}.state",
                       "{0}.summary, {0}.slug, {0}.kind"),
    "events_conference": ("{0}.starts_on, {0}.ends_on, {0}.time_zone, {0}.venue_id, {0}.format, {0}.state = 'cancelled'",
                          "{0}.title, {0}.slug"),
}

FUNCTION = """
CREATE FUNCTION {table}_number_calendar() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        NEW.calendar_sequence = nextval('events_calendar_sequence');
        NEW.calendar_changed_at = now();
    ELSIF ({new_numbered}) IS DISTINCT FROM ({old_numbered}) THEN
        NEW.calendar_sequence = nextval('events_calendar_sequence');
        NEW.calendar_changed_at = now();
    ELSE
        NEW.calendar_sequence = OLD.calendar_sequence;
        NEW.calendar_changed_at = OLD.calendar_changed_at;
        IF ({new_shown}) IS DISTINCT FROM ({old_shown}) THEN
            NEW.calendar_changed_at = now();
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_calendar BEFORE INSERT OR UPDATE ON {table}
FOR EACH ROW EXECUTE FUNCTION {table}_number_calendar();
"""


def numbering(table: str) -> migrations.RunSQL:
    """Function and trigger of one table."""
    numbered, shown = NUMBERED[table]
    make = FUNCTION.format(
        table=table,
        new_numbered=numbered.format("NEW"), old_numbered=numbered.format("OLD"),
        new_shown=shown.format("NEW"), old_shown=shown.format("OLD"),
    )
    return migrations.RunSQL(
        make, f"DROP TRIGGER number_calendar ON {table}; DROP FUNCTION {table}_number_calendar()"
    )


class Migration(migrations.Migration):
    """Columns, sequence, triggers."""

    dependencies = [("events", "0003_programme_file")]

    operations = [
        *[
            migrations.AddField(model_name=model, name=name, field=field)
            for model in ("conference", "session")
            for name, field in (
                ("calendar_sequence", models.PositiveIntegerField(db_default=0, editable=False)),
                (
                    "calendar_changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            )
        ],
        migrations.RunSQL(
            "CREATE SEQUENCE events_calendar_sequence AS integer", "DROP SEQUENCE events_calendar_sequence"
        ),
        *[numbering(table) for table in NUMBERED],
    ]
