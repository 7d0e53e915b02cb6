"""Figures that are a record, that are printed as “over”, and notes about them."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('events', '0003_programme_file'),
        ('registration', '0002_places_guard'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='figure',
            name='figure_qualifier_is_known',
        ),
        migrations.AddField(
            model_name='figure',
            name='internal_note',
            field=models.CharField(blank=True, help_text='Never shown outside the admin.', max_length=250, verbose_name='internal note'),
        ),
        migrations.AddField(
            model_name='figure',
            name='is_record_for_series',
            field=models.BooleanField(default=False, help_text='The highest so far, as the source says.', verbose_name='record of the series'),
        ),
        migrations.AlterField(
            model_name='figure',
            name='qualifier',
            field=models.CharField(choices=[('exact', 'exactly'), ('about', 'about'), ('more_than', 'more than'), ('over', 'over'), ('at_least', 'at least'), ('nearly', 'nearly')], default='exact', max_length=12, verbose_name='qualifier'),
        ),
        migrations.AddConstraint(
            model_name='figure',
            constraint=models.CheckConstraint(condition=models.Q(('qualifier__in', ['exact', 'about', 'more_than', 'over', 'at_least', 'nearly'])), name='figure_qualifier_is_known'),
        ),
    ]
