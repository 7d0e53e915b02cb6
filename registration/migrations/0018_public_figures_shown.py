"""The page of a conference links to its released figures: releasing or withdrawing them makes kept pages old."""

from django.db import migrations


class Migration(migrations.Migration):
    """A trigger, as programme tables have it."""

    dependencies = [("registration", "0017_mail_bounces"), ("events", "0002_content_version")]

    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON registration_publicfigure "
            "FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version()",
            "DROP TRIGGER raise_content_version ON registration_publicfigure",
        )
    ]
