"""Fewer members by ?fields=, whole things by ?expand=; rooms, materials and releases."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from alliance.api import schema
from events import page_cache
from events.models import Session
from events.releases import publishing
from tests.api import problem
from tests.factories import (
    NOW,
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PersonFactory,
    RoomFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def seat() -> Any:
    """Somebody who speaks for an organisation of some country, at a session that another one convenes."""
    country = CountryFactory()
    speaks = OrganisationFactory(country=country, part_of=OrganisationFactory())
    seat = ContributionFactory(organisation=speaks, country=country, country_meaning="state_represented")
    ConvenorshipFactory(session=seat.session, organisation=OrganisationFactory(country=country))
    return seat


def rows(client: Client, address: str) -> Any:
    """The rows of a list."""
    page_cache.forget()
    response = client.get(f"/api/v1/{address}")
    assert response.status_code == 200, response.content
    return response.json()["results"]


def test_only_the_members_that_are_named_and_the_id(client: Client, seat: Any) -> None:
    (row,) = rows(client, "sessions/?fields=title,starts_at")
    one = client.get(f"/api/v1/sessions/{row['id']}/?fields=slug").json()

    assert set(row) == {"id", "title", "starts_at"}
    assert one == {"id": row["id"], "slug": seat.session.slug}


def test_named_things_come_whole(client: Client, seat: Any) -> None:
    plain = rows(client, "sessions/")[0]
    paths = "conference,convenors.organisation,contributions.organisation,contributions.country"
    whole = rows(client, f"sessions/?expand={paths}")[0]
    organisation = client.get(f"/api/v1/organisations/{seat.organisation.public_id}/").json()

    assert whole["conference"] == client.get(f"/api/v1/conferences/{seat.session.conference.slug}/").json()
    assert whole["contributions"][0]["organisation"] == organisation
    assert organisation["part_of"]
    assert whole["contributions"][0]["country"]["status"]
    assert whole["convenors"][0]["organisation"]["kind"]
    assert set(plain) == set(whole)


def test_what_an_expansion_gives_is_no_more_than_what_is_shown(client: Client, seat: Any) -> None:
    seat.person = PersonFactory(is_pseudonym=True)
    seat.save()

    (contribution,) = rows(client, "sessions/?expand=contributions.organisation,contributions.country")[0][
        "contributions"
    ]

    assert contribution["is_pseudonym"]
    assert contribution["organisation"] is None
    assert contribution["country"] is None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("fields=title,secret", "fields"),
        ("fields=contributions.email", "fields"),
        ("fields=title,,id", "fields"),
        ("expand=conference.series", "expand"),
        ("expand=contributions.speaker", "expand"),
        ("expand=meeting", "expand"),
    ],
)
def test_names_that_are_not_there_are_refused(client: Client, query: str, name: str) -> None:
    found = problem(client.get(f"/api/v1/sessions/?{query}"), 400, "invalid-parameters")

    assert [fault["name"] for fault in found["errors"]] == [name]
    assert "conference" in found["errors"][0]["detail"]


def test_fields_leave_out_what_they_do_not_name_whatever_is_expanded(client: Client, seat: Any) -> None:
    (row,) = rows(client, "sessions/?fields=title&expand=conference")

    assert set(row) == {"id", "title"}


def test_schema_promises_no_member_that_may_be_left_out() -> None:
    schemas = json.loads(schema.document())["components"]["schemas"]

    assert schemas["Session"]["required"] == schemas["Conference"]["required"] == ["id"]
    assert "title" in schemas["ConferenceRef"]["required"]


@pytest.mark.parametrize("count", [1, 5])
@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("sessions/?expand=conference,convenors.organisation,contributions.organisation,contributions.country", 22),
        ("admissions/?expand=conference", 7),
        ("organisations/?expand=country,part_of", 4),
    ],
)
def test_expansions_cost_the_same_for_one_row_and_for_five(
    client: Client,
    seat: Any,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    count: int,
    address: str,
    queries: int,
) -> None:
    for _number in range(count):
        other = ContributionFactory(organisation=OrganisationFactory(country=CountryFactory()))
        ConvenorshipFactory(session=other.session, organisation=OrganisationFactory(part_of=OrganisationFactory()))
        AdmissionFactory(session=other.session)
    page_cache.forget()

    with django_assert_max_num_queries(queries):
        assert client.get(f"/api/v1/{address}").status_code == 200


# --- rooms, materials, releases -------------------------------------------------------------------------------------


def test_rooms_of_public_conferences_alone(client: Client) -> None:
    shown, hidden = RoomFactory(capacity=200), RoomFactory()
    conference = ConferenceFactory(venue=shown.venue)
    ConferenceFactory(venue=hidden.venue, state="draft")
    draft = ConferenceFactory(venue=shown.venue, state="draft")
    SessionFactory(conference=conference, room=shown)

    (room,) = rows(client, "rooms/")
    (session,) = rows(client, "sessions/?fields=room_id")

    assert (room["id"], room["seats"]) == (str(shown.public_id), 200)
    assert session["room_id"] == room["id"]
    assert len(rows(client, f"rooms/?conference={conference.slug}")) == 1
    assert rows(client, f"rooms/?conference={draft.slug}") == []


def test_materials_that_may_be_shown_now_and_no_others(client: Client) -> None:
    over = datetime(2020, 7, 21, 9, 0, tzinfo=UTC)
    past = SessionFactory(starts_at=over, ends_at=over + timedelta(hours=1))
    shown = MaterialFactory(conference=past.conference, session=past)
    MaterialFactory(conference=past.conference, session=past, visibility="never")
    MaterialFactory(conference=past.conference, session=past, published_on="2999-01-01")
    hidden = SessionFactory(conference=past.conference, state="draft")
    MaterialFactory(conference=past.conference, session=hidden)

    (material,) = rows(client, "materials/")

    assert material["id"] == str(shown.public_id)
    assert material["session"]["slug"] == past.slug
    assert rows(client, f"materials/?session={past.public_id}&kind={shown.kind}") == [material]
    assert rows(client, "materials/?language=xx") == []


def test_releases_with_what_they_changed_in_words(client: Client) -> None:
    session = SessionFactory(title={"en": "Opening"})
    conference = session.conference
    publishing.publish(conference, by=None, now=NOW, check=False)
    Session.objects.filter(pk=session.pk).update(title={"en": "Grand opening"})
    publishing.publish(conference, by=None, now=NOW + timedelta(hours=1), check=False)
    publishing.publish(ConferenceFactory(visibility="internal"), by=None, now=NOW, check=False)

    newest, first = rows(client, "releases/")
    whole = client.get(f"/api/v1/releases/{newest['id']}/?lang=de").json()

    assert (newest["number"], first["number"]) == (2, 1)
    assert "changes" not in newest
    (change,) = whole["changes"]
    assert change["session"]["id"] == str(session.public_id)
    assert change["sentences"] == ["Titel: Opening → Grand opening"]
    assert client.get(f"/api/v1/releases/{first['id']}/").json()["changes"] == []
