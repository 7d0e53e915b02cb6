"""The ledger of consents is append-only, and members who agreed to be listed stand in it from the start.

- A row is never changed (constraint name consent_is_never_changed).
- A row goes only with the key of its person, that is by erasure (consent_goes_by_erasure_only). This is looked at when
  the transaction ends, because key and consents may go in any order.
- Which consents a conference asks for stands on its form, so a change raises the content version.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION registration_keep_consents() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a consent is never changed; write a new line'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_is_never_changed';
END $$;

CREATE TRIGGER keep_consents BEFORE UPDATE ON registration_consent
FOR EACH ROW EXECUTE FUNCTION registration_keep_consents();

CREATE FUNCTION registration_consents_go_by_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM registration_identitykey WHERE participant_id = OLD.participant_id) THEN
        RAISE EXCEPTION 'a consent goes with the key of its person only'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_goes_by_erasure_only';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER consents_go_by_erasure AFTER DELETE ON registration_consent
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION registration_consents_go_by_erasure();

CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON registration_consentsetting
FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version();
"""

BACKWARD = """
DROP TRIGGER raise_content_version ON registration_consentsetting;
DROP TRIGGER consents_go_by_erasure ON registration_consent;
DROP TRIGGER keep_consents ON registration_consent;
DROP FUNCTION registration_consents_go_by_erasure();
DROP FUNCTION registration_keep_consents();
"""

LISTED = """
INSERT INTO registration_consent (participant_id, purpose, is_given, wording, language, source, at)
SELECT member.participant_id, 'list', true, member.listed_wording, person.language, 'member', member.listed_at
FROM registration_membership member JOIN registration_participant person ON person.id = member.participant_id
WHERE member.listed_at IS NOT NULL
ORDER BY member.id
"""


class Migration(migrations.Migration):
    """Triggers, and what was agreed to before."""

    dependencies = [("registration", "0009_consents"), ("events", "0002_content_version")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD), migrations.RunSQL(LISTED, migrations.RunSQL.noop)]
