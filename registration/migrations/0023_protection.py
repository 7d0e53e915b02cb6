"""The protection of people who come, and what the database refuses to have in their rows.

- Who is protected appears under an alias; whose country or organisation is withheld has none in the row, and belongs to
  no delegation, which would name it (participant_keeps_to_protection).
- A safe goes with the protection it belongs to.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION registration_contradicts(person public.registration_participant, country boolean, organisation boolean)
RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT NOT person.has_alias
        OR (country AND person.country_id IS NOT NULL)
        OR (organisation AND (
            person.organisation_id IS NOT NULL OR person.organisation_text <> '' OR person.function <> ''
        ))
        OR ((country OR organisation) AND person.delegation_id IS NOT NULL)
$$;

CREATE FUNCTION registration_keep_protected() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE told public.registration_protectedparticipant;
BEGIN
    SELECT * INTO told FROM public.registration_protectedparticipant WHERE participant_id = NEW.id;
    IF FOUND AND public.registration_contradicts(NEW, told.hides_country, told.hides_organisation) THEN
        RAISE EXCEPTION 'this is not kept of the person'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'participant_keeps_to_protection';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_protected BEFORE UPDATE
OF has_alias, country_id, organisation_id, organisation_text, function, delegation_id ON registration_participant
FOR EACH ROW EXECUTE FUNCTION registration_keep_protected();

CREATE FUNCTION registration_protect() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE person public.registration_participant;
BEGIN
    SELECT * INTO person FROM public.registration_participant WHERE id = NEW.participant_id FOR NO KEY UPDATE;
    IF public.registration_contradicts(person, NEW.hides_country, NEW.hides_organisation) THEN
        RAISE EXCEPTION 'take it out of the row first'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'participant_keeps_to_protection';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER protect BEFORE INSERT OR UPDATE ON registration_protectedparticipant
FOR EACH ROW EXECUTE FUNCTION registration_protect();

CREATE TRIGGER safe_goes AFTER DELETE ON registration_protectedparticipant
FOR EACH ROW EXECUTE FUNCTION speakers_safe_goes();
"""

BACKWARD = """
DROP TRIGGER safe_goes ON registration_protectedparticipant;
DROP TRIGGER protect ON registration_protectedparticipant;
DROP TRIGGER keep_protected ON registration_participant;
DROP FUNCTION registration_protect();
DROP FUNCTION registration_keep_protected();
DROP FUNCTION registration_contradicts(public.registration_participant, boolean, boolean);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("speakers", "0009_protection"),
        ("accounts", "0005_safes"),
        ("registration", "0022_asked_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="ProtectedParticipant",
            fields=[
                (
                    "participant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="protection",
                        serialize=False,
                        to="registration.participant",
                        verbose_name="participant",
                    ),
                ),
                ("hides_country", models.BooleanField(default=False, verbose_name="no country")),
                ("hides_organisation", models.BooleanField(default=False, verbose_name="no organisation")),
                ("no_photo", models.BooleanField(default=False, verbose_name="no photographs")),
                ("no_recording", models.BooleanField(default=False, verbose_name="no recording")),
                ("sealed", models.BinaryField()),
                ("set_at", models.DateTimeField(verbose_name="set at")),
                (
                    "safe",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.safe"
                    ),
                ),
            ],
            options={
                "verbose_name": "protection of a participant",
                "verbose_name_plural": "protections of participants",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sealed", b""), _negated=True), name="protected_participant_is_sealed"
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
