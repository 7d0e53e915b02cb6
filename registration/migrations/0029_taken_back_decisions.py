"""A decision of an organiser can be taken back for a short time: the guard of moves lets what it ended stand again.

Only while registration_ending speaks of the registration's present version, and only in the status it had, in line, or
with an offer. The guard is changed where it stands, as in registration.0005.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

HAD = """    ) THEN
        RAISE EXCEPTION 'a % registration cannot become %'"""
HAS = """    ) AND NOT (NEW.version > OLD.version AND EXISTS (
        SELECT FROM public.registration_ending ending
        WHERE ending.registration_id = OLD.id AND ending.version = OLD.version
            AND (OLD.status IN ('cancelled', 'rejected')) AND (
                NEW.status = ending.status
                OR (ending.status IN ('confirmed', 'offered') AND NEW.status IN ('waitlisted', 'offered'))
            )
    )) THEN
        RAISE EXCEPTION 'a % registration cannot become %'"""

CHANGE = """
DO $do$
BEGIN
    EXECUTE replace(pg_get_functiondef('registration_guard_moves()'::regprocedure), $a${old}$a$, $b${new}$b$);
END $do$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0028_consents_end"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Ending",
            fields=[
                (
                    "registration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="ending",
                        serialize=False,
                        to="registration.registration",
                        verbose_name="registration",
                    ),
                ),
                ("version", models.PositiveIntegerField(verbose_name="version")),
                ("ended_at", models.DateTimeField(db_index=True, verbose_name="ended at")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Awaiting approval"),
                            ("confirmed", "Confirmed"),
                            ("waitlisted", "On the waiting list"),
                            ("offered", "A place is offered"),
                            ("rejected", "Not admitted"),
                            ("cancelled", "Cancelled"),
                            ("attended", "Attended"),
                            ("absent", "Absent"),
                        ],
                        max_length=12,
                        verbose_name="status",
                    ),
                ),
                ("position", models.BigIntegerField(blank=True, null=True, verbose_name="position on the list")),
                ("reason", models.CharField(blank=True, max_length=250, verbose_name="reason")),
                ("decided_at", models.DateTimeField(blank=True, null=True, verbose_name="decided at")),
                (
                    "decided_by_kind",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("organiser", "Organiser"),
                            ("participant", "Participant"),
                            ("delegation", "Delegation"),
                            ("system", "The system"),
                        ],
                        max_length=16,
                        verbose_name="decided by",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="decided by user",
                    ),
                ),
            ],
            options={
                "verbose_name": "decision that can be taken back",
                "verbose_name_plural": "decisions that can be taken back",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["confirmed", "offered", "pending", "waitlisted"])),
                        name="ending_of_what_stood",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "waitlisted"), _negated=True),
                            ("position__isnull", False),
                            _connector="OR",
                        ),
                        name="ending_keeps_the_position_of_who_waited",
                    ),
                ],
            },
        ),
        migrations.RunSQL(CHANGE.format(old=HAD, new=HAS), CHANGE.format(old=HAS, new=HAD)),
    ]
