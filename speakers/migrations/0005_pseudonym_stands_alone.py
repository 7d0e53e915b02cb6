"""The database keeps nothing beside a pseudonym that could tell who is behind it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('speakers', '0004_clear_traces'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='person',
            name='person_pseudonym_has_no_other_name',
        ),
        migrations.AddConstraint(
            model_name='person',
            constraint=models.CheckConstraint(condition=models.Q(('is_pseudonym', False), models.Q(('alias_sources', {}), ('aliases', []), ('biography', {}), ('family_name', ''), ('internal_note', ''), ('post_nominals', ''), models.Q(('given_name', ''), ('given_name', models.F('display_name')), _connector='OR'), models.Q(('sort_name', ''), ('sort_name', models.F('display_name')), _connector='OR')), _connector='OR'), name='person_pseudonym_has_no_other_name'),
        ),
    ]
