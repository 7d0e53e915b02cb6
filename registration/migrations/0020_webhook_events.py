"""What happens to a member's place is told to the programs of the delegation, whatever path it came by.

The delivery and its message of the outbox are written by a trigger, in the transaction of the cause: a waiting list, an
organiser, the member and raw SQL are told alike. Only members that the delegation named itself are looked at, and only
their registration for the conference as a whole: neither people who registered on their own nor sessions that a member
chose. The names of events stand in registration.models.WebhookEvent; a test compares.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION registration_tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := CASE WHEN TG_OP = 'UPDATE' THEN OLD.status ELSE '' END;
    what text := CASE
        WHEN NEW.status = 'confirmed' AND before IN ('waitlisted', 'offered') THEN 'registration.promoted'
        WHEN NEW.status = 'confirmed' AND before NOT IN ('confirmed', 'attended', 'absent')
            THEN 'registration.confirmed'
        WHEN NEW.status = 'waitlisted' AND before <> 'waitlisted' THEN 'registration.waitlisted'
        WHEN NEW.status IN ('cancelled', 'rejected') AND before <> NEW.status THEN 'registration.cancelled'
    END;
BEGIN
    IF what IS NULL THEN
        RETURN NULL;
    END IF;
    WITH told AS (
        SELECT gen_random_uuid() AS public_id, w.id AS subscription_id, w.public_id AS webhook,
               jsonb_build_object(
                   'conference', c.public_id, 'delegation', d.public_id, 'participant', m.public_id,
                   'place',
                   CASE NEW.status WHEN 'confirmed' THEN 'held' WHEN 'waitlisted' THEN 'waiting' ELSE 'none' END
               ) AS data
          FROM registration_membership m
          JOIN registration_delegation d ON d.id = m.delegation_id
          JOIN events_conference c ON c.id = d.conference_id
          JOIN registration_webhooksubscription w ON w.delegation_id = d.id
         WHERE m.participant_id = NEW.participant_id
           AND w.state = 'active'
           AND what = ANY (w.events)
           AND EXISTS (SELECT 1 FROM registration_admission a WHERE a.id = NEW.admission_id AND a.session_id IS NULL)
    ), kept AS (
        INSERT INTO registration_webhookdelivery
               (public_id, subscription_id, event, data, happened_at, state, attempts, sendings, problem)
        SELECT public_id, subscription_id, what, data, statement_timestamp(), 'waiting', 0, 1, '' FROM told
    )
    INSERT INTO outbox_message
           (public_id, topic, "group", key, about_kind, about_id, about_version, order_key, details, state,
            due_at, next_attempt_at, deadline_at, attempts, crashes, last_error, created_at)
    SELECT gen_random_uuid(), 'registration.webhook', 'webhook', 'webhook:' || public_id || ':1', 'webhook_delivery',
           public_id, 1, '', '{}', 'queued', statement_timestamp(), statement_timestamp(),
           statement_timestamp() + interval '3 days', 0, 0, '', statement_timestamp()
      FROM told;
    RETURN NULL;
END $$;

CREATE TRIGGER tell_webhooks AFTER INSERT OR UPDATE OF status ON registration_registration
FOR EACH ROW EXECUTE FUNCTION registration_tell_webhooks();
"""

BACKWARD = """
DROP TRIGGER tell_webhooks ON registration_registration;
DROP FUNCTION registration_tell_webhooks();
"""


class Migration(migrations.Migration):
    """Function and trigger."""

    dependencies = [("registration", "0019_webhooks"), ("outbox", "0004_budgets")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
