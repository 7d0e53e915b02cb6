from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("video", "0004_events_of_platforms")]

    operations = [
        migrations.AddField(
            model_name="hostaccount",
            name=name,
            field=models.DateTimeField(blank=True, editable=False, null=True),
        )
        for name in ("changes_rest_until", "registrants_rest_until")
    ]
