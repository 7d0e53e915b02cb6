"""The protection of people who speak, and what the database refuses to have beside it.

- Whose organisation is withheld has none in any contribution, no title, no further bodies, no affiliation and no biography;
  whose country is withheld has no country, no affiliation and no biography (protection_withholds). That a protection comes
  while somebody writes is looked at under the lock of the person.
- What was withheld goes from every release at once, as with a pseudonym (docs/decisions/0011-releases.md).
- A safe goes with the protection it belongs to. Pages say that a session is not recorded, so the content version rises.
"""

import alliance.db
import django.db.models.deletion
from django.db import migrations, models

_REFUSED = "USING ERRCODE = 'check_violation', CONSTRAINT = 'protection_withholds'"

FORWARD = f"""
CREATE FUNCTION speakers_withheld(person bigint, OUT country boolean, OUT organisation boolean) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.speakers_person WHERE id = person FOR KEY SHARE;
    SELECT hides_country, hides_organisation INTO country, organisation
    FROM public.speakers_protection WHERE person_id = person;
    country := coalesce(country, false);
    organisation := coalesce(organisation, false);
END $$;

CREATE FUNCTION speakers_withhold_contribution() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE withheld record;
BEGIN
    IF NEW.person_id IS NULL THEN RETURN NEW; END IF;
    SELECT * INTO withheld FROM public.speakers_withheld(NEW.person_id);
    IF (withheld.country AND (NEW.country_id IS NOT NULL OR NEW.country_meaning <> ''))
        OR (withheld.organisation AND (
            NEW.organisation_id IS NOT NULL OR NEW.role_title <> '{{}}' OR NEW.role_title_in_report <> '{{}}'
            OR EXISTS (
                SELECT FROM public.speakers_contribution_other_organisations WHERE contribution_id = NEW.id
            )
        ))
    THEN
        RAISE EXCEPTION 'this is not said of the person' {_REFUSED};
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withhold BEFORE INSERT OR UPDATE ON speakers_contribution
FOR EACH ROW EXECUTE FUNCTION speakers_withhold_contribution();

CREATE FUNCTION speakers_withhold_others() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE who bigint; withheld record;
BEGIN
    SELECT person_id INTO who FROM public.speakers_contribution WHERE id = NEW.contribution_id FOR KEY SHARE;
    IF who IS NULL THEN RETURN NEW; END IF;
    SELECT * INTO withheld FROM public.speakers_withheld(who);
    IF withheld.organisation THEN
        RAISE EXCEPTION 'this is not said of the person' {_REFUSED};
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withhold BEFORE INSERT OR UPDATE ON speakers_contribution_other_organisations
FOR EACH ROW EXECUTE FUNCTION speakers_withhold_others();

CREATE FUNCTION speakers_withhold_affiliation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE withheld record;
BEGIN
    SELECT * INTO withheld FROM public.speakers_withheld(NEW.person_id);
    IF withheld.country OR withheld.organisation THEN
        RAISE EXCEPTION 'this is not said of the person' {_REFUSED};
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withhold BEFORE INSERT OR UPDATE ON speakers_affiliation
FOR EACH ROW EXECUTE FUNCTION speakers_withhold_affiliation();

CREATE FUNCTION speakers_withhold_biography() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE withheld record;
BEGIN
    SELECT * INTO withheld FROM public.speakers_withheld(NEW.id);
    IF withheld.country OR withheld.organisation THEN
        RAISE EXCEPTION 'this is not said of the person' {_REFUSED};
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER withhold BEFORE UPDATE OF biography ON speakers_person
FOR EACH ROW WHEN (NEW.biography <> '{{}}') EXECUTE FUNCTION speakers_withhold_biography();

CREATE FUNCTION speakers_protect() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE emptied text[] := '{{}}'; settings text[] := '{{}}';
BEGIN
    PERFORM 1 FROM public.speakers_person WHERE id = NEW.person_id FOR UPDATE;
    IF (NEW.hides_country OR NEW.hides_organisation) AND (
        EXISTS (SELECT FROM public.speakers_person WHERE id = NEW.person_id AND biography <> '{{}}')
        OR EXISTS (SELECT FROM public.speakers_affiliation WHERE person_id = NEW.person_id)
    ) THEN
        RAISE EXCEPTION 'take it out of the directory first' {_REFUSED};
    END IF;
    IF EXISTS (
        SELECT FROM public.speakers_contribution told WHERE told.person_id = NEW.person_id AND (
            (NEW.hides_country AND (told.country_id IS NOT NULL OR told.country_meaning <> ''))
            OR (NEW.hides_organisation AND (
                told.organisation_id IS NOT NULL OR told.role_title <> '{{}}' OR told.role_title_in_report <> '{{}}'
                OR EXISTS (
                    SELECT FROM public.speakers_contribution_other_organisations WHERE contribution_id = told.id
                )
            ))
        )
    ) THEN
        RAISE EXCEPTION 'take it out of the programme first' {_REFUSED};
    END IF;
    IF NEW.hides_country THEN
        emptied := emptied || ARRAY['country_id', 'country_meaning'];
        settings := settings || ARRAY['country_id = NULL', $q$country_meaning = ''$q$];
    END IF;
    IF NEW.hides_organisation THEN
        emptied := emptied || ARRAY['organisation_id', 'role_title', 'role_title_in_report'];
        settings := settings || ARRAY[
            'organisation_id = NULL', $q$role_title = '{{}}'$q$, $q$role_title_in_report = '{{}}'$q$
        ];
        DELETE FROM public.events_releasedrow other USING public.events_releasedrow told
        WHERE other."table" = 'speakers_contribution_other_organisations' AND told."table" = 'speakers_contribution'
            AND told.data ->> 'person_id' = NEW.person_id::text AND other.release_id = told.release_id
            AND other.data ->> 'contribution_id' = told.row_id::text;
        IF to_regclass('released.speakers_contribution_other_organisations') IS NOT NULL THEN
            EXECUTE 'DELETE FROM released.speakers_contribution_other_organisations WHERE contribution_id IN '
                '(SELECT id FROM released.speakers_contribution WHERE person_id = $1)' USING NEW.person_id;
        END IF;
    END IF;
    IF emptied <> '{{}}' THEN
        UPDATE public.events_releasedrow SET data = data - emptied
        WHERE "table" = 'speakers_contribution' AND data ->> 'person_id' = NEW.person_id::text;
        IF to_regclass('released.speakers_contribution') IS NOT NULL THEN
            EXECUTE 'UPDATE released.speakers_contribution SET ' || array_to_string(settings, ', ')
                || ' WHERE person_id = $1' USING NEW.person_id;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER protect BEFORE INSERT OR UPDATE ON speakers_protection
FOR EACH ROW EXECUTE FUNCTION speakers_protect();

CREATE FUNCTION speakers_safe_goes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM public.accounts_safeopening WHERE safe_id = OLD.safe_id;
    DELETE FROM public.accounts_safekeeper WHERE safe_id = OLD.safe_id;
    DELETE FROM public.accounts_safe WHERE id = OLD.safe_id;
    RETURN NULL;
END $$;
CREATE TRIGGER safe_goes AFTER DELETE ON speakers_protection
FOR EACH ROW EXECUTE FUNCTION speakers_safe_goes();

CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON speakers_protection
FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version();
"""

BACKWARD = """
DROP TRIGGER withhold ON speakers_contribution;
DROP TRIGGER withhold ON speakers_contribution_other_organisations;
DROP TRIGGER withhold ON speakers_affiliation;
DROP TRIGGER withhold ON speakers_person;
DROP TRIGGER raise_content_version ON speakers_protection;
DROP TRIGGER safe_goes ON speakers_protection;
DROP TRIGGER protect ON speakers_protection;
DROP FUNCTION speakers_safe_goes();
DROP FUNCTION speakers_protect();
DROP FUNCTION speakers_withhold_biography();
DROP FUNCTION speakers_withhold_affiliation();
DROP FUNCTION speakers_withhold_others();
DROP FUNCTION speakers_withhold_contribution();
DROP FUNCTION speakers_withheld(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_safes"),
        ("speakers", "0008_taking_down"),
    ]

    operations = [
        migrations.CreateModel(
            name="Protection",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="protection",
                        serialize=False,
                        to="speakers.person",
                        verbose_name="person",
                    ),
                ),
                ("hides_country", models.BooleanField(default=False, verbose_name="no country")),
                ("hides_organisation", models.BooleanField(default=False, verbose_name="no organisation")),
                ("no_photo", models.BooleanField(default=False, verbose_name="no photographs")),
                ("no_recording", models.BooleanField(default=False, verbose_name="no recording")),
                ("record", alliance.db.EncryptedTextField(blank=True)),
                ("set_at", models.DateTimeField(verbose_name="set at")),
                (
                    "safe",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="accounts.safe"
                    ),
                ),
            ],
            options={
                "verbose_name": "protection of a speaker",
                "verbose_name_plural": "protections of speakers",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("hides_country", True),
                            ("hides_organisation", True),
                            ("no_photo", True),
                            ("no_recording", True),
                            models.Q(("record", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="protection_protects_something",
                    )
                ],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
