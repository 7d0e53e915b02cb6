"""Reserved seats, offers for a time, and the columns that say where a seat came from and until when it is offered."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import alliance.db

CATEGORIES = [
    ("delegation", "Delegation or State institution"),
    ("international_organisation", "International organisation"),
    ("executive_structure", "OSCE executive structure"),
    ("field_operation", "OSCE field operation"),
    ("civil_society", "Civil society or NGO"),
    ("survivor_network", "Survivor network"),
    ("academia", "Academia"),
    ("think_tank", "Think tank"),
    ("business", "Business"),
    ("trade_union", "Trade union"),
    ("media", "Media"),
    ("other", "Other"),
]
WAITING = [
    ("direct", "Waiting list, promoted at once"),
    ("offer", "Waiting list, a place is offered for a time"),
    ("none", "No waiting list"),
]


class Migration(migrations.Migration):
    """Tables and columns; the next one guards them."""

    dependencies = [("registration", "0012_questions")]

    operations = [
        migrations.CreateModel(
            name="Reserve",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("public_id", alliance.db.PublicIdField()),
                (
                    "categories",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=CATEGORIES, max_length=32),
                        size=None,
                        verbose_name="categories",
                    ),
                ),
                ("places", models.PositiveIntegerField(verbose_name="places")),
                ("taken", models.PositiveIntegerField(default=0, editable=False, verbose_name="taken")),
                (
                    "returns_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="From then on everybody may have what is left. Empty: never.",
                        null=True,
                        verbose_name="returns at",
                    ),
                ),
                (
                    "released_at",
                    models.DateTimeField(blank=True, editable=False, null=True, verbose_name="released at"),
                ),
                (
                    "admission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reserves",
                        to="registration.admission",
                        verbose_name="admission",
                    ),
                ),
            ],
            options={
                "verbose_name": "reserve",
                "verbose_name_plural": "reserves",
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("places__gt", 0)), name="reserve_has_places"),
                    models.CheckConstraint(
                        condition=models.Q(("categories__len__gt", 0)), name="reserve_is_for_somebody"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("categories__contained_by", [category for category, _name in CATEGORIES])),
                        name="reserve_categories_are_known",
                    ),
                ],
            },
        ),
        migrations.RemoveConstraint(model_name="admission", name="admission_waiting_is_known"),
        migrations.AddField(
            model_name="admission",
            name="claim_hours",
            field=models.PositiveSmallIntegerField(
                db_default=24,
                default=24,
                help_text="How long somebody may think about an offered place, or about which of two places at the "
                "same time to keep.",
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(336),
                ],
                verbose_name="hours to answer",
            ),
        ),
        migrations.AlterField(
            model_name="admission",
            name="waiting",
            field=models.CharField(choices=WAITING, default="direct", max_length=8, verbose_name="waiting list"),
        ),
        migrations.AddConstraint(
            model_name="admission",
            constraint=models.CheckConstraint(
                condition=models.Q(("waiting__in", [mode for mode, _name in WAITING])),
                name="admission_waiting_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="admission",
            constraint=models.CheckConstraint(
                condition=models.Q(("claim_hours__range", (1, 336))),
                name="admission_claim_hours_are_between_1_and_336",
            ),
        ),
        migrations.AddField(
            model_name="places",
            name="held",
            field=models.PositiveIntegerField(
                db_default=0, default=0, editable=False, verbose_name="held back by reserves"
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="offer_expires_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Stays when the offer was answered or has expired.",
                null=True,
                verbose_name="offered until",
            ),
        ),
        migrations.AddField(
            model_name="registration",
            name="reserve",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Empty: a seat that was for everybody.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="registrations",
                to="registration.reserve",
                verbose_name="from the reserve",
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("reserve__isnull", False)), fields=["reserve"], name="registration_from_reserve"
            ),
        ),
        migrations.AddIndex(
            model_name="registration",
            index=models.Index(
                condition=models.Q(("status", "offered")),
                fields=["offer_expires_at"],
                name="registration_open_offers",
            ),
        ),
        migrations.AddConstraint(
            model_name="registration",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status__in", ["pending", "waitlisted"]), _negated=True),
                    ("reserve__isnull", True),
                    _connector="OR",
                ),
                name="registration_waits_outside_reserves",
            ),
        ),
    ]
