"""Convenors see their own side event and who registered for it, and nothing else of the house."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Role, User
from registration.models import Admission
from tests.factories import AdmissionFactory, ParticipantFactory, RegistrationFactory, SideEventFactory, UserFactory

pytestmark = pytest.mark.django_db
SECRET = "Zzyzx"


def place(word: str, *, people: int = 1) -> Admission:
    """A side event with registrations; the word stands in every name."""
    session = SideEventFactory(title={"en": f"{word} side event"})
    admission: Admission = AdmissionFactory(conference=session.conference, session=session)
    for number in range(people):
        person = ParticipantFactory(conference=session.conference, display_name=f"{word} {number}")
        RegistrationFactory(admission=admission, participant=person)
    return admission


def convenor(admission: Admission, **more: Any) -> User:
    """The convenor of the admission's side event."""
    role = Role.objects.create(user=UserFactory(), kind="convenor", session=admission.session, **more)
    return role.user


def page(admission: Admission) -> str:
    """The address of a side event's page."""
    assert admission.session is not None
    return reverse("registration:convenor-session", args=[admission.session.public_id])


def test_own_side_event_with_display_names_and_no_addresses(client: Client) -> None:
    own, _other = place("Own"), place(SECRET)
    client.force_login(convenor(own))

    listed = client.get(reverse("registration:convenor"))
    shown = client.get(page(own))
    refused = client.post(page(own))

    assert "Own side event" in listed.text
    assert "1 registration" in listed.text
    assert "Own 0" in shown.text
    assert refused.status_code == 403
    for text in (listed.text, shown.text):
        assert SECRET not in text
        assert "@" not in text
    assert not AuditEntry.objects.exists()


def test_other_side_event_is_not_there(client: Client) -> None:
    own, other = place("Own"), place(SECRET)
    client.force_login(convenor(own, may_see_contacts=True))

    answers = [client.get(page(other)), client.post(page(other))]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert SECRET not in answers[0].text


def test_strangers_are_asked_to_sign_in_and_others_find_nothing(client: Client) -> None:
    own = place("Own")
    assert [client.get(one).status_code for one in (reverse("registration:convenor"), page(own))] == [302, 302]

    for user in (UserFactory(is_staff=True, is_superuser=True), UserFactory(), convenor(place("Another"))):
        client.force_login(user)
        assert client.get(page(own)).status_code == 404
    client.force_login(UserFactory())
    assert client.get(reverse("registration:convenor")).status_code == 404


def test_addresses_are_shown_on_the_record_and_never_behind_an_alias(client: Client) -> None:
    own = place("Own")
    assert own.session is not None
    hidden = ParticipantFactory(conference=own.conference, has_alias=True, display_name="Sparrow")
    RegistrationFactory(admission=own, participant=hidden)
    client.force_login(convenor(own, may_see_contacts=True))

    before = client.get(page(own))
    shown = client.post(page(own))

    assert "@" not in before.text
    assert shown.text.count("@") == 1
    assert "Sparrow" in shown.text
    assert AuditEntry.objects.values_list("action", flat=True).get() == "participant.opened"


def test_page_is_kept_nowhere_and_its_form_can_say_where_it_comes_from(client: Client) -> None:
    own = place("Own")
    client.force_login(convenor(own, may_see_contacts=True))

    headers = client.get(page(own)).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"  # with none at all the token against forgery is refused


def test_role_that_is_taken_away_closes_the_page(client: Client) -> None:
    own = place("Own")
    user = convenor(own)
    client.force_login(user)
    assert client.get(page(own)).status_code == 200

    Role.objects.filter(user=user).delete()

    assert client.get(page(own)).status_code == 404


@pytest.mark.parametrize("people", [1, 3])
def test_page_costs_the_same_for_one_and_for_three(people: int, client: Client, django_assert_num_queries: Any) -> None:
    own = place("Own", people=people)
    client.force_login(convenor(own))
    client.get(page(own))

    with django_assert_num_queries(5):  # session, user, side event, role, registrations
        client.get(page(own))
