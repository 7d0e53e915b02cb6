"""Speakers are part of what programme pages show: their tables raise the content version too."""

from django.db import migrations

TABLES = ["speakers_affiliation", "speakers_contribution", "speakers_contribution_other_organisations", "speakers_person"]


class Migration(migrations.Migration):
    """Statement triggers with the function of events.0002."""

    dependencies = [("speakers", "0001_initial"), ("events", "0002_content_version")]

    operations = [
        migrations.RunSQL(
            f"CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version()",
            f"DROP TRIGGER raise_content_version ON {table}",
        )
        for table in TABLES
    ]
