"""Registrations, places and people in the admin: services do the moving, and nothing gives a protected person away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry, User
from outbox.models import Message
from registration.models import Admission, Participant, Places, Registration
from registration.models.registration import REASON_FULL
from tests.factories import (
    NOW,
    AdmissionFactory,
    CountryFactory,
    ParticipantFactory,
    RegistrationFactory,
    SideEventFactory,
    StaffFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LIST = "admin:registration_registration_changelist"


@pytest.fixture
def user() -> User:
    """An administrator."""
    found: User = StaffFactory()
    return found


@pytest.fixture
def administrator(user: User, client: Client) -> Client:
    """A browser in which an administrator is signed in."""
    client.force_login(user)
    return client


def coming(**kwargs: Any) -> Admission:
    """An admission to something that is still to come by the clock on the wall, which the admin uses."""
    starts_at = timezone.now() + timedelta(days=30)
    session = SideEventFactory(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    admission: Admission = AdmissionFactory(session=session, **kwargs)
    return admission


def act(client: Client, action: str, rows: list[Registration], **more: str) -> Any:
    """Choose an action for some registrations, as the list's form sends it."""
    sent = {"action": action, "_selected_action": [row.pk for row in rows], "index": "0", **more}
    return client.post(reverse(LIST), sent, follow=True)


def said(response: Any) -> list[str]:
    """What the next page says."""
    return [str(message) for message in response.context["messages"]]


def statuses(admission: Admission) -> list[str]:
    """Statuses of an admission's registrations in the order in which they were made."""
    return list(Registration.objects.filter(admission=admission).order_by("pk").values_list("status", flat=True))


# --- actions --------------------------------------------------------------------------------------------------------


def test_approve_gives_places_in_the_order_of_registering_and_says_how_it_went(
    administrator: Client, user: User
) -> None:
    admission = coming(capacity=1)
    second = RegistrationFactory(admission=admission, status="pending", created_at=NOW + timedelta(minutes=1))
    first = RegistrationFactory(admission=admission, status="pending", created_at=NOW)
    gone = RegistrationFactory(admission=admission, status="cancelled")

    response = act(administrator, "approve_selected", [second, first, gone])

    assert statuses(admission) == ["waitlisted", "confirmed", "cancelled"]
    assert said(response) == [
        "2 registrations approved (Confirmed: 1, On the waiting list: 1).",
        "1 registration left as it is: This registration does not await approval any more. Load the page again to see "
        "where it stands.",
    ]
    first.refresh_from_db()
    assert (first.decided_by_kind, first.decided_by) == ("organiser", user)
    assert Message.objects.filter(topic="registration.status").count() == 2
    assert set(AuditEntry.objects.values_list("action", "actor_user")) == {("registration.approved", user.pk)}


def test_reject_asks_for_a_reason_first(administrator: Client) -> None:
    admission = coming()
    registration = RegistrationFactory(admission=admission, status="pending")

    asked = act(administrator, "reject_selected", [registration])
    without = act(administrator, "reject_selected", [registration], confirmed="yes", reason=" ")

    assert statuses(admission) == ["pending"]
    assert "Reject registrations" in asked.text
    assert registration.participant.display_name in asked.text
    assert "This field is required" in without.text
    assert "This field is required" not in asked.text

    done = act(administrator, "reject_selected", [registration], confirmed="yes", reason="The hall is too small.")

    assert statuses(admission) == ["rejected"]
    assert said(done) == ["1 registration rejected (Not admitted: 1)."]
    assert Registration.objects.get().reason == "The hall is too small."


@pytest.mark.parametrize("action", ["reject_selected", "cancel_selected"])
def test_reasons_of_the_system_cannot_be_typed(administrator: Client, action: str) -> None:
    admission = coming()
    registration = RegistrationFactory(admission=admission, status="pending")

    for code in (REASON_FULL, f"  {REASON_FULL}"):
        response = act(administrator, action, [registration], confirmed="yes", reason=code)
        assert "A reason does not begin with" in response.text
    assert statuses(admission) == ["pending"]

    act(administrator, action, [registration], confirmed="yes", reason="full")

    registration.refresh_from_db()
    assert (registration.reason_told, registration.was_full) == ("full", False)


def test_reasons_of_the_system_are_shown_in_words(administrator: Client) -> None:
    registration = RegistrationFactory(admission=coming(), status="rejected", reason=REASON_FULL)

    text = administrator.get(reverse("admin:registration_registration_change", args=[registration.pk])).text

    assert "All places were taken" in text
    assert REASON_FULL not in text


def test_reject_what_cannot_be_rejected_is_explained(administrator: Client) -> None:
    admission = coming()
    confirmed = RegistrationFactory(admission=admission)

    response = act(administrator, "reject_selected", [confirmed], confirmed="yes", reason="No.")

    assert statuses(admission) == ["confirmed"]
    assert len(said(response)) == 1
    assert said(response)[0].startswith("1 registration left as it is: ")


def test_cancel_promotes_the_next_and_twice_is_explained(administrator: Client) -> None:
    admission = coming(capacity=1)
    taken = RegistrationFactory(admission=admission)
    RegistrationFactory(admission=admission, status="waitlisted")

    asked = act(administrator, "cancel_selected", [taken])
    assert "Cancel registrations" in asked.text
    assert statuses(admission) == ["confirmed", "waitlisted"]
    first = act(administrator, "cancel_selected", [taken], confirmed="yes", reason="")
    second = act(administrator, "cancel_selected", [taken], confirmed="yes", reason="")

    assert statuses(admission) == ["cancelled", "confirmed"]
    assert said(first) == ["1 registration cancelled (Cancelled: 1)."]
    assert said(second) == ["1 registration left as it is: This registration has ended already."]


def test_actions_need_the_permission_to_change(client: Client) -> None:
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_registration"))
    client.force_login(viewer)
    admission = coming()
    registration = RegistrationFactory(admission=admission, status="pending")

    page = client.get(reverse("admin:registration_registration_change", args=[registration.pk]))
    act(client, "approve_selected", [registration])
    act(client, "cancel_selected", [registration], confirmed="yes")

    assert page.status_code == 200
    assert "approve_selected" not in page.text
    assert statuses(admission) == ["pending"]


def test_page_of_a_registration_offers_what_is_possible_from_there(administrator: Client) -> None:
    admission = coming()
    offered = {}
    for status in ("pending", "waitlisted", "confirmed", "rejected", "cancelled"):
        registration = RegistrationFactory(admission=admission, status=status)
        page = administrator.get(reverse("admin:registration_registration_change", args=[registration.pk]))
        offered[status] = [move["action"] for move in page.context["moves"]]

    assert offered == {
        "pending": ["approve_selected", "reject_selected", "cancel_selected"],
        "waitlisted": ["reject_selected", "cancel_selected"],
        "confirmed": ["cancel_selected"],
        "rejected": [],
        "cancelled": [],
    }


def test_states_cannot_be_posted(administrator: Client) -> None:
    registration = RegistrationFactory(admission=coming(), status="pending")
    page = reverse("admin:registration_registration_change", args=[registration.pk])

    administrator.post(page, {"status": "confirmed", "reason": "x", "position": "1", "version": "9", "_save": "Save"})

    registration.refresh_from_db()
    assert (registration.status, registration.reason, registration.version) == ("pending", "", 1)
    assert 'name="status"' not in administrator.get(page).text
    assert 'name="_save"' not in administrator.get(page).text


def test_nobody_adds_or_deletes_registrations_and_people(administrator: Client) -> None:
    registration = RegistrationFactory(admission=coming())
    rows = [("registration", registration.pk), ("participant", registration.participant_id)]

    for model, pk in rows:
        pages = [
            reverse(f"admin:registration_{model}_add"),
            reverse(f"admin:registration_{model}_delete", args=[pk]),
        ]
        assert [administrator.post(page, {"post": "yes"}).status_code for page in pages] == [403, 403]
        selected = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        administrator.post(reverse(f"admin:registration_{model}_changelist"), selected)

    assert (Registration.objects.count(), Participant.objects.count()) == (1, 1)


def test_conference_with_people_is_not_deleted(administrator: Client) -> None:
    person = ParticipantFactory()
    page = reverse("admin:events_conference_delete", args=[person.conference_id])

    assert administrator.post(page, {"post": "yes"}).status_code == 403
    assert Participant.objects.count() == 1


def test_list_shows_the_place_in_line_without_gaps(administrator: Client) -> None:
    admission = coming(capacity=0)
    people = [RegistrationFactory(admission=admission, status="waitlisted") for _ in range(3)]
    act(administrator, "cancel_selected", [people[0]], confirmed="yes")

    rows = administrator.get(reverse(LIST), {"status__exact": "waitlisted"}).context["cl"].result_list

    assert {row.pk: row.place_in_line for row in rows} == {people[1].pk: 1, people[2].pk: 2}


def test_list_filters_by_conference_admission_category_and_country(administrator: Client) -> None:
    admission, other = coming(), coming()
    country = CountryFactory()
    person = ParticipantFactory(conference=admission.conference, country=country, category="academia")
    registration = RegistrationFactory(admission=admission, participant=person)
    RegistrationFactory(admission=other)

    for query in (
        {"admission__conference__id__exact": admission.conference_id},
        {"admission__id__exact": admission.pk},
        {"participant__category__exact": "academia"},
        {"participant__country__id__exact": country.pk},
    ):
        found = administrator.get(reverse(LIST), query).context["cl"].result_list
        assert [row.pk for row in found] == [registration.pk], query


# --- places ---------------------------------------------------------------------------------------------------------


def test_capacity_is_changed_by_the_service_and_promotes(administrator: Client, user: User) -> None:
    admission = coming(capacity=0)
    for _ in range(2):
        RegistrationFactory(admission=admission, status="waitlisted")
    page = reverse("admin:registration_admission_capacity", args=[admission.pk])

    shown = administrator.get(page)
    response = administrator.post(page, {"capacity": "1"}, follow=True)

    assert "<dt>Taken</dt><dd>1</dd>" in response.text

    assert shown.status_code == 200
    assert statuses(admission) == ["confirmed", "waitlisted"]
    assert said(response) == [
        "The capacity is changed.",
        "1 person moved up from the waiting list and gets a mail.",
    ]
    assert AuditEntry.objects.filter(action="admission.capacity_changed", actor_user=user).count() == 1

    administrator.post(page, {"capacity": ""})
    assert Places.objects.get(admission=admission).capacity is None
    assert statuses(admission) == ["confirmed", "confirmed"]


@pytest.mark.parametrize("capacity", ["-1", "x", "99999999999999", "1.5"])
def test_capacity_that_is_none_is_explained(capacity: str, administrator: Client) -> None:
    admission = coming(capacity=5)

    response = administrator.post(
        reverse("admin:registration_admission_capacity", args=[admission.pk]), {"capacity": capacity}
    )

    assert response.status_code == 200
    assert response.context["form"].errors
    assert Places.objects.get(admission=admission).capacity == 5


def test_capacity_page_is_for_those_who_may_change_admissions(client: Client) -> None:
    admission = coming(capacity=5)
    page = reverse("admin:registration_admission_capacity", args=[admission.pk])
    viewer = UserFactory(is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_admission"))

    stranger = client.post(page, {"capacity": "9"})
    client.force_login(viewer)
    refused = client.post(page, {"capacity": "9"})

    assert stranger.status_code == 302
    assert refused.status_code == 403
    assert Places.objects.get(admission=admission).capacity == 5


def test_admission_keeps_what_is_attended_and_its_places(administrator: Client) -> None:
    admission, other = coming(capacity=5), coming()
    page = reverse("admin:registration_admission_change", args=[admission.pk])
    sent = {"session": other.session_id, "mode": "in_person", "capacity": "99", "taken": "9",
        "approval": "manual", "claim_hours": "24",
            "waiting": "none"}  # fmt: skip

    response = administrator.post(page, sent)

    assert response.status_code == 302
    admission.refresh_from_db()
    assert (admission.session_id == other.session_id, admission.mode, admission.approval) == (False, "online", "manual")
    assert Places.objects.values_list("capacity", "taken").get(admission=admission) == (5, 0)


def test_admission_times_are_taken_on_the_venues_clock(administrator: Client) -> None:
    admission = coming()
    page = reverse("admin:registration_admission_change", args=[admission.pk])
    sent = {
        "approval": "automatic",
        "waiting": "direct",
        "claim_hours": "24",
        "closes_at_0": "2030-07-15",
        "closes_at_1": "10:00:00",
    }

    administrator.post(page, sent)

    admission.refresh_from_db()
    assert admission.closes_at is not None
    assert admission.closes_at.isoformat() == "2030-07-15T08:00:00+00:00"  # Vienna in summer
    assert 'value="10:00:00"' in administrator.get(page).text


def test_second_admission_to_the_same_is_explained(administrator: Client) -> None:
    admission = coming()
    sent = {
        "conference": admission.conference_id, "session": admission.session_id, "mode": "online",
        "approval": "automatic", "waiting": "direct", "claim_hours": "24",
    }  # fmt: skip

    response = administrator.post(reverse("admin:registration_admission_add"), sent)

    assert response.status_code == 200
    assert response.context["adminform"].form.errors == {"mode": ["There is an admission to this in this way already."]}
    assert Admission.objects.count() == 1


def test_admission_to_a_session_of_another_conference_is_explained(administrator: Client) -> None:
    admission, other = coming(), coming()
    sent = {
        "conference": admission.conference_id, "session": other.session_id, "mode": "in_person",
        "approval": "automatic", "waiting": "direct", "claim_hours": "24",
    }  # fmt: skip

    response = administrator.post(reverse("admin:registration_admission_add"), sent)

    assert response.context["adminform"].form.errors == {"session": ["This belongs to another conference."]}


def test_new_admission_leads_to_its_capacity(administrator: Client) -> None:
    session = SideEventFactory()
    sent = {
        "conference": session.conference_id, "session": session.pk, "mode": "online", "approval": "automatic",
        "claim_hours": "24",
        "waiting": "direct", "_save": "Save",
    }  # fmt: skip

    response = administrator.post(reverse("admin:registration_admission_add"), sent)

    admission = Admission.objects.get()
    assert response.headers["Location"] == reverse("admin:registration_admission_capacity", args=[admission.pk])
