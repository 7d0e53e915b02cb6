"""The code of the proof of deletion stands in the last mail."""

from django.db import migrations

import alliance.db


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0029_taken_back_decisions"),
    ]

    operations = [
        migrations.AddField(
            model_name="farewell",
            name="proof",
            field=alliance.db.EncryptedTextField(blank=True, db_default="", default=""),
        ),
    ]
