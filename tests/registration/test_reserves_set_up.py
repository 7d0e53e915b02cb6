"""Reserves set up, shrunk, removed, and given back when their time has come."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import actors
from accounts.models import AuditEntry
from registration import services, views
from registration.models import (
    Admission,
    RegistrationStatus,
    Reserve,
)
from registration.services.places import claim
from tests.factories import (
    NOW,
    AdmissionFactory,
)
from tests.registration.test_reserves import CONFIRMED, WAITLISTED, cancel, numbers, reserve, somebody, status_of

pytestmark = pytest.mark.django_db


def set_up(admission: Admission, places: int, *categories: str, **more: Any) -> Reserve:
    """By the service."""
    values: dict[str, Any] = {"returns_at": None, "by": actors.SYSTEM, "now": NOW} | more
    return services.set_reserve(admission_id=admission.pk, categories=categories, places=places, **values)


def test_a_reserve_larger_than_what_is_free_fills_as_seats_come_free() -> None:
    admission = AdmissionFactory(capacity=2)
    first, second = somebody(admission, "media"), somebody(admission, "media")
    media, delegate = somebody(admission, "media", WAITLISTED), somebody(admission, "delegation", WAITLISTED)

    kept = set_up(admission, 1, "delegation")
    cancel(first)
    cancel(second)

    assert [status_of(one) for one in (media, delegate)] == [CONFIRMED, CONFIRMED]
    delegate.refresh_from_db()
    assert delegate.reserve == kept
    assert AuditEntry.objects.get(action="admission.reserve_added").details == {
        "to": {"categories": ["delegation"], "places": 1, "returns_at": None}
    }


def test_reserves_larger_than_the_capacity_are_refused() -> None:
    admission = AdmissionFactory(capacity=3)
    set_up(admission, 2, "delegation")

    with pytest.raises(services.ReserveTooLarge):
        set_up(admission, 2, "media")
    assert Reserve.objects.count() == 1


@pytest.mark.parametrize(("places", "categories"), [(0, ["media"]), (1, []), (1, ["media", "nobody"])])
def test_a_reserve_for_nobody_is_refused(places: int, categories: list[str]) -> None:
    with pytest.raises(services.ReserveForNobody):
        set_up(AdmissionFactory(capacity=3), places, *categories)


def test_shrinking_a_reserve_serves_everybody_and_takes_no_seat() -> None:
    admission = AdmissionFactory(capacity=3)
    kept = set_up(admission, 3, "delegation")
    seated = [somebody(admission, "delegation", reserve=kept) for _n in range(2)]
    media = somebody(admission, "media", WAITLISTED)

    set_up(admission, 1, "delegation", reserve_id=kept.pk)

    assert [status_of(one) for one in (*seated, media)] == [CONFIRMED] * 3
    assert numbers(admission) == (3, 0, 0)


def test_removing_a_reserve_serves_everybody_and_keeps_where_seats_came_from() -> None:
    admission = AdmissionFactory(capacity=3)
    kept, empty = set_up(admission, 2, "delegation"), set_up(admission, 1, "academia")
    somebody(admission, "delegation", reserve=kept)
    waiting = [somebody(admission, "media", WAITLISTED) for _n in range(2)]

    services.remove_reserve(reserve_id=empty.pk, by=actors.SYSTEM, now=NOW)
    assert [status_of(one) for one in waiting] == [CONFIRMED, WAITLISTED]
    services.remove_reserve(reserve_id=kept.pk, by=actors.SYSTEM, now=NOW)
    services.remove_reserve(reserve_id=kept.pk, by=actors.SYSTEM, now=NOW)

    assert [status_of(one) for one in waiting] == [CONFIRMED, CONFIRMED]
    assert list(Reserve.objects.values_list("pk", "released_at")) == [(kept.pk, NOW)]
    with pytest.raises(services.ReserveIsReleased):
        set_up(admission, 3, "delegation", reserve_id=kept.pk)
    assert AuditEntry.objects.filter(action="admission.reserve_removed").count() == 2


def test_a_reserve_returns_at_its_time_to_the_first_in_line() -> None:
    admission = AdmissionFactory(capacity=2)
    set_up(admission, 1, "delegation", returns_at=NOW + timedelta(hours=1))
    set_up(admission, 1, "academia")
    media = somebody(admission, "media", WAITLISTED)

    assert services.release_due_reserves(now=NOW + timedelta(minutes=59)) == 0
    assert services.release_due_reserves(now=NOW + timedelta(hours=1)) == 1
    assert services.release_due_reserves(now=NOW + timedelta(hours=1)) == 0

    assert status_of(media) == CONFIRMED
    assert numbers(admission) == (1, 0, 1)
    assert AuditEntry.objects.filter(action="admission.reserve_released").count() == 1


def test_without_reserves_the_claim_is_one_statement(django_assert_num_queries: Any) -> None:
    admission = AdmissionFactory(capacity=1)
    pending = [somebody(admission, "media", RegistrationStatus.PENDING) for _n in range(2)]

    with django_assert_num_queries(2):
        for registration in pending:
            claim(admission_ids=[admission.pk], registration_ids=[registration.pk], by=actors.SYSTEM, now=NOW)

    assert [status_of(one) for one in pending] == [CONFIRMED, WAITLISTED]


def test_the_form_says_what_is_kept_for_whom_and_not_how_much_of_it_is_taken(client: Client) -> None:
    admission = AdmissionFactory(capacity=5)
    kept = reserve(admission, 3, "delegation", "academia", returns_at=NOW)
    somebody(admission, "academia", reserve=kept)

    page = client.get(f"/en/{admission.conference.slug}/register/").content.decode()

    assert "3 places are kept for: Delegation or State institution, Academia." in page
    assert "2 of 5 places left" in page
    somebody(admission, "media")
    somebody(admission, "media")
    views._empty_forms.clear()
    full = client.get(f"/en/{admission.conference.slug}/register/").content.decode()
    assert "No places left but those kept for some" in full
