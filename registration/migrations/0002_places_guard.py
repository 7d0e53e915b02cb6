"""The guard of the places: counted and enforced by the database, so that no path can oversell.

- An admission gets its places row the moment it is made.
- Registrations count themselves into taken and waiting; nobody else can.
- An increase of taken above the capacity is refused (places_not_oversold). Lowering a capacity is allowed.
- Without a places row nobody gets a place or a position; the row can go only while nobody is registered, as it does
  when Django deletes an admission, and it comes back only empty and while nobody has a place or waits.
- A registration keeps its admission, and its status moves only along registration.models.registration.MOVES.

The sets of states are repeated here because the database cannot read Python; tests/registration/test_guard.py compares
them with the code.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION registration_make_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO registration_places (admission_id, capacity, taken, waiting, next_position)
    VALUES (NEW.id, NULL, 0, 0, 1) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER make_places AFTER INSERT ON registration_admission
FOR EACH ROW EXECUTE FUNCTION registration_make_places();

CREATE FUNCTION registration_holds_place(status text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT status IN ('confirmed', 'offered', 'attended', 'absent')
$$;

CREATE FUNCTION registration_count_places() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken_change integer := 0;
    waiting_change integer := 0;
    behind bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' THEN
        taken_change := taken_change - registration_holds_place(OLD.status)::integer;
        waiting_change := waiting_change - (OLD.status = 'waitlisted')::integer;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        taken_change := taken_change + registration_holds_place(NEW.status)::integer;
        waiting_change := waiting_change + (NEW.status = 'waitlisted')::integer;
        IF NEW.status = 'waitlisted' THEN
            behind := NEW.position + 1;
        END IF;
    END IF;
    IF taken_change <> 0 OR waiting_change <> 0 THEN
        UPDATE registration_places
        SET taken = taken + taken_change,
            waiting = waiting + waiting_change,
            next_position = GREATEST(next_position, behind)
        WHERE admission_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.admission_id ELSE NEW.admission_id END;
        -- Without the row nothing would count and nothing would refuse.
        IF NOT FOUND AND TG_OP <> 'DELETE' THEN
            RAISE EXCEPTION 'the admission has no places row'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER count_places AFTER INSERT OR UPDATE OF status OR DELETE ON registration_registration
FOR EACH ROW EXECUTE FUNCTION registration_count_places();

CREATE FUNCTION registration_guard_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.taken, NEW.waiting) IS DISTINCT FROM (0, 0) OR EXISTS (
            SELECT 1 FROM registration_registration
            WHERE admission_id = NEW.admission_id AND (registration_holds_place(status) OR status = 'waitlisted')
        ) THEN
            RAISE EXCEPTION 'places start empty'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM registration_registration WHERE admission_id = OLD.admission_id) THEN
            RAISE EXCEPTION 'places with registrations stay'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
        END IF;
        RETURN OLD;
    END IF;
    -- Depth 1 is a statement somebody typed; depth 2 comes from the trigger on registrations.
    IF pg_trigger_depth() < 2
        AND (NEW.admission_id, NEW.taken, NEW.waiting, NEW.next_position)
            IS DISTINCT FROM (OLD.admission_id, OLD.taken, OLD.waiting, OLD.next_position) THEN
        RAISE EXCEPTION 'taken and waiting are counted from registrations'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
    END IF;
    IF NEW.taken > OLD.taken AND NEW.taken > NEW.capacity THEN
        RAISE EXCEPTION 'all places are taken'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'places_not_oversold';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_places BEFORE INSERT OR UPDATE OR DELETE ON registration_places
FOR EACH ROW EXECUTE FUNCTION registration_guard_places();

CREATE FUNCTION registration_guard_moves() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.admission_id <> OLD.admission_id THEN
        RAISE EXCEPTION 'a registration keeps its admission'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_keeps_its_admission';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status || '>' || NEW.status) NOT IN (
        'pending>confirmed', 'pending>waitlisted', 'pending>offered', 'pending>rejected', 'pending>cancelled',
        'waitlisted>confirmed', 'waitlisted>offered', 'waitlisted>rejected', 'waitlisted>cancelled',
        'offered>confirmed', 'offered>waitlisted', 'offered>cancelled',
        'confirmed>cancelled', 'confirmed>attended', 'confirmed>absent',
        'attended>absent', 'absent>attended'
    ) THEN
        RAISE EXCEPTION 'a % registration cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_move_is_allowed';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_moves BEFORE UPDATE OF status, admission_id ON registration_registration
FOR EACH ROW EXECUTE FUNCTION registration_guard_moves();
"""

BACKWARD = """
DROP TRIGGER guard_moves ON registration_registration;
DROP TRIGGER guard_places ON registration_places;
DROP TRIGGER count_places ON registration_registration;
DROP TRIGGER make_places ON registration_admission;
DROP FUNCTION registration_guard_moves();
DROP FUNCTION registration_guard_places();
DROP FUNCTION registration_count_places();
DROP FUNCTION registration_holds_place(text);
DROP FUNCTION registration_make_places();
"""

# What is open to whom stands on programme pages; places do not, they change with every registration.
SHOWN = ["registration_admission", "registration_admission_audience_organisations"]


class Migration(migrations.Migration):
    """Functions and triggers."""

    dependencies = [("registration", "0001_initial"), ("events", "0002_content_version")]

    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        *[
            migrations.RunSQL(
                f"CREATE TRIGGER raise_content_version AFTER INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version()",
                f"DROP TRIGGER raise_content_version ON {table}",
            )
            for table in SHOWN
        ],
    ]
