"""Letters of the house to many people wait for a second organiser, as written messages do."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("events", "0012_taking_down"), ("registration", "0024_taken_down")]

    operations = [
        migrations.AddField(
            "announcement",
            "kind",
            models.CharField(
                "kind",
                max_length=12,
                choices=[
                    ("written", "Written by an organiser"),
                    ("programme", "What a release changed"),
                    ("thanks", "Thanks, with recordings and papers"),
                ],
                default="written",
            ),
        ),
        migrations.AddField(
            "announcement",
            "release",
            models.ForeignKey(
                "events.Release",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                null=True,
                blank=True,
            ),
        ),
        migrations.AddField(
            "announcement",
            "session",
            models.ForeignKey(
                "events.Session",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                null=True,
                blank=True,
            ),
        ),
        migrations.RemoveConstraint("announcement", "announcement_leaves_with_text"),
        migrations.AddConstraint(
            "announcement",
            models.CheckConstraint(
                name="announcement_leaves_with_text",
                condition=Q(state="draft") | ~Q(kind="written") | ~Q(subject={}) & ~Q(text={}),
            ),
        ),
        migrations.AddConstraint(
            "announcement",
            models.CheckConstraint(
                name="announcement_is_about_what_its_kind_says",
                condition=Q(kind="written", release__isnull=True, session__isnull=True)
                | Q(kind="programme", release__isnull=False, session__isnull=True)
                | Q(kind="thanks", release__isnull=True),
            ),
        ),
    ]
