"""The admin's waiting lists: every skip explained, open offers, and reserves through their service."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts import actors
from registration import services
from registration.models import Admission, Places, Registration, RegistrationStatus, Reserve
from registration.seating import lines
from tests.factories import (
    NOW,
    AdmissionFactory,
    CountryFactory,
    DelegationFactory,
    ParticipantFactory,
    RegistrationFactory,
    RoleFactory,
)

pytestmark = pytest.mark.django_db

S = RegistrationStatus


def waits(admission: Admission, **person: Any) -> Registration:
    """The next in line."""
    participant = ParticipantFactory(conference=admission.conference, **person)
    return RegistrationFactory(admission=admission, participant=participant, status=S.WAITLISTED)


def loaded(admission: Admission) -> Admission:
    """With what the page has."""
    return Admission.objects.select_related("session", "conference", "places").get(pk=admission.pk)


def why(admission: Admission) -> list[list[str]]:
    """The reasons, person by person."""
    return [list(one.why) for one in lines.read(loaded(admission), now=NOW).waiting]


def test_each_skip_has_its_reason() -> None:
    admission = AdmissionFactory(capacity=2, approval="audience", audience_categories=["media", "academia"])
    Reserve.objects.create(admission=admission, categories=["academia"], places=1)
    RegistrationFactory(admission=admission)
    waits(admission, category="business")
    waits(admission, category="media")
    waits(admission, category="academia")  # a seat is free for this one; nothing has promoted yet

    assert why(admission) == [
        ["Not in the audience: it has been narrowed since, or the person's data were corrected."],
        ["The free seats are reserved for others: Academia."],
        ["A seat is free and is given within a minute."],
    ]
    services.promote_into_free_places(now=NOW)
    assert why(admission) == [
        [
            "Not in the audience: it has been narrowed since, or the person's data were corrected.",
        ],
        ["All places are taken."],
    ]


def test_who_came_later_and_has_a_seat_is_counted() -> None:
    admission = AdmissionFactory(capacity=1)
    kept = Reserve.objects.create(admission=admission, categories=["academia"], places=1)
    first = waits(admission, category="media")
    Registration.objects.filter(pk=first.pk).update(created_at=NOW.replace(hour=1))
    RegistrationFactory(admission=admission, reserve=kept, decided_at=NOW, decided_by_kind="system")

    assert why(admission) == [["All places are taken.", "Passed by 1 person with a seat reserved for others."]]


def test_a_full_quota_and_an_event_that_has_begun() -> None:
    admission = AdmissionFactory(session=None, mode="in_person", capacity=3)
    delegation = DelegationFactory(conference=admission.conference, country=CountryFactory(), quota_in_person=0)
    waits(admission, delegation=delegation, delegation_capacity="adviser")
    begun = AdmissionFactory(capacity=0)
    waits(begun)

    assert why(admission) == [["Delegation quota full: all its seats are taken."]]
    late = lines.read(loaded(begun), now=begun.session.starts_at)
    assert [list(one.why) for one in late.waiting] == [["Nobody moves up any more: it has begun, or is cancelled."]]


@pytest.mark.parametrize("count", [1, 3])
def test_a_line_costs_the_same_however_long(count: int, django_assert_num_queries: Any) -> None:
    admission = AdmissionFactory(capacity=0)
    for _n in range(count):
        waits(admission)
    row = loaded(admission)

    with django_assert_num_queries(7):
        lines.read(row, now=NOW)


# --- the pages --------------------------------------------------------------------------------------------------------


@pytest.fixture
def admission() -> Admission:
    """One with two places and somebody in line."""
    found = AdmissionFactory(capacity=2)
    RegistrationFactory.create_batch(2, admission=found)
    waits(found, category="media")
    return found


def address(admission: Admission, end: str = "") -> str:
    """Of the page about one line."""
    return f"/admin/events/conference/{admission.conference_id}/waiting-lists/{admission.public_id}/{end}"


def organiser(client: Client, admission: Admission) -> Client:
    """Somebody of the conference."""
    client.force_login(RoleFactory(kind="organiser", conference=admission.conference).user)
    return client


def test_the_pages_show_who_waits_and_what_is_offered(client: Client, admission: Admission) -> None:
    organiser(client, admission)
    offered = waits(admission)
    Registration.objects.filter(status=S.CONFIRMED).earliest("pk").delete()
    Registration.objects.filter(pk=offered.pk).update(status=S.OFFERED, position=None, offer_expires_at=NOW)

    overview = client.get(f"/admin/events/conference/{admission.conference_id}/waiting-lists/").content.decode()
    page = client.get(address(admission)).content.decode()

    assert address(admission) in overview
    assert "All places are taken." in page
    assert offered.participant.display_name in page
    assert client.get(address(AdmissionFactory(conference=admission.conference))).status_code == 200
    assert client.get(address(admission).replace(str(admission.public_id), str(offered.public_id))).status_code == 404


def test_a_reserve_is_set_up_changed_and_given_back(client: Client, admission: Admission) -> None:
    organiser(client, admission)

    def send(query: str = "", **values: Any) -> Any:
        return client.post(address(admission, f"reserve/{query}"), values)

    set_up = send(categories=["media", "academia"], places=1, returns_at="2030-07-10T12:00")
    reserve = Reserve.objects.get()
    query = f"?reserve={reserve.public_id}"
    form = client.get(address(admission, f"reserve/{query}")).content.decode()
    too_large = send(query, categories=["media"], places=3)
    changed = send(query, categories=["media"], places=2)

    assert (set_up.status_code, changed.status_code) == (302, 302)
    assert 'value="2030-07-10T12:00"' in form
    assert "cannot have more places together" in too_large.content.decode()
    reserve.refresh_from_db()
    assert (reserve.categories, reserve.places, reserve.returns_at) == (["media"], 2, None)
    held = Registration.objects.filter(status=S.CONFIRMED).earliest("pk")
    services.cancel(registration_id=held.pk, by=actors.PARTICIPANT, now=NOW)
    assert Registration.objects.get(reserve=reserve).participant.category == "media"
    send(query, action="remove")
    reserve.refresh_from_db()
    assert reserve.released_at is not None
    assert send(query, action="remove").status_code == 404
    assert Places.objects.get(pk=admission.pk).held == 0


def test_two_organisers_do_not_overwrite_each_other(client: Client, admission: Admission) -> None:
    organiser(client, admission)
    reserve = Reserve.objects.create(admission=admission, categories=["media"], places=1)
    path = address(admission, f"reserve/?reserve={reserve.public_id}")
    seen = client.get(path).context["seen"]
    Reserve.objects.filter(pk=reserve.pk).update(places=2)

    late = client.post(path, {"categories": ["academia"], "places": 1, "seen": seen}, follow=True)

    assert "Somebody else has changed this reserve meanwhile." in late.content.decode()
    reserve.refresh_from_db()
    assert (reserve.categories, reserve.places) == (["media"], 2)
    again = client.post(path, {"categories": ["academia"], "places": 1, "seen": late.context["seen"]})
    assert again.status_code == 302
    reserve.refresh_from_db()
    assert (reserve.categories, reserve.places) == (["academia"], 1)


def test_who_may_only_see_changes_no_reserve(client: Client, admission: Admission) -> None:
    client.force_login(RoleFactory(kind="viewer", conference=admission.conference).user)

    refused = client.post(address(admission, "reserve/"), {"categories": ["media"], "places": 1})

    assert refused.status_code == 403
    assert not Reserve.objects.exists()
