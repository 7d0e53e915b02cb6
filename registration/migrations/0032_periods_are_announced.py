"""When a rule of keeping became known here, and when a conference changed its period: both count only a while later."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("registration", "0031_who_named_a_companion")]

    operations = [
        migrations.CreateModel(
            name="RetentionStart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rule", models.CharField(max_length=60, unique=True, verbose_name="rule")),
                ("since", models.DateTimeField(verbose_name="known since")),
            ],
            options={
                "verbose_name": "beginning of a rule of keeping",
                "verbose_name_plural": "beginnings of rules of keeping",
            },
        ),
        migrations.AddField(
            model_name="retentionperiod",
            name="changed_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="changed at"),
        ),
    ]
