"""Invitations by personal links, admissions by invitation only, and figures counted from lists of others."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import alliance.db


class Migration(migrations.Migration):
    """Add them."""

    dependencies = [
        ("events", "0007_releases"),
        ("registration", "0014_reserves_guard"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", alliance.db.PublicIdField()),
                ("email_index", models.BinaryField(max_length=32)),
                ("sealed_identity", models.BinaryField()),
                (
                    "language",
                    models.CharField(
                        choices=[
                            ("en", "English"),
                            ("fr", "French"),
                            ("de", "German"),
                            ("it", "Italian"),
                            ("es", "Spanish"),
                            ("ru", "Russian"),
                        ],
                        default="en",
                        max_length=8,
                        verbose_name="language",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("sent", "Not answered yet"),
                            ("accepted", "Accepted"),
                            ("declined", "Declined"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="sent",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("expires_at", models.DateTimeField(verbose_name="answer until")),
                ("sent_at", models.DateTimeField(verbose_name="sent at")),
                ("reminded_at", models.DateTimeField(blank=True, null=True, verbose_name="reminded at")),
                ("answered_on", models.DateField(blank=True, null=True, verbose_name="answered on")),
                ("person_index", models.BinaryField(db_index=True, max_length=32, null=True)),
                ("word", alliance.db.EncryptedTextField(blank=True, verbose_name="word to the organisers")),
                ("link_version", models.PositiveSmallIntegerField(default=1, editable=False)),
                ("link_hash", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="created at")),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
            },
        ),
        migrations.RemoveConstraint(
            model_name="admission",
            name="admission_approval_is_known",
        ),
        migrations.AddField(
            model_name="figure",
            name="imported_as",
            field=models.CharField(
                blank=True,
                choices=[
                    ("zoom_registration", "Zoom registration report"),
                    ("zoom_attendees", "Zoom attendee report"),
                    ("google_form", "Google form"),
                    ("other", "Other list"),
                ],
                db_default="",
                default="",
                editable=False,
                max_length=20,
                verbose_name="counted from",
            ),
        ),
        migrations.AlterField(
            model_name="admission",
            name="approval",
            field=models.CharField(
                choices=[
                    ("automatic", "Everybody is admitted"),
                    ("audience", "The audience is admitted, others wait for approval"),
                    ("manual", "An organiser approves everybody"),
                    ("invitation", "By invitation only"),
                ],
                default="automatic",
                max_length=12,
                verbose_name="approval",
            ),
        ),
        migrations.AddConstraint(
            model_name="admission",
            constraint=models.CheckConstraint(
                condition=models.Q(("approval__in", ["automatic", "audience", "manual", "invitation"])),
                name="admission_approval_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="figure",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("imported_as__in", ["", "zoom_registration", "zoom_attendees", "google_form", "other"])
                ),
                name="figure_import_is_known",
            ),
        ),
        migrations.CreateModel(
            name="InvitationKey",
            fields=[
                (
                    "invitation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="invitation_key",
                        serialize=False,
                        to="registration.invitation",
                    ),
                ),
                ("wrapped", models.BinaryField()),
            ],
            options={
                "verbose_name": "key of an invitation",
                "verbose_name_plural": "keys of invitations",
            },
        ),
        migrations.AddField(
            model_name="invitation",
            name="admissions",
            field=models.ManyToManyField(
                related_name="invitations", to="registration.admission", verbose_name="admissions"
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="conference",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="invitations",
                to="events.conference",
                verbose_name="conference",
            ),
        ),
        migrations.AddField(
            model_name="invitation",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="created by",
            ),
        ),
        migrations.AddIndex(
            model_name="invitation",
            index=models.Index(
                condition=models.Q(("state", "sent")), fields=["expires_at"], name="invitation_to_remind"
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "withdrawn"), _negated=True),
                fields=("conference", "email_index"),
                name="invitation_stands_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["sent", "accepted", "declined", "withdrawn"])),
                name="invitation_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answered_on__isnull", False), ("state__in", ["accepted", "declined"])),
                    ("state__in", ["sent", "withdrawn"]),
                    _connector="OR",
                ),
                name="invitation_answered_on_a_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="invitation",
            constraint=models.CheckConstraint(
                condition=models.Q(("language__in", ["en", "fr", "de", "it", "es", "ru"])),
                name="invitation_language_is_known",
            ),
        ),
    ]
