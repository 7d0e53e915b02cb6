"""Where other spellings of a name stand; a pseudonym has none."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('speakers', '0002_content_version'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='person',
            name='person_pseudonym_has_no_other_name',
        ),
        migrations.AddField(
            model_name='person',
            name='alias_sources',
            field=models.JSONField(blank=True, default=dict, help_text='The document, by spelling.', verbose_name='where other spellings stand'),
        ),
        migrations.AddConstraint(
            model_name='person',
            constraint=models.CheckConstraint(condition=models.Q(('is_pseudonym', False), models.Q(('alias_sources', {}), ('aliases', []), ('biography', {}), ('post_nominals', '')), _connector='OR'), name='person_pseudonym_has_no_other_name'),
        ),
    ]
