"""Who is only told may name themselves; who opens may not."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_safes"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="safekeeper",
            name="safe_keeper_is_named_by_another",
        ),
        migrations.AddConstraint(
            model_name="safekeeper",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("named_by", None),
                    models.Q(("named_by", models.F("user")), _negated=True),
                    ("may_open", False),
                    _connector="OR",
                ),
                name="safe_keeper_is_named_by_another",
            ),
        ),
    ]
