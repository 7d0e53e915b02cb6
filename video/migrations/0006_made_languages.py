from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("video", "0005_resting_accounts")]

    operations = [
        migrations.AddField(
            model_name="meeting",
            name="made_languages",
            field=ArrayField(models.CharField(max_length=8), null=True, editable=False),
        ),
    ]
