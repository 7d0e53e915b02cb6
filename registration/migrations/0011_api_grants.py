"""What API tokens reach."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Bind tokens to delegations and side events."""

    dependencies = [
        ("accounts", "0001_initial"),
        ("events", "0001_initial"),
        ("registration", "0010_consent_ledger"),
    ]

    operations = [
        migrations.CreateModel(
            name="ApiGrant",
            fields=[
                (
                    "token",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="grant",
                        serialize=False,
                        to="accounts.apitoken",
                        verbose_name="API token",
                    ),
                ),
                (
                    "delegation",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_grants",
                        to="registration.delegation",
                        verbose_name="delegation",
                    ),
                ),
                (
                    "session",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="api_grants",
                        to="events.session",
                        verbose_name="side event",
                    ),
                ),
            ],
            options={"verbose_name": "reach of an API token", "verbose_name_plural": "reach of API tokens"},
        ),
        migrations.AddConstraint(
            model_name="apigrant",
            constraint=models.CheckConstraint(
                condition=models.Q(("delegation__isnull", False), ("session__isnull", True))
                | models.Q(("delegation__isnull", True), ("session__isnull", False)),
                name="api_grant_is_for_one_thing",
            ),
        ),
    ]
