"""Raise the content version whenever anything a programme page shows is changed, by whatever path.

Statement triggers on every table of this app; speakers and registration add theirs with the same function. A
transaction raises the number once: readers see nothing before the commit anyway. The btree_gist, unaccent and pg_trgm
extensions are made in 0001_initial.
"""

from django.db import migrations

TABLES = [
    "events_conference",
    "events_conferenceday",
    "events_convenorship",
    "events_country",
    "events_material",
    "events_organisation",
    "events_recommendation",
    "events_reference",
    "events_room",
    "events_segment",
    "events_series",
    "events_session",
    "events_textsection",
    "events_venue",
]

FUNCTION = """
CREATE FUNCTION events_raise_content_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO events_contentversion AS current (id, number) VALUES (1, 1)
    ON CONFLICT (id) DO UPDATE SET number = current.number + 1
        WHERE current.xmin <> pg_current_xact_id()::xid;
    RETURN NULL;
END $$;
"""


def trigger(table: str) -> tuple[str, str]:
    """SQL that makes and drops the trigger of one table."""
    return (
        f"CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version()",
        f"DROP TRIGGER raise_content_version ON {table}",
    )


class Migration(migrations.Migration):
    """Function and triggers."""

    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.RunSQL(FUNCTION, "DROP FUNCTION events_raise_content_version()"),
        *[migrations.RunSQL(*trigger(table)) for table in TABLES],
    ]
