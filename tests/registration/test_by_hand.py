"""Entering people by hand: the same rules of places, an audience rule that may be set aside, and nobody given away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from events.admin import pages
from events.models import Conference
from outbox.models import Message
from registration.models import Admission, Participant, Registration
from registration.models.participant import Identity
from tests import factories
from tests.factories import AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admission() -> Admission:
    """An admission to something that is still to come."""
    starts_at = timezone.now() + timedelta(days=30)
    session = SideEventFactory(starts_at=starts_at, ends_at=starts_at + timedelta(hours=1))
    made: Admission = AdmissionFactory(session=session, conference=session.conference)
    return made


@pytest.fixture
def user(client: Client, admission: Admission) -> User:
    """Somebody at the desk, signed in."""
    found: User = factories.RoleFactory(kind="desk", conference=admission.conference).user
    client.force_login(found)
    return found


def enter(client: Client, conference: Conference, *admissions: Admission, **more: Any) -> Any:
    """Fill the form in and send it."""
    url = pages.url("by-hand", conference)
    token = client.get(url).context["form"].initial["token"]
    sent = {
        "given_name": "Ada", "family_name": "Guest", "email": "ada@mail.example", "language": "fr",
        "category": "academia", "admissions": [admission.pk for admission in admissions], "asked": "on",
        "token": token, **more,
    }  # fmt: skip
    return client.post(url, sent)


def said(response: Any) -> list[str]:
    """What the page says."""
    return [str(message) for message in response.context["messages"]]


def test_person_is_registered_and_told_like_everybody(client: Client, user: User, admission: Admission) -> None:
    enter(client, admission.conference, admission)

    registration = Registration.objects.select_related("participant").get()
    assert (registration.status, registration.decided_by, registration.participant.language) == (
        "confirmed", user, "fr",
    )  # fmt: skip
    assert registration.participant.display_name == "Ada Guest"
    assert Message.objects.filter(topic="registration.received").count() == 1
    entry = AuditEntry.objects.get(action="registration.received")
    assert (entry.actor_user, entry.details["by_hand"], entry.details["override"]) == (user, True, "")


def test_corrected_after_it_was_sent_already_goes_through_at_the_next_press(
    client: Client, user: User, admission: Admission
) -> None:
    url = pages.url("by-hand", admission.conference)
    token = client.get(url).context["form"].initial["token"]
    enter(client, admission.conference, admission, token=token)

    other = enter(client, admission.conference, admission, token=token, email="ben@mail.example")
    fresh = other.context["form"]["token"].value()
    enter(client, admission.conference, admission, token=fresh, email="ben@mail.example")

    assert "sent before with other entries" in other.text
    assert fresh != token
    assert Registration.objects.count() == 2


def test_a_form_that_was_open_for_too_long_goes_through_at_the_next_press(
    client: Client, user: User, admission: Admission
) -> None:
    old = enter(client, admission.conference, admission, token="made:up:token")

    enter(client, admission.conference, admission, token=old.context["form"]["token"].value())

    assert "open for more than a day" in old.text
    assert Registration.objects.count() == 1


def test_nobody_is_entered_who_did_not_ask(client: Client, user: User, admission: Admission) -> None:
    page = enter(client, admission.conference, admission, asked="")

    assert "Register only people who have asked for it." in page.text
    assert not Participant.objects.exists()


def test_audience_counts_unless_a_reason_is_given_and_the_capacity_always(
    client: Client, user: User, admission: Admission
) -> None:
    Admission.objects.update(approval="audience", audience_categories=["media"])
    conference = admission.conference

    enter(client, conference, admission)
    enter(client, conference, admission, email="b@mail.example", override="Speaks in the panel")
    admission.places.capacity = 1
    admission.places.save(update_fields=["capacity"])
    enter(client, conference, admission, email="c@mail.example", override="Speaks in the panel")

    rows = Registration.objects.order_by("pk")
    assert [(row.status, row.reason) for row in rows] == [
        ("pending", "@audience"), ("confirmed", ""), ("waitlisted", ""),
    ]  # fmt: skip
    overrides = AuditEntry.objects.filter(action="registration.received").order_by("pk")
    assert [one.details["override"] for one in overrides] == ["", "Speaks in the panel", "Speaks in the panel"]


def test_organiser_may_enter_somebody_after_closing_but_not_into_what_is_over(
    client: Client, user: User, admission: Admission
) -> None:
    Admission.objects.update(is_closed=True)
    page = enter(client, admission.conference, admission)
    assert "Confirmed" in said(page)[1]

    before = timezone.now() - timedelta(days=1)
    assert admission.session is not None
    type(admission.session).objects.update(starts_at=before, ends_at=before + timedelta(hours=1))
    late = enter(client, admission.conference, admission, email="late@mail.example")

    assert "admissions" in late.context["form"].errors
    assert Registration.objects.count() == 1


def test_known_address_gets_what_is_missing_and_keeps_its_data(
    client: Client, user: User, admission: Admission
) -> None:
    conference = admission.conference
    known = ParticipantFactory(conference=conference, identity=Identity("Ada", "Byron", "ada@mail.example"))
    have = RegistrationFactory(admission=AdmissionFactory(conference=conference), participant=known)

    enter(client, conference, admission, have.admission)

    assert set(known.registrations.values_list("admission", flat=True)) == {have.admission_id, admission.pk}
    known.refresh_from_db()
    assert known.open_identity().family_name == "Byron"
    assert Participant.objects.count() == 1


def test_an_alias_is_not_given_away(client: Client, user: User, admission: Admission) -> None:
    conference = admission.conference
    known = ParticipantFactory(
        conference=conference, has_alias=True, display_name="Wren",
        identity=Identity("Ada", "Byron", "ada@mail.example"),
    )  # fmt: skip
    of_unknown = enter(client, conference, admission, email="new@mail.example")

    of_known = enter(client, conference, admission)

    assert said(of_known) == said(of_unknown)
    assert "Wren" not in of_known.text
    assert not known.registrations.exists()  # a new line under the alias would say whose address it is
    assert not AuditEntry.objects.filter(details__participant=str(known.public_id)).exists()
    assert Message.objects.filter(topic="registration.known_address", about_id=known.public_id).count() == 1
