"""Seats kept for some: who gets which, who is passed over, when they return, and that SQL cannot go around it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts import actors
from accounts.actors import Actor
from accounts.models import AuditEntry
from alliance import db
from outbox.models import Message
from registration import services
from registration.models import (
    Admission,
    IdempotencyKey,
    Participant,
    Places,
    Registration,
    RegistrationStatus,
    Reserve,
)
from registration.seating import seats
from tests.factories import (
    NOW,
    AdmissionFactory,
    CountryFactory,
    DelegationFactory,
    ParticipantFactory,
    RegistrationFactory,
    StaffFactory,
)
from tests.registration.people import confirm_wishes, loaded, register
from tests.registration.test_races import at_once

pytestmark = pytest.mark.django_db

CONFIRMED, WAITLISTED = RegistrationStatus.CONFIRMED, RegistrationStatus.WAITLISTED


def reserve(admission: Admission, places: int, *categories: str, **more: Any) -> Reserve:
    """Seats kept for the categories."""
    return Reserve.objects.create(admission=admission, categories=list(categories), places=places, **more)


def somebody(admission: Admission, category: str, status: str = CONFIRMED, **more: Any) -> Registration:
    """A registration of somebody of the category."""
    person = ParticipantFactory(conference=admission.conference, category=category)
    return RegistrationFactory(admission=admission, participant=person, status=status, **more)


def numbers(admission: Admission) -> tuple[int, int, int]:
    """taken, waiting, held."""
    row = Places.objects.get(pk=admission.pk)
    return row.taken, row.waiting, row.held


def comes(admission: Admission, number: int, category: str) -> tuple[str, int | None]:
    """What a newcomer is told: status and place in line."""
    answer = register(admission, token=f"t{number}", email=f"p{number}@mail.example", category=category)
    return answer.outcomes[0].status.value, answer.outcomes[0].position


def cancel(registration: Registration) -> None:
    """They leave."""
    services.cancel(registration_id=registration.pk, by=actors.PARTICIPANT, now=NOW)


def status_of(registration: Registration) -> str:
    """As it stands now."""
    return Registration.objects.values_list("status", flat=True).get(pk=registration.pk)


# --- what no path can do ----------------------------------------------------------------------------------------------


def refused(sql: str, *values: int | None) -> str:
    """Run a statement that must be refused; the name of the constraint that did it."""
    with pytest.raises(IntegrityError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)
    return db.constraint_name(error.value)


MOVE = "UPDATE registration_registration SET status = 'confirmed', position = NULL, reserve_id = %s WHERE id = %s"


def test_sql_cannot_take_a_seat_for_everybody_that_a_reserve_holds_back() -> None:
    admission = AdmissionFactory(capacity=2)
    kept = reserve(admission, 1, "delegation")
    somebody(admission, "media")
    waiting = somebody(admission, "media", WAITLISTED)

    assert refused(MOVE, None, waiting.pk) == "places_kept_for_reserves"
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [kept.pk, waiting.pk])
    assert numbers(admission) == (2, 0, 0)


def test_sql_cannot_take_more_of_a_reserve_than_it_has() -> None:
    admission = AdmissionFactory(capacity=5)
    kept = reserve(admission, 1, "delegation")
    somebody(admission, "delegation", reserve=kept)
    waiting = somebody(admission, "delegation", WAITLISTED)

    assert refused(MOVE, kept.pk, waiting.pk) == "reserve_not_oversold"


def test_sql_cannot_take_a_seat_of_a_reserve_beyond_the_capacity() -> None:
    admission = AdmissionFactory(capacity=1)
    kept = reserve(admission, 3, "delegation")
    somebody(admission, "delegation", reserve=kept)
    waiting = somebody(admission, "delegation", WAITLISTED)

    assert refused(MOVE, kept.pk, waiting.pk) == "places_not_oversold"


def test_sql_cannot_take_from_a_released_reserve_or_one_of_another_admission() -> None:
    admission = AdmissionFactory(capacity=5)
    released = reserve(admission, 1, "delegation", released_at=NOW)
    elsewhere = reserve(AdmissionFactory(capacity=5), 1, "delegation")
    waiting = somebody(admission, "delegation", WAITLISTED)

    assert refused(MOVE, released.pk, waiting.pk) == "reserve_is_released"
    assert refused(MOVE, elsewhere.pk, waiting.pk) == "registration_reserve_is_of_its_admission"


def test_sql_cannot_count_by_hand() -> None:
    admission = AdmissionFactory(capacity=5)
    kept = reserve(admission, 2, "delegation")
    waiting = somebody(admission, "delegation", WAITLISTED)
    by_hand = "INSERT INTO registration_reserve (public_id, admission_id, categories, places, taken) VALUES "

    assert refused("UPDATE registration_reserve SET taken = 1 WHERE id = %s", kept.pk).startswith("reserve_counted")
    assert refused("UPDATE registration_places SET held = 0 WHERE held = 2").startswith("places_counted")
    assert refused(by_hand + "(gen_random_uuid(), %s, '{media}', 2, 1)", admission.pk).startswith("reserve_counted")
    assert refused(
        "UPDATE registration_registration SET reserve_id = %s WHERE id = %s", kept.pk, waiting.pk
    ).startswith("registration_waits_outside")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ("'{media}', 0", "reserve_has_places"),
        ("'{}', 2", "reserve_is_for_somebody"),
        ("'{nobody}', 2", "reserve_categories_are_known"),
    ],
)
def test_a_reserve_is_for_somebody_and_has_places(values: str, name: str) -> None:
    admission = AdmissionFactory(capacity=5)
    insert = "INSERT INTO registration_reserve (public_id, admission_id, categories, places, taken) VALUES "

    assert refused(f"{insert} (gen_random_uuid(), %s, {values}, 0)", admission.pk) == name


def test_the_reserves_hold_back_what_nobody_has_of_them() -> None:
    admission = AdmissionFactory(capacity=10)
    one, other = reserve(admission, 3, "delegation"), reserve(admission, 2, "academia")
    seated = somebody(admission, "delegation", reserve=one)
    assert numbers(admission) == (1, 0, 4)

    one.places = 1  # nobody loses a seat
    one.save(update_fields=["places"])
    assert numbers(admission) == (1, 0, 2)
    other.released_at = NOW
    other.save(update_fields=["released_at"])
    assert numbers(admission) == (1, 0, 0)
    cancel(seated)
    assert numbers(admission) == (0, 0, 1)
    Registration.objects.all().delete()
    one.delete()
    assert numbers(admission) == (0, 0, 0)


# --- who gets which seat ----------------------------------------------------------------------------------------------


def test_a_reserved_seat_goes_first_and_then_one_for_everybody() -> None:
    admission = AdmissionFactory(capacity=3)
    kept = reserve(admission, 1, "delegation")

    told = [comes(admission, number, "delegation") for number in range(2)]

    assert told == [("confirmed", None)] * 2
    assert list(Registration.objects.order_by("pk").values_list("reserve", flat=True)) == [kept.pk, None]
    assert numbers(admission) == (2, 0, 0)


def test_others_get_only_seats_for_everybody_and_pass_nobody() -> None:
    admission = AdmissionFactory(capacity=2)
    reserve(admission, 1, "delegation")

    told = [comes(admission, n, category) for n, category in enumerate(["media", "media", "delegation", "delegation"])]

    assert told == [("confirmed", None), ("waitlisted", 1), ("confirmed", None), ("waitlisted", 2)]


def test_without_a_waiting_list_others_are_refused_and_the_reserve_stays() -> None:
    admission = AdmissionFactory(capacity=1, waiting="none")
    reserve(admission, 1, "delegation")

    assert comes(admission, 1, "media") == ("rejected", None)
    assert Registration.objects.get().was_full
    assert comes(admission, 2, "delegation") == ("confirmed", None)


def test_who_comes_does_not_pass_somebody_who_waits_for_the_same_reserved_seat() -> None:
    admission = AdmissionFactory(capacity=2)
    waiting = somebody(admission, "delegation", WAITLISTED)
    reserve(admission, 1, "delegation")  # by a path that promotes nobody

    assert comes(admission, 1, "delegation") == ("waitlisted", 2)
    assert comes(admission, 2, "media") == ("waitlisted", 3)
    services.promote_into_free_places(now=NOW)
    assert status_of(waiting) == CONFIRMED


def test_the_answer_to_a_known_address_is_what_its_entries_would_get() -> None:
    admission = AdmissionFactory(capacity=1)
    reserve(admission, 1, "delegation")
    comes(admission, 1, "media")  # waits

    again = register(admission, token="again", email="p1@mail.example", category="delegation")
    other = register(admission, token="other", email="p1@mail.example", category="media")

    assert [outcome.status for outcome in again.outcomes] == [CONFIRMED]
    assert [(outcome.status, outcome.position) for outcome in other.outcomes] == [(WAITLISTED, 2)]
    assert Registration.objects.get().status == WAITLISTED
    kept = {row.answer["outcomes"][0]["status"] for row in IdempotencyKey.objects.all()}
    assert kept == {"waitlisted", "confirmed"}


def test_a_known_person_is_judged_by_what_they_told_first() -> None:
    admission, other = AdmissionFactory(capacity=1), AdmissionFactory()
    Admission.objects.filter(pk=other.pk).update(conference=admission.conference)
    other.refresh_from_db()
    reserve(admission, 1, "delegation")
    register(other, token="first", email="p1@mail.example", category="media")

    answer = register(admission, token="again", email="p1@mail.example", category="delegation")

    assert answer.outcomes[0].status == CONFIRMED
    confirm_wishes()
    assert Registration.objects.get(admission=admission).status == WAITLISTED


def test_an_approved_person_gets_the_reserved_seat() -> None:
    admission = AdmissionFactory(capacity=1, approval="manual")
    kept = reserve(admission, 1, "delegation")
    pending = somebody(admission, "delegation", RegistrationStatus.PENDING)

    approved = services.approve(registration_id=pending.pk, by=actors.SYSTEM, now=NOW)

    approved.refresh_from_db()
    assert (approved.status, approved.version, approved.reserve) == (CONFIRMED, 2, kept)


# --- the line ---------------------------------------------------------------------------------------------------------


def test_a_freed_reserved_seat_goes_to_the_first_it_is_for_and_a_freed_other_to_the_first() -> None:
    admission = AdmissionFactory(capacity=2)
    kept = reserve(admission, 1, "delegation")
    of_all, of_reserve = somebody(admission, "media"), somebody(admission, "delegation", reserve=kept)
    media, delegate, later = (somebody(admission, c, WAITLISTED) for c in ("media", "delegation", "delegation"))

    cancel(of_reserve)
    assert [status_of(one) for one in (media, delegate, later)] == [WAITLISTED, CONFIRMED, WAITLISTED]
    cancel(of_all)
    assert [status_of(one) for one in (media, later)] == [CONFIRMED, WAITLISTED]
    assert numbers(admission) == (2, 1, 0)
    told = Message.objects.filter(topic="registration.status").values_list("about_id", flat=True)
    assert delegate.public_id in told
    assert AuditEntry.objects.get(action="registration.promoted", about_id=delegate.public_id).details == {
        "reserve": str(kept.public_id)
    }


def test_a_corrected_category_brings_somebody_a_seat_that_is_kept_for_it() -> None:
    admission = AdmissionFactory(capacity=1)
    reserve(admission, 1, "delegation")
    waiting = somebody(admission, "media", WAITLISTED)
    person = waiting.participant
    person.category = "delegation"
    person.save()

    assert services.promote_into_free_places(now=NOW) == 1
    assert status_of(waiting) == CONFIRMED


def test_correcting_oneself_opens_no_reserve_but_an_organisers_decision_does() -> None:
    admission = AdmissionFactory(capacity=2)
    kept = reserve(admission, 2, "delegation")
    corrected = somebody(admission, "delegation", WAITLISTED)
    approved = somebody(admission, "delegation", RegistrationStatus.PENDING)
    Participant.objects.update(audience_changed_at=NOW)

    assert comes(admission, 1, "delegation") == ("confirmed", None)  # passes nobody who could have the seat
    services.approve(registration_id=approved.pk, by=Actor.organiser(StaffFactory()), now=NOW)
    services.promote_into_free_places(now=NOW)

    assert (status_of(corrected), status_of(approved)) == (WAITLISTED, CONFIRMED)
    kept.refresh_from_db()
    assert kept.taken == 2


def test_who_is_outside_the_audience_by_now_is_passed_over_but_not_whom_an_organiser_let_in() -> None:
    admission = AdmissionFactory(capacity=0, approval="audience", audience_categories=["academia"])
    outside = somebody(admission, "media", WAITLISTED)
    let_in = somebody(admission, "media", WAITLISTED, decided_at=NOW, decided_by_kind="organiser")
    inside = somebody(admission, "academia", WAITLISTED)

    services.change_capacity(admission_id=admission.pk, capacity=3, by=actors.SYSTEM, now=NOW)

    assert [status_of(one) for one in (outside, let_in, inside)] == [WAITLISTED, CONFIRMED, CONFIRMED]
    assert comes(admission, 1, "academia") == ("confirmed", None)  # passes nobody who could have the place


def test_a_delegation_with_all_the_seats_of_its_quota_is_passed_over() -> None:
    admission = AdmissionFactory(session=None, mode="in_person", capacity=0)
    delegation = DelegationFactory(conference=admission.conference, country=CountryFactory(), quota_in_person=1)

    def member() -> Registration:
        registration = somebody(admission, "delegation", WAITLISTED)
        registration.participant.delegation, registration.participant.delegation_capacity = delegation, "adviser"
        registration.participant.save()
        return registration

    first, second, other = member(), member(), somebody(admission, "media", WAITLISTED)

    services.change_capacity(admission_id=admission.pk, capacity=5, by=actors.SYSTEM, now=NOW)

    assert [status_of(one) for one in (first, second, other)] == [CONFIRMED, WAITLISTED, CONFIRMED]
    assert seats.Bars(admission).why(Registration.objects.select_related("participant").get(pk=second.pk)) == "quota"


def test_rejecting_somebody_serves_the_line() -> None:
    admission = AdmissionFactory(capacity=0)
    first, second = (somebody(admission, "media", WAITLISTED) for _n in range(2))
    Places.objects.filter(pk=admission.pk).update(capacity=1)  # by a path that promotes nobody

    services.reject(registration_id=first.pk, by=actors.SYSTEM, now=NOW, reason="No.")

    assert status_of(second) == CONFIRMED


def test_serving_reads_only_those_whom_the_free_seats_are_for(django_assert_max_num_queries: Any) -> None:
    admission = AdmissionFactory(capacity=2)
    kept = reserve(admission, 1, "delegation")
    somebody(admission, "media")
    for _n in range(5):
        somebody(admission, "media", WAITLISTED)
    somebody(admission, "delegation", WAITLISTED)
    row = Places.objects.get(pk=admission.pk)

    with django_assert_max_num_queries(3):
        served = seats.serve(admission, seats.free(row), waiting=row.waiting)

    assert [(one.participant.category, from_reserve) for one, from_reserve in served] == [("delegation", kept)]


# --- at once ----------------------------------------------------------------------------------------------------------


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_rush_of_both_kinds_fills_reserve_and_rest_exactly() -> None:
    admission = AdmissionFactory(capacity=4)
    kept = reserve(admission, 2, "delegation")
    [as_the_form_has_it] = loaded(admission)

    def one(number: int, category: str) -> Callable[[], tuple[str, int | None]]:
        return lambda: comes(as_the_form_has_it, number, category)

    at_once([one(number, "media") for number in range(4)] + [one(number + 10, "delegation") for number in range(4)])

    kept.refresh_from_db()
    assert kept.taken == 2
    assert numbers(admission) == (4, 4, 0)
    standing = Registration.objects.values_list("participant__category", "status", "reserve")
    assert sorted(standing, key=str).count(("delegation", "confirmed", kept.pk)) == 2
    assert list(Registration.objects.in_waiting_order().values_list("position", flat=True)) == [1, 2, 3, 4]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_claim_sees_a_reserve_that_was_set_up_while_it_waited() -> None:
    admission = AdmissionFactory(capacity=1)
    [as_the_form_has_it] = loaded(admission)
    locked, tried = threading.Event(), threading.Event()

    def organiser() -> str:
        with transaction.atomic():
            Places.objects.select_for_update(no_key=True).get(pk=admission.pk)
            locked.set()
            assert not tried.wait(0.4)  # whoever claims stands still until we are done
            reserve(admission, 1, "delegation")
        return "reserved"

    def newcomer() -> str:
        locked.wait(10)
        told = comes(as_the_form_has_it, 1, "media")
        tried.set()
        return told[0]

    assert at_once([organiser, newcomer]) == ["reserved", "waitlisted"]
