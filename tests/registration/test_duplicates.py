"""Who may be in the list twice: found across categories and alphabets, never behind an alias or in a delegation."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import actors
from events.admin import pages
from events.models import Conference
from registration import duplicates
from registration.duplicates import Likeness
from registration.models import DifferentPeople, IdentityKey, Membership, Participant
from registration.services import erasure
from tests import factories
from tests.factories import NOW, ParticipantFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def conference() -> Conference:
    """A conference."""
    made: Conference = factories.ConferenceFactory()
    return made


def person(conference: Conference, name: str, **kwargs: Any) -> Participant:
    """Somebody with a name."""
    made: Participant = ParticipantFactory(conference=conference, display_name=name, **kwargs)
    return made


def found(conference: Conference) -> list[tuple[list[str], list[str]]]:
    """Names and reasons of each group."""
    return [
        ([one.display_name for one in group.people], [reason.value for reason in group.reasons])
        for group in duplicates.groups(conference)
    ]


def test_same_name_in_another_alphabet_order_and_category(conference: Conference) -> None:
    person(conference, "Анна Гершуни", category="media")
    person(conference, "Gershuni, Anna".replace(",", ""), category="academia")
    person(conference, "Somebody Else")

    assert found(conference) == [(["Анна Гершуни", "Gershuni Anna"], ["name"])]


def test_initials_and_slips_need_the_same_country_or_organisation(conference: Conference) -> None:
    italy, france = factories.CountryFactory(), factories.CountryFactory()
    person(conference, "Maria Rossellini", country=italy)
    person(conference, "M. Rossellini", country=italy)
    person(conference, "M. Rossellini", country=france)
    person(conference, "Giovanni Bertolucci", organisation_text="La Strada")
    person(conference, "Giovanni Bertalucci", organisation_text="la strada")
    person(conference, "Giovanni Bertelucci", organisation_text="Other House")

    assert found(conference) == [
        (["Maria Rossellini", "M. Rossellini"], ["initials"]),
        (["Giovanni Bertolucci", "Giovanni Bertalucci"], ["slip"]),
    ]


def test_nobody_under_an_alias_in_a_delegation_or_erased_is_proposed(conference: Conference) -> None:
    person(conference, "Anna Gershuni")
    person(conference, "Anna Gershuni", has_alias=True)
    IdentityKey.objects.filter(participant=person(conference, "Anna Gershuni")).delete()
    member = person(conference, "Anna Gershuni")
    Membership.objects.create(
        delegation=factories.DelegationFactory(conference=conference), participant=member, mode="online",
        capacity="adviser", nominated_at=NOW, answer_hash=b"1",
    )  # fmt: skip
    person(factories.ConferenceFactory(), "Anna Gershuni")

    assert found(conference) == []


def test_different_people_are_remembered_and_stand_once(conference: Conference, client: Client) -> None:
    first, second = person(conference, "Anna Gershuni"), person(conference, "Anna Gershuni")
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)
    url = pages.url("duplicates", conference)
    shown = client.get(url)

    client.post(url, {"stays": str(second.public_id), "goes": str(first.public_id)})
    client.post(url, {"stays": str(first.public_id), "goes": str(second.public_id)})

    assert str(Likeness.NAME.label) in shown.text
    assert found(conference) == []
    row = DifferentPeople.objects.get()
    assert (row.first, row.second) == (first, second)
    with pytest.raises(IntegrityError, match="different_people_in_order"), transaction.atomic():
        DifferentPeople.objects.create(first=second, second=first, at=NOW)
    with pytest.raises(IntegrityError, match="different_people_said_once"), transaction.atomic():
        DifferentPeople.objects.create(first=first, second=second, at=NOW)


def test_erasing_forgets_with_whom_somebody_was_compared(conference: Conference) -> None:
    first, second = person(conference, "Anna Gershuni"), person(conference, "Anna Gershuni")
    DifferentPeople.objects.create(first=first, second=second, at=NOW)

    erasure.erase(participant_id=second.pk, by=actors.SYSTEM, now=NOW)

    assert not DifferentPeople.objects.exists()


def test_page_of_somebody_under_an_alias_is_not_there(conference: Conference, client: Client) -> None:
    first, hidden = person(conference, "Anna Gershuni"), person(conference, "Wren", has_alias=True)
    client.force_login(factories.RoleFactory(kind="organiser", conference=conference).user)

    page = client.get(pages.url("duplicate", conference, stays=first.public_id, goes=hidden.public_id))
    asked = client.post(
        pages.url("duplicates", conference),
        {"stays": str(first.public_id), "goes": str(hidden.public_id), "compare": "1"},
        follow=True,
    )

    assert page.status_code == 404
    assert "Choose one who stays and another who goes." in asked.text
    assert "Wren" not in asked.text


def test_finding_costs_two_queries(conference: Conference) -> None:
    for _ in range(5):
        person(conference, "Anna Gershuni")

    with CaptureQueriesContext(connection) as queries:
        groups = duplicates.groups(conference)

    assert len(queries) == 2
    assert [len(group.people) for group in groups] == [5]
