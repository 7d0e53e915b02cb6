"""A check-in that is undone gives the registration back its status: attended may become confirmed.

The guard's list of moves is changed where it stands, so that this migration and others that add moves compose.
"""

from django.db import migrations

ADD = "'attended>confirmed', 'attended>absent'"
HAD = "'attended>absent'"

CHANGE = """
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('registration_guard_moves()'::regprocedure), $a${old}$a$, $b${new}$b$);
END $do$;
"""


class Migration(migrations.Migration):
    """One more move."""

    dependencies = [("registration", "0004_attendance")]

    operations = [
        migrations.RunSQL(CHANGE.format(old=HAD, new=ADD), CHANGE.format(old=ADD, new=HAD)),
    ]
