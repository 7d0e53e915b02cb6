"""Pairs of seats stand together: looked at when the transaction ends, whatever path it took (seat_pair_stands_together)."""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION registration_standing(status varchar) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN status IN ('confirmed', 'attended', 'absent') THEN 'seated'
        WHEN status IN ('cancelled', 'rejected') THEN 'ended'
        ELSE status
    END
$$;

CREATE FUNCTION registration_pair_stands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.registration_seatpair pair
        JOIN public.registration_registration one ON one.id = pair.registration_id
        JOIN public.registration_registration other ON other.id = pair.companion_id
        WHERE NEW.id IN (pair.registration_id, pair.companion_id) AND pair.ended_at IS NULL AND (
            one.admission_id <> other.admission_id
            OR public.registration_standing(one.status) <> public.registration_standing(other.status)
            OR public.registration_standing(one.status) = 'ended'
        )
    ) THEN
        RAISE EXCEPTION 'two seats are given together or not at all'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seat_pair_stands_together';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER pair_stands AFTER UPDATE OF status ON registration_registration
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
EXECUTE FUNCTION registration_pair_stands();

CREATE FUNCTION registration_pair_made() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.registration_seatpair pair
        JOIN public.registration_registration one ON one.id = pair.registration_id
        JOIN public.registration_registration other ON other.id = pair.companion_id
        WHERE pair.id = NEW.id AND pair.ended_at IS NULL AND (
            one.admission_id <> other.admission_id
            OR public.registration_standing(one.status) <> public.registration_standing(other.status)
            OR public.registration_standing(one.status) = 'ended'
        )
    ) THEN
        RAISE EXCEPTION 'two seats are given together or not at all'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'seat_pair_stands_together';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER pair_made AFTER INSERT OR UPDATE ON registration_seatpair
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registration_pair_made();
"""

BACKWARD = """
DROP TRIGGER pair_made ON registration_seatpair;
DROP TRIGGER pair_stands ON registration_registration;
DROP FUNCTION registration_pair_made();
DROP FUNCTION registration_pair_stands();
DROP FUNCTION registration_standing(varchar);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("registration", "0025_letters_released_by_a_second"),
    ]

    operations = [
        migrations.CreateModel(
            name="SeatPair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made_at", models.DateTimeField(verbose_name="made at")),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                (
                    "companion",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="companion_of",
                        to="registration.registration",
                    ),
                ),
                (
                    "registration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pairs",
                        to="registration.registration",
                    ),
                ),
            ],
            options={
                "verbose_name": "pair of seats",
                "verbose_name_plural": "pairs of seats",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=("registration",),
                        name="seat_pair_one_companion",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("registration", models.F("companion")), _negated=True),
                        name="seat_pair_is_of_two",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
