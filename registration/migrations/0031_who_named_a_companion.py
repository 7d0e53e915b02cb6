"""A pair of seats keeps who named the companion: a member's registration may pass on to another person meanwhile.

For pairs there are: the person of the registration, or whom that one has replaced in the delegation since.
"""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
WITH RECURSIVE who AS (
    SELECT pair.id, registration.participant_id, pair.made_at, 0 AS steps
    FROM registration_seatpair pair
    JOIN registration_registration registration ON registration.id = pair.registration_id
    UNION ALL
    SELECT who.id, before.participant_id, who.made_at, who.steps + 1
    FROM who
    JOIN registration_membership member
        ON member.participant_id = who.participant_id AND member.nominated_at > who.made_at
    JOIN registration_membership before ON before.id = member.replaces_id
), first AS (
    SELECT DISTINCT ON (id) id, participant_id FROM who ORDER BY id, steps DESC
)
UPDATE registration_seatpair pair SET named_by_id = first.participant_id FROM first WHERE first.id = pair.id;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""


class Migration(migrations.Migration):
    dependencies = [("registration", "0030_farewell_proof")]

    operations = [
        migrations.AddField(
            model_name="seatpair",
            name="named_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="registration.participant",
                verbose_name="named by",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="seatpair",
            name="named_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="registration.participant",
                verbose_name="named by",
            ),
        ),
    ]
