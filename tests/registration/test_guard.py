"""The guard in the database: what no path can do, not even SQL typed by hand; and that it says the same as the code."""

from __future__ import annotations

import importlib
import itertools
import re

import pytest
from django.db import IntegrityError, connection, transaction

from alliance import db
from registration.models import MOVES, Admission, Places, Registration, RegistrationStatus
from registration.models.registration import TAKING
from tests.factories import NOW, AdmissionFactory, ParticipantFactory, RegistrationFactory

pytestmark = pytest.mark.django_db


def refused(sql: str, *values: int) -> str:
    """Run a statement that must be refused; the name of the constraint that did it."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return db.constraint_name(error.value)


def insert_confirmed(admission: Admission) -> str:
    """SQL for one confirmed registration, as somebody would type it."""
    participant = ParticipantFactory(conference=admission.conference)
    return (
        "INSERT INTO registration_registration (public_id, admission_id, participant_id, status, version, reason, "
        "created_at, decided_by_kind, join_version, join_hash) VALUES (gen_random_uuid(), "
        f"{admission.pk}, {participant.pk}, 'confirmed', 1, '', now(), '', 1, decode(md5(random()::text), 'hex'))"
    )


# --- no oversell ------------------------------------------------------------------------------------------------------


def test_sql_cannot_insert_more_confirmed_than_places() -> None:
    admission = AdmissionFactory(capacity=1)
    RegistrationFactory(admission=admission)

    assert refused(insert_confirmed(admission)) == "places_not_oversold"


def test_sql_cannot_confirm_more_than_places() -> None:
    admission = AdmissionFactory(capacity=1)
    RegistrationFactory(admission=admission)
    waiting = RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)

    constraint = refused("UPDATE registration_registration SET status = 'confirmed' WHERE id = %s", waiting.pk)

    assert constraint == "places_not_oversold"


def test_one_statement_for_many_cannot_oversell_either() -> None:
    admission = AdmissionFactory(capacity=2)
    RegistrationFactory.create_batch(3, admission=admission, status=RegistrationStatus.WAITLISTED)

    constraint = refused("UPDATE registration_registration SET status = 'confirmed'")

    assert constraint == "places_not_oversold"
    assert Places.objects.get(pk=admission.pk).taken == 0


def test_orm_cannot_oversell() -> None:
    admission = AdmissionFactory(capacity=0)

    with pytest.raises(IntegrityError, match="all places are taken"):
        RegistrationFactory(admission=admission)


def test_lowering_the_capacity_below_taken_is_allowed_and_lets_nobody_in() -> None:
    admission = AdmissionFactory(capacity=2)
    RegistrationFactory.create_batch(2, admission=admission)

    Places.objects.filter(pk=admission.pk).update(capacity=1)

    assert refused(insert_confirmed(admission)) == "places_not_oversold"


# --- counting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["taken", "waiting", "next_position"])
def test_counts_cannot_be_set_by_hand(column: str) -> None:
    admission = AdmissionFactory(capacity=5)

    constraint = refused(
        f"UPDATE registration_places SET {column} = {column} + 1 WHERE admission_id = %s", admission.pk
    )

    assert constraint == "places_counted_by_the_database"


def test_places_cannot_be_given_to_another_admission() -> None:
    one, other = AdmissionFactory(), AdmissionFactory()
    Places.objects.filter(pk=other.pk).delete()

    constraint = refused("UPDATE registration_places SET admission_id = %s WHERE admission_id = %s", other.pk, one.pk)

    assert constraint == "places_counted_by_the_database"


def test_places_cannot_start_with_a_count() -> None:
    admission = AdmissionFactory()
    Places.objects.filter(pk=admission.pk).delete()

    constraint = refused(
        "INSERT INTO registration_places (admission_id, taken, waiting, next_position) VALUES (%s, 3, 0, 1)",
        admission.pk,
    )

    assert constraint == "places_counted_by_the_database"


def test_places_with_registrations_cannot_be_deleted() -> None:
    registration = RegistrationFactory()

    constraint = refused("DELETE FROM registration_places WHERE admission_id = %s", registration.admission_id)

    assert constraint == "places_counted_by_the_database"


@pytest.mark.parametrize("status", ["confirmed", "waitlisted"])
def test_without_a_places_row_nobody_gets_a_place(status: str) -> None:
    admission = AdmissionFactory(capacity=1)
    Places.objects.filter(pk=admission.pk).delete()
    pending = RegistrationFactory(admission=admission, status=RegistrationStatus.PENDING)

    move = f"UPDATE registration_registration SET status = '{status}', position = 1 WHERE id = %s"

    assert refused(insert_confirmed(admission)) == "places_counted_by_the_database"
    assert refused(move, pending.pk) == "places_counted_by_the_database"
    pending.delete()


def test_a_lost_places_row_cannot_come_back_with_a_false_count() -> None:
    registration = RegistrationFactory()
    insert = "INSERT INTO registration_places (admission_id, taken, waiting, next_position) VALUES (%s, 0, 0, 1)"
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE registration_places")  # fires no row trigger

    assert refused(insert, registration.admission_id) == "places_counted_by_the_database"


def test_an_admission_without_registrations_can_be_deleted_with_its_places() -> None:
    admission = AdmissionFactory(capacity=1)

    admission.delete()

    assert not Places.objects.filter(pk=admission.pk).exists()


def test_a_new_admission_has_its_places_row() -> None:
    places = AdmissionFactory().places

    assert (places.capacity, places.taken, places.waiting, places.next_position) == (None, 0, 0, 1)


@pytest.mark.parametrize("status", RegistrationStatus.values)
def test_a_new_registration_counts_itself(status: str) -> None:
    admission = AdmissionFactory()

    registration = RegistrationFactory(admission=admission, status=status)

    places = Places.objects.get(pk=admission.pk)
    assert places.taken == (status in TAKING)
    assert places.waiting == (status == RegistrationStatus.WAITLISTED)
    registration.delete()
    places.refresh_from_db()
    assert (places.taken, places.waiting) == (0, 0)


def test_positions_are_never_given_again() -> None:
    admission = AdmissionFactory()
    last = RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)
    last.delete()

    again = RegistrationFactory(admission=admission, status=RegistrationStatus.WAITLISTED)

    assert again.position == 2


# --- moves ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(RegistrationStatus.values, 2)))
def test_the_database_allows_exactly_the_moves_of_the_code(before: str, after: str) -> None:
    registration = RegistrationFactory(status=before)
    position = 77 if after == RegistrationStatus.WAITLISTED else None
    cancelled_at = NOW if after == RegistrationStatus.CANCELLED else None

    refusal = ""
    try:
        with transaction.atomic():
            Registration.objects.filter(pk=registration.pk).update(
                status=after, position=position, cancelled_at=cancelled_at
            )
    except IntegrityError as error:
        refusal = db.constraint_name(error)

    assert refusal == ("" if after in MOVES[before] else "registration_move_is_allowed")


def test_the_list_of_moves_in_the_database_is_the_one_in_the_code() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT prosrc FROM pg_proc WHERE proname = 'registration_guard_moves'")
        source = cursor.fetchone()[0]

    listed = set(re.findall(r"'(\w+>\w+)'", source))
    assert listed == {f"{before}>{after}" for before, allowed in MOVES.items() for after in allowed}


def test_the_states_that_take_a_place_are_the_same_in_the_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status FROM unnest(%s::text[]) status WHERE registration_holds_place(status)",
            [RegistrationStatus.values],
        )
        rows = cursor.fetchall()

    assert {row[0] for row in rows} == TAKING


def test_a_registration_keeps_its_admission() -> None:
    registration = RegistrationFactory()
    other = AdmissionFactory()

    constraint = refused(
        "UPDATE registration_registration SET admission_id = %s WHERE id = %s", other.pk, registration.pk
    )

    assert constraint == "registration_keeps_its_admission"


def test_the_guard_can_be_taken_out_and_put_back() -> None:
    guard = importlib.import_module("registration.migrations.0002_places_guard")

    with connection.cursor() as cursor:
        cursor.execute(guard.BACKWARD)
        cursor.execute(guard.FORWARD)

    admission = AdmissionFactory(capacity=0)
    assert refused(insert_confirmed(admission)) == "places_not_oversold"
