"""Places for what the programme file tells: where spellings stand, and rows that may be swapped in one import."""

import alliance.db
import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.db.models.constraints
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0002_content_version'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='conferenceday',
            name='conference_day_number_is_unique',
        ),
        migrations.RemoveConstraint(
            model_name='conferenceday',
            name='conference_day_date_is_unique',
        ),
        migrations.RemoveConstraint(
            model_name='session',
            name='session_number_unique_in_kind',
        ),
        migrations.RemoveConstraint(
            model_name='session',
            name='session_room_is_free',
        ),
        migrations.AddField(
            model_name='organisation',
            name='alias_sources',
            field=models.JSONField(blank=True, default=dict, help_text='The document, by spelling.', verbose_name='where other spellings stand'),
        ),
        migrations.AddConstraint(
            model_name='conferenceday',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['IMMEDIATE'], fields=('conference', 'number'), name='conference_day_number_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='conferenceday',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['IMMEDIATE'], fields=('conference', 'date'), name='conference_day_date_is_unique'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=models.UniqueConstraint(deferrable=django.db.models.constraints.Deferrable['IMMEDIATE'], fields=('conference', 'kind', 'number'), name='session_number_unique_in_kind'),
        ),
        migrations.AddConstraint(
            model_name='session',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('room__isnull', False), ('starts_at__isnull', False), ('state', 'scheduled')), deferrable=django.db.models.constraints.Deferrable['IMMEDIATE'], expressions=[('room', '='), (alliance.db.TsTzRange('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary()), '&&')], name='session_room_is_free'),
        ),
    ]
