"""Pages of organisations: what is public of them, and nobody under a pseudonym."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from events import page_cache
from events.models import SegmentVisibility, SessionState
from speakers.models import ContributionStatus
from tests.factories import (
    NOW,
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    OrganisationFactory,
    PersonFactory,
    SessionFactory,
    SideEventFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_the_time_of_the_factories(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def conference() -> Any:
    return ConferenceFactory(slug="summit", title={"en": "Summit"})


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_page_shows_what_a_body_convened_and_who_spoke_for_it(client: Client, conference: Any) -> None:
    body = OrganisationFactory(
        name={"en": "The Body", "ru": "Организация"},
        abbreviation="TB",
        country=CountryFactory(iso2="AT", name={"en": "Austria"}, footnote={"en": "A footnote."}),
        part_of=OrganisationFactory(name={"en": "The Whole"}),
    )
    event = SideEventFactory(conference=conference, title={"en": "Evening talk"})
    ConvenorshipFactory(session=event, organisation=body)
    ContributionFactory(session=event, organisation=body, person__display_name="Ada Speaker")
    other = ContributionFactory(session__conference=conference, person__display_name="Bob Speaker")
    other.other_organisations.add(body, OrganisationFactory())
    ContributionFactory(session=event, person__display_name="Somebody Else")
    ConferenceFactory(slug="earlier", title={"en": "Earlier"}, starts_on=date(2020, 7, 20), organiser=body)

    html = page(client, f"/en/organisations/{body.public_id}/")

    assert "Evening talk" in html
    assert "Ada Speaker" in html
    assert "Bob Speaker" in html
    assert "Somebody Else" not in html
    assert "The Whole" in html
    assert "A footnote." in html
    assert html.index("Summit") < html.index("Earlier")  # the latest first
    assert "Организация" in page(client, f"/ru/organisations/{body.public_id}/")


def test_body_without_anything_public_is_not_there(client: Client, conference: Any) -> None:
    body = OrganisationFactory()
    ConvenorshipFactory(session=SideEventFactory(conference=conference, state=SessionState.DRAFT), organisation=body)
    ConvenorshipFactory(session=SideEventFactory(conference__state="draft"), organisation=body)
    session = SessionFactory(conference=conference)
    ContributionFactory(session=session, organisation=body, person__is_hidden=True)
    ContributionFactory(session=session, organisation=body, status=ContributionStatus.DECLINED)
    ContributionFactory(session=session, organisation=body, visibility=SegmentVisibility.NEVER)
    ContributionFactory(session=session, organisation=body, visibility=SegmentVisibility.AFTER)
    ContributionFactory(session=session, organisation=body, is_announced=False)

    assert client.get(f"/en/organisations/{body.public_id}/").status_code == 404
    assert client.get(f"/en/organisations/{uuid4()}/").status_code == 404
    assert "No organisation has been announced yet" in page(client, "/en/summit/organisations/")


def test_pseudonym_is_found_by_no_body(client: Client, conference: Any) -> None:
    body, shelter = OrganisationFactory(), OrganisationFactory(name={"en": "Canary Shelter"})
    session = SideEventFactory(conference=conference)
    ConvenorshipFactory(session=session, organisation=body)
    hidden = ContributionFactory(
        session=session,
        person=PersonFactory(display_name="Maria", is_pseudonym=True),
        organisation=shelter,
        role_title={"en": "Canary"},
    )
    hidden.other_organisations.add(body)

    assert "Maria" not in page(client, f"/en/organisations/{body.public_id}/")
    assert client.get(f"/en/organisations/{shelter.public_id}/").status_code == 404
    assert "Canary" not in page(client, "/en/summit/organisations/")


def test_name_that_we_made_is_not_printed_beside_a_person(client: Client, conference: Any) -> None:
    body = OrganisationFactory(name={"en": "Made Up Office"}, is_name_derived=True)
    ContributionFactory(session__conference=conference, organisation=body)

    assert client.get(f"/en/organisations/{body.public_id}/").status_code == 404
    assert "Made Up" not in page(client, "/en/summit/organisations/")


def test_bodies_stand_in_the_order_of_the_programme(client: Client, conference: Any) -> None:
    day = ConferenceDayFactory(conference=conference, number=2)
    second = SessionFactory(conference=conference, position=2)
    first = SessionFactory(conference=conference, position=1)
    last = SessionFactory(conference=conference, day=day, position=1)
    for session, name in ((last, "Alpha"), (second, "Beta"), (first, "Gamma"), (last, "Gamma")):
        body = OrganisationFactory(name={"en": f"{name} Body"}, key=f"{name}-{session.pk}".lower())
        ContributionFactory(session=session, organisation=body)

    html = page(client, "/en/summit/organisations/")

    assert re.findall(r">(\w+) Body<", html) == ["Gamma", "Beta", "Alpha", "Gamma"]


def test_convenors_lead_to_their_pages(client: Client, conference: Any) -> None:
    event = SideEventFactory(conference=conference)
    body = OrganisationFactory(name={"en": "The Body"})
    ConvenorshipFactory(session=event, organisation=body)

    for path in ("/en/summit/programme/", f"/en/summit/side-events/{event.slug}/", "/en/summit/search/?q=body"):
        html = re.sub("</?mark>", "", page(client, path))
        assert f'<a href="/en/organisations/{body.public_id}/">The Body</a>' in html, path


@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_a_constant_number_of_queries(
    client: Client, conference: Any, django_assert_num_queries: Any, count: int
) -> None:
    body = OrganisationFactory()
    for _number in range(count):
        event = SideEventFactory(conference=conference)
        ConvenorshipFactory(session=event, organisation=body)
        ContributionFactory(session=event, organisation=body)
        ContributionFactory(session__conference=ConferenceFactory(), organisation=body)
    page_cache.forget()

    with django_assert_num_queries(5):  # the version, the body, what it held, what it convened, who spoke
        page(client, f"/en/organisations/{body.public_id}/")
    with django_assert_num_queries(5):  # the frame 2, convenors, speakers with further bodies
        page(client, "/en/summit/organisations/")
    with django_assert_num_queries(0):
        page(client, f"/en/organisations/{body.public_id}/")


@pytest.mark.parametrize("language", ["en", "fr", "de", "it", "es", "ru"])
def test_pages_are_there_in_every_language(client: Client, conference: Any, language: str) -> None:
    body = OrganisationFactory()
    ConvenorshipFactory(session=SideEventFactory(conference=conference), organisation=body)

    for path in (f"/{language}/organisations/{body.public_id}/", f"/{language}/summit/organisations/"):
        html = page(client, path)
        assert f'<html lang="{language}">' in html
        assert ("Participating organisations" in html or "What it convened" in html) == (language == "en")
