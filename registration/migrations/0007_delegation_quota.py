"""Quotas of delegations are kept by the database, so that no path can go over them.

A nomination that begins to count locks its delegation's row, counts those that count, and is refused beyond the quota
(delegation_quota_is_kept). Lowering a quota below the number nominated is allowed and only stops new ones. The set of
states is repeated here because the database cannot read Python; tests/registration/test_delegations.py compares it.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION registration_membership_counts(state text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT state IN ('nominated', 'confirmed')
$$;

CREATE FUNCTION registration_guard_quota() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    limits registration_delegation%ROWTYPE;
    in_all integer;
    in_mode integer;
BEGIN
    IF NOT registration_membership_counts(NEW.state) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' AND registration_membership_counts(OLD.state)
        AND (NEW.delegation_id, NEW.mode) IS NOT DISTINCT FROM (OLD.delegation_id, OLD.mode) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO limits FROM registration_delegation WHERE id = NEW.delegation_id FOR NO KEY UPDATE;
    -- A statement of its own, after the lock: it sees what others committed while we waited.
    SELECT count(*), count(*) FILTER (WHERE mode = NEW.mode) INTO in_all, in_mode
    FROM registration_membership
    WHERE delegation_id = NEW.delegation_id AND registration_membership_counts(state) AND id <> NEW.id;
    IF in_all >= limits.quota
        OR (NEW.mode = 'in_person' AND in_mode >= limits.quota_in_person)
        OR (NEW.mode = 'online' AND in_mode >= limits.quota_online) THEN
        RAISE EXCEPTION 'the quota of the delegation is used up'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'delegation_quota_is_kept';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_quota BEFORE INSERT OR UPDATE OF state, mode, delegation_id ON registration_membership
FOR EACH ROW EXECUTE FUNCTION registration_guard_quota();
"""

BACKWARD = """
DROP TRIGGER guard_quota ON registration_membership;
DROP FUNCTION registration_guard_quota();
DROP FUNCTION registration_membership_counts(text);
"""


class Migration(migrations.Migration):
    """Function and trigger."""

    dependencies = [("registration", "0006_delegation_members")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
