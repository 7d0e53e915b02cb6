"""Rooms get an id that may leave the house: programs look them up by it."""

import alliance.db
from django.db import migrations


class Migration(migrations.Migration):
    """A random id for every room there is, and for those to come."""

    dependencies = [("events", "0008_mail_texts")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE events_room ADD COLUMN public_id uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(); "
            "ALTER TABLE events_room ALTER COLUMN public_id DROP DEFAULT",
            "ALTER TABLE events_room DROP COLUMN public_id",
            state_operations=[
                migrations.AddField(model_name="room", name="public_id", field=alliance.db.PublicIdField())
            ],
        )
    ]
