"""The list of speakers and the page of a person."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from events import page_cache
from events.models import ConferenceDay, SegmentVisibility, SessionState
from speakers.models import Contribution, ContributionStatus, CountryMeaning, Role
from tests.factories import (
    NOW,
    ConferenceFactory,
    ContributionFactory,
    CountryFactory,
    OrganisationFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def words(client: Client, path: str) -> str:
    """What a reader sees, in one line."""
    response = client.get(path)
    assert response.status_code == 200, path
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_list_is_in_order_of_first_appearance_and_names_everybody_once(client: Client) -> None:
    conference = ConferenceFactory()
    late = ConferenceDay.objects.create(conference=conference, number=2, date=date(2030, 7, 16))
    closing = SessionFactory(conference=conference, day=late, position=1)
    opening = SessionFactory(conference=conference, position=1)
    second_block = SegmentFactory(session=opening, position=2)
    first_block = SegmentFactory(session=opening, position=1)
    zoe, mia = PersonFactory(display_name="Zoe Zander"), PersonFactory(display_name="Mia Mann")
    ContributionFactory(session=closing, person=PersonFactory(display_name="Aaron Abel"))
    ContributionFactory(session=closing, person=zoe, role=Role.CLOSING_REMARKS)
    ContributionFactory(session=opening, segment=second_block, person=mia, position=1)
    ContributionFactory(session=opening, segment=first_block, person=zoe, position=2)

    text = words(client, f"/en/{conference.slug}/speakers/")

    names = ["Zoe Zander", "Mia Mann", "Aaron Abel"]
    assert [text.count(name) for name in names] == [1, 1, 1]
    assert [text.index(name) for name in names] == sorted(text.index(name) for name in names)


def test_list_without_speakers_says_so(client: Client) -> None:
    conference = ConferenceFactory()

    assert "No speakers have been announced yet" in words(client, f"/en/{conference.slug}/speakers/")


def test_person_shows_all_contributions_with_the_wording_of_each(client: Client) -> None:
    person = PersonFactory(display_name="Kevin Example")
    older = ConferenceFactory(starts_on=date(2029, 4, 1), ends_on=date(2029, 4, 2), title={"en": "Older conference"})
    ContributionFactory(
        person=person,
        session=SessionFactory(
            conference=older,
            number=3,
            starts_at=datetime(2029, 4, 1, 8, 0, tzinfo=UTC),
            ends_at=datetime(2029, 4, 1, 9, 0, tzinfo=UTC),
        ),
        role=Role.MODERATOR,
        role_title={"en": "Commissioner"},
    )
    country = CountryFactory(iso2="IE", name={"en": "Ireland"})
    latest = ContributionFactory(
        person=person,
        session=SessionFactory(number=1),
        role_title={"en": "Former Commissioner"},
        country=country,
        country_meaning=CountryMeaning.STATED,
    )
    latest.other_organisations.add(OrganisationFactory(name={"en": "Group of Experts"}))

    text = words(client, f"/en/speakers/{person.public_id}/")

    assert text.index("Older conference") < text.index("Panel 3") < text.index("Panel 1")
    assert "Moderator Kevin Example Commissioner" in text
    assert "Speaker Kevin Example Former Commissioner, Group of Experts, Ireland" in text
    assert "10:00 – 11:00 Vienna time (CEST, UTC+2)" in text


@pytest.mark.parametrize("what", ["unknown", "hidden", "declined", "never", "draft", "without contributions"])
def test_person_who_may_not_be_shown_is_not_found(client: Client, what: str) -> None:
    person = PersonFactory(display_name="Hidden canary")
    if what != "without contributions":
        ContributionFactory(person=person)
    if what == "hidden":
        person.is_hidden = True
        person.save()
    elif what == "declined":
        Contribution.objects.update(status=ContributionStatus.DECLINED)
    elif what == "never":
        Contribution.objects.update(visibility=SegmentVisibility.NEVER)
    elif what == "draft":
        session = Contribution.objects.get().session
        session.state = SessionState.DRAFT
        session.save()
    page_cache.forget()

    response = client.get(f"/en/speakers/{uuid4() if what == 'unknown' else person.public_id}/")

    assert response.status_code == 404
    assert "canary" not in response.content.decode()


def test_person_is_found_by_the_public_id_alone(client: Client) -> None:
    contribution = ContributionFactory()

    for guess in (str(contribution.person.pk), contribution.person.key, str(contribution.public_id)):
        assert client.get(f"/en/speakers/{guess}/").status_code == 404


@pytest.mark.parametrize("item_count", [1, 3])
def test_person_page_asks_a_constant_number_of_queries(
    client: Client, django_assert_num_queries: Any, item_count: int
) -> None:
    person = PersonFactory()
    for _n in range(item_count):
        contribution = ContributionFactory(person=person, organisation=OrganisationFactory())
        contribution.other_organisations.add(OrganisationFactory())
    page_cache.forget()

    with django_assert_num_queries(3):
        assert client.get(f"/en/speakers/{person.public_id}/").status_code == 200
