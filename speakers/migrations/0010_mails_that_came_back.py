"""Speakers whose mails come back are flagged beside their contact."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("speakers", "0009_protection")]

    operations = [
        migrations.AddField("speakerinvitation", "bounced_at", models.DateTimeField("came back at", null=True)),
        migrations.AddField("speakerinvitation", "bounce_code", models.CharField("answer", max_length=20, blank=True)),
    ]
