"""The guard of reserved seats, beside that of the places (registration.0002), for every path to the table.

- A registration that takes a seat counts itself into the reserve it names, which must be of its own admission.
- A rise of a reserve's taken above its places, or after its release, is refused (reserve_not_oversold,
  reserve_is_released). Shrinking a reserve below taken is allowed.
- Places.held is what the unreleased reserves hold back; each of them keeps its own share of it up to date.
- A seat that comes from no reserve is refused where it would be one of those (places_kept_for_reserves).

The places row is locked before a reserve is counted, in the order of the services, so that both meet in one queue.
"""

import importlib
import re

from django.db import migrations

_BEFORE: str = importlib.import_module("registration.migrations.0002_places_guard").FORWARD


def _as_before(name: str) -> str:
    """The statement that puts a function back as registration.0002 made it."""
    found = re.search(rf"CREATE (FUNCTION {name}\(\).*?\nEND \$\$;)", _BEFORE, re.DOTALL)
    assert found is not None  # noqa: S101 - both files are ours
    return f"CREATE OR REPLACE {found[1]}"


FORWARD = """
CREATE FUNCTION registration_guard_reserve() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.taken <> 0 THEN
            RAISE EXCEPTION 'a reserve starts with no seat taken'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'reserve_counted_by_the_database';
        END IF;
        RETURN NEW;
    END IF;
    -- Depth 1 is a statement somebody typed; depth 2 comes from the trigger on registrations.
    IF pg_trigger_depth() < 2 AND (NEW.admission_id, NEW.taken) IS DISTINCT FROM (OLD.admission_id, OLD.taken) THEN
        RAISE EXCEPTION 'a reserve keeps its admission, and its seats are counted from registrations'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reserve_counted_by_the_database';
    END IF;
    IF NEW.taken > OLD.taken AND NEW.taken > NEW.places THEN
        RAISE EXCEPTION 'all seats of the reserve are taken'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reserve_not_oversold';
    END IF;
    IF NEW.taken > OLD.taken AND NEW.released_at IS NOT NULL THEN
        RAISE EXCEPTION 'the reserve is released'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'reserve_is_released';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guard_reserve BEFORE INSERT OR UPDATE ON registration_reserve
FOR EACH ROW EXECUTE FUNCTION registration_guard_reserve();

CREATE FUNCTION registration_count_held() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    held_change integer := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.released_at IS NULL THEN
        held_change := held_change - GREATEST(OLD.places - OLD.taken, 0);
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.released_at IS NULL THEN
        held_change := held_change + GREATEST(NEW.places - NEW.taken, 0);
    END IF;
    IF held_change <> 0 THEN
        UPDATE registration_places SET held = held + held_change
        WHERE admission_id = CASE WHEN TG_OP = 'DELETE' THEN OLD.admission_id ELSE NEW.admission_id END;
        IF NOT FOUND AND TG_OP <> 'DELETE' THEN
            RAISE EXCEPTION 'the admission has no places row'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
        END IF;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER count_held AFTER INSERT OR UPDATE OR DELETE ON registration_reserve
FOR EACH ROW EXECUTE FUNCTION registration_count_held();

CREATE OR REPLACE FUNCTION registration_count_places() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    taken_change integer := 0;
    waiting_change integer := 0;
    behind bigint := 0;
    of_admission bigint;
    old_reserve bigint;
    new_reserve bigint;
    row_now record;
BEGIN
    of_admission := CASE WHEN TG_OP = 'DELETE' THEN OLD.admission_id ELSE NEW.admission_id END;
    IF TG_OP <> 'INSERT' THEN
        taken_change := taken_change - registration_holds_place(OLD.status)::integer;
        waiting_change := waiting_change - (OLD.status = 'waitlisted')::integer;
        old_reserve := CASE WHEN registration_holds_place(OLD.status) THEN OLD.reserve_id END;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        taken_change := taken_change + registration_holds_place(NEW.status)::integer;
        waiting_change := waiting_change + (NEW.status = 'waitlisted')::integer;
        new_reserve := CASE WHEN registration_holds_place(NEW.status) THEN NEW.reserve_id END;
        IF NEW.status = 'waitlisted' THEN
            behind := NEW.position + 1;
        END IF;
    END IF;
    IF old_reserve IS DISTINCT FROM new_reserve THEN
        PERFORM 1 FROM registration_places WHERE admission_id = of_admission FOR NO KEY UPDATE;
        UPDATE registration_reserve SET taken = taken - 1 WHERE id = old_reserve;
        IF new_reserve IS NOT NULL THEN
            UPDATE registration_reserve SET taken = taken + 1 WHERE id = new_reserve AND admission_id = of_admission;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'the reserve is of another admission'
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'registration_reserve_is_of_its_admission';
            END IF;
        END IF;
    END IF;
    IF taken_change <> 0 OR waiting_change <> 0 THEN
        UPDATE registration_places
        SET taken = taken + taken_change,
            waiting = waiting + waiting_change,
            next_position = GREATEST(next_position, behind)
        WHERE admission_id = of_admission
        RETURNING capacity, taken, held INTO row_now;
        -- Without the row nothing would count and nothing would refuse.
        IF NOT FOUND THEN
            IF TG_OP = 'DELETE' THEN
                RETURN NULL;
            END IF;
            RAISE EXCEPTION 'the admission has no places row'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
        END IF;
        IF taken_change > 0 AND new_reserve IS NULL AND row_now.held > 0
            AND row_now.taken + row_now.held > row_now.capacity THEN
            RAISE EXCEPTION 'the places left are kept for reserves'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'places_kept_for_reserves';
        END IF;
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER count_places ON registration_registration;
CREATE TRIGGER count_places AFTER INSERT OR UPDATE OF status, reserve_id OR DELETE ON registration_registration
FOR EACH ROW EXECUTE FUNCTION registration_count_places();

CREATE OR REPLACE FUNCTION registration_guard_places() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.taken, NEW.waiting, NEW.held) IS DISTINCT FROM (0, 0, 0) OR EXISTS (
            SELECT 1 FROM registration_registration
            WHERE admission_id = NEW.admission_id AND (registration_holds_place(status) OR status = 'waitlisted')
        ) OR EXISTS (SELECT 1 FROM registration_reserve WHERE admission_id = NEW.admission_id) THEN
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
    -- Depth 1 is a statement somebody typed; depth 2 comes from the triggers on registrations and reserves.
    IF pg_trigger_depth() < 2
        AND (NEW.admission_id, NEW.taken, NEW.waiting, NEW.held, NEW.next_position)
            IS DISTINCT FROM (OLD.admission_id, OLD.taken, OLD.waiting, OLD.held, OLD.next_position) THEN
        RAISE EXCEPTION 'taken, waiting and held are counted from registrations and reserves'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'places_counted_by_the_database';
    END IF;
    IF NEW.taken > OLD.taken AND NEW.taken > NEW.capacity THEN
        RAISE EXCEPTION 'all places are taken'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'places_not_oversold';
    END IF;
    RETURN NEW;
END $$;

-- What is reserved for whom stands on pages; how many of it are taken does not, it changes with registrations.
CREATE TRIGGER raise_content_version
AFTER INSERT OR UPDATE OF categories, places, returns_at, released_at OR DELETE ON registration_reserve
FOR EACH STATEMENT EXECUTE FUNCTION events_raise_content_version();
"""

BACKWARD = f"""
DROP TRIGGER raise_content_version ON registration_reserve;
DROP TRIGGER count_held ON registration_reserve;
DROP TRIGGER guard_reserve ON registration_reserve;
DROP FUNCTION registration_count_held();
DROP FUNCTION registration_guard_reserve();
DROP TRIGGER count_places ON registration_registration;
{_as_before("registration_count_places")}
{_as_before("registration_guard_places")}
CREATE TRIGGER count_places AFTER INSERT OR UPDATE OF status OR DELETE ON registration_registration
FOR EACH ROW EXECUTE FUNCTION registration_count_places();
"""


class Migration(migrations.Migration):
    """Functions and triggers."""

    dependencies = [("registration", "0013_reserves")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
