"""Releases and the rows they froze. What is published lies in schemas of its own (events.releases.schema)."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import alliance.db
import alliance.languages
import alliance.translated


class Migration(migrations.Migration):
    dependencies = [
        ("events", "0006_topics"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Release",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", alliance.db.PublicIdField()),
                ("number", models.PositiveIntegerField(verbose_name="number")),
                ("made_at", models.DateTimeField(verbose_name="published at")),
                (
                    "note",
                    alliance.translated.TranslatedField(
                        blank=True,
                        default=alliance.languages.Translations,
                        help_text="Printed above the list of changes.",
                        verbose_name="note",
                    ),
                ),
                ("changes", models.JSONField(blank=True, default=list, verbose_name="changes")),
                (
                    "conference",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="releases",
                        to="events.conference",
                        verbose_name="conference",
                    ),
                ),
                (
                    "made_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="published by",
                    ),
                ),
            ],
            options={
                "verbose_name": "release",
                "verbose_name_plural": "releases",
            },
        ),
        migrations.CreateModel(
            name="ReleasedRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("table", models.CharField(max_length=63)),
                ("row_id", models.BigIntegerField()),
                ("data", models.JSONField()),
                (
                    "release",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="events.release"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.UniqueConstraint(
                fields=("conference", "number"), name="release_number_unique_in_conference"
            ),
        ),
        migrations.AddConstraint(
            model_name="release",
            constraint=models.CheckConstraint(
                condition=models.Q(("number__gte", 1)), name="release_number_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="releasedrow",
            constraint=models.UniqueConstraint(fields=("release", "table", "row_id"), name="released_row_stands_once"),
        ),
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version()",
                f"DROP TRIGGER raise_content_version ON {table}",
            )
            for table in ("events_release", "events_releasedrow")
        ],
    ]
