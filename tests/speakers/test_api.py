"""Who speaks, for programs: what is shown, and what is never shown."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from events import page_cache
from events.models import SegmentVisibility, Session
from speakers.models import Contribution, ContributionStatus, CountryMeaning, Role
from tests.factories import (
    ConferenceDayFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MeetingFactory,
    OrganisationFactory,
    PersonFactory,
    SegmentFactory,
    SessionFactory,
    SideEventFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db


def rows(client: Client, path: str, **parameters: str) -> list[dict[str, Any]]:
    """The rows of a list. Fails on anything but 200."""
    response = client.get(f"/api/v1/{path}/", parameters)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def english(text: str) -> dict[str, Any]:
    """A text that exists in English alone."""
    return {"text": text, "language": "en", "translations": {"en": text}}


def names(client: Client, **parameters: str) -> list[str]:
    """The names of the speakers found."""
    return [row["name"] for row in rows(client, "speakers", **parameters)]


def full_contribution(**values: Any) -> Contribution:
    """A contribution with every fact the model has, and with notes that must not be seen."""
    session = values.pop("session", None) or SessionFactory()
    contribution: Contribution = ContributionFactory(
        session=session,
        segment=SegmentFactory(session=session, position=7),
        honorific="Ms.",
        post_nominals="PhD",
        role=Role.PANEL_PRESENTATION,
        role_title={"en": "Canary of the office"},
        role_title_in_report={"en": "canary-report"},
        organisation=OrganisationFactory(name={"en": "Canary body"}, abbreviation="CB", internal_note="canary-note"),
        country=CountryFactory(iso2="NL", name={"en": "Netherlands"}),
        country_meaning=CountryMeaning.ORGANISATION_SEAT,
        topic={"en": "Canary talk"},
        delivery="video",
        sources=["canary-source"],
        internal_note="canary-note",
        **values,
    )
    contribution.other_organisations.add(OrganisationFactory(name={"en": "Canary second body"}))
    return contribution


def test_contribution_has_the_wording_approved_for_the_occasion(client: Client) -> None:
    contribution = full_contribution(name_printed="Dr. Ada Speaker", person__key="canary-key")

    found = rows(client, "sessions")[0]["contributions"]

    assert contribution.person
    assert contribution.organisation
    assert contribution.country
    other = contribution.other_organisations.get()
    assert found == [
        {
            "id": str(contribution.public_id),
            "speaker": str(contribution.person.public_id),
            "name": "Dr. Ada Speaker",
            "is_pseudonym": False,
            "unnamed_label": None,
            "segment": 7,
            "role": "panel_presentation",
            "status": "confirmed",
            "honorific": "Ms.",
            "post_nominals": "PhD",
            "role_title": english("Canary of the office"),
            "organisation": {
                "id": str(contribution.organisation.public_id),
                "name": english("Canary body"),
                "abbreviation": "CB",
            },
            "other_organisations": [
                {"id": str(other.public_id), "name": english("Canary second body"), "abbreviation": None}
            ],
            "country": {"id": str(contribution.country.public_id), "code": "NL", "name": english("Netherlands")},
            "country_meaning": "organisation_seat",
            "topic": english("Canary talk"),
            "delivery": "video",
            "announced": True,
            "took_part": None,
        }
    ]


def test_seat_without_a_name_shows_its_label(client: Client) -> None:
    ContributionFactory(person=None, unnamed_label={"en": "Representative of local authorities"}, status="tbc")

    found = rows(client, "sessions")[0]["contributions"][0]

    assert (found["speaker"], found["name"], found["is_pseudonym"]) == (None, None, False)
    assert found["unnamed_label"] == english("Representative of local authorities")
    assert found["status"] == "tbc"
    assert rows(client, "speakers") == []


@pytest.mark.parametrize(("status", "shown"), [("invited", "tbc"), ("tbc", "tbc"), ("confirmed", "confirmed")])
def test_status_is_told_as_the_pages_print_it(client: Client, status: str, shown: str) -> None:
    ContributionFactory(status=status)

    assert rows(client, "sessions")[0]["contributions"][0]["status"] == shown
    assert rows(client, "speakers")[0]["contributions"][0]["status"] == shown
    assert len(rows(client, "speakers", status=shown)) == 1
    assert rows(client, "speakers", status={"tbc": "confirmed", "confirmed": "tbc"}[shown]) == []


def test_pseudonym_is_a_name_and_nothing_else(client: Client) -> None:
    person = PersonFactory(display_name="Ivan", key="canary-key", is_pseudonym=True)
    contribution = full_contribution(person=person, name_printed="canary", unnamed_label={"en": "Canary seat"})
    Contribution.objects.filter(pk=contribution.pk).update(post_nominals="canary")

    sessions = client.get("/api/v1/sessions/")
    speakers = client.get("/api/v1/speakers/")
    speaker = client.get(f"/api/v1/speakers/{person.public_id}/")
    organisations = client.get("/api/v1/organisations/")

    nothing = dict.fromkeys(
        [
            "honorific",
            "post_nominals",
            "role_title",
            "organisation",
            "country",
            "country_meaning",
            "topic",
            "delivery",
            "announced",
            "took_part",
        ]
    )
    assert sessions.json()["results"][0]["contributions"] == [
        {
            "id": str(contribution.public_id),
            "speaker": str(person.public_id),
            "name": "Ivan",
            "is_pseudonym": True,
            "unnamed_label": None,
            "segment": 7,
            "role": "panel_presentation",
            "status": "confirmed",
            "other_organisations": [],
            **nothing,
        }
    ]
    assert speaker.json()["name"] == "Ivan"
    assert speaker.json()["is_pseudonym"] is True
    assert speaker.json()["contributions"][0].items() >= nothing.items()
    for response in (sessions, speakers, speaker, organisations):
        assert b"anary" not in response.content


def test_pseudonym_cannot_be_found_by_what_is_not_shown(client: Client) -> None:
    person = PersonFactory(display_name="Ivan", key="canary-key", is_pseudonym=True)
    contribution = full_contribution(person=person, name_printed="canary")
    assert contribution.organisation

    assert names(client, country="NL") == []
    assert names(client, organisation=str(contribution.organisation.public_id)) == []
    assert names(client, search="Canary") == []
    assert rows(client, "sessions", country="NL") == []
    assert rows(client, "organisations", search="Canary") == []
    assert names(client, search="ivan") == ["Ivan"]


def hidden_contributions() -> list[dict[str, Any]]:
    """Ways not to be shown."""
    return [
        {"status": ContributionStatus.DECLINED},
        {"status": ContributionStatus.REPLACED},
        {"visibility": SegmentVisibility.NEVER},
        {"visibility": SegmentVisibility.AFTER},
        {"is_announced": False},
        {"person__is_hidden": True},
        {"session__state": "draft"},
        {"session__visibility": "internal"},
        {"session__conference__state": "draft"},
        {"session__conference__visibility": "invitation"},
    ]


@pytest.mark.parametrize("hidden", hidden_contributions(), ids=str)
def test_who_is_not_shown_leaves_no_trace(client: Client, hidden: dict[str, Any]) -> None:
    future = {
        "session__starts_at": datetime(2090, 1, 1, 9, tzinfo=UTC),
        "session__ends_at": datetime(2090, 1, 1, 10, tzinfo=UTC),
    }
    contribution = ContributionFactory(
        person__display_name="Canary Person",
        role_title={"en": "Canary"},
        role=Role.TRAINER,
        organisation=OrganisationFactory(name={"en": "Canary body"}),
        country=CountryFactory(iso2="NL"),
        country_meaning=CountryMeaning.STATED,
        **future,
        **hidden,
    )

    assert rows(client, "speakers") == []
    assert client.get(f"/api/v1/speakers/{contribution.person.public_id}/").status_code == 404
    assert rows(client, "organisations") == []
    assert b"Canary" not in client.get("/api/v1/sessions/").content
    for filters in ({"role": "trainer"}, {"country": "NL"}, {"speaker": str(contribution.person.public_id)}):
        assert rows(client, "sessions", **filters) == []


def test_hidden_segment_is_not_named(client: Client) -> None:
    segment = SegmentFactory(visibility=SegmentVisibility.NEVER, heading={"en": "Canary"})
    ContributionFactory(session=segment.session, segment=segment)

    found = rows(client, "sessions")[0]

    assert (found["segments"], found["contributions"]) == ([], [])


def test_one_flag_removes_a_person_from_every_answer(client: Client) -> None:
    contribution = ContributionFactory(person__display_name="Canary Person")
    paths = [
        "/api/v1/sessions/",
        "/api/v1/speakers/",
        f"/api/v1/sessions/{contribution.session.public_id}/",
        f"/api/v1/speakers/{contribution.person.public_id}/",
    ]
    assert all(b"Canary" in client.get(path).content for path in paths)

    contribution.person.is_hidden = True
    contribution.person.save()
    page_cache.forget()  # in one transaction the content version rises once; tests/events/test_page_cache.py commits

    assert not any(b"Canary" in client.get(path).content for path in paths)


def test_meeting_addresses_are_in_no_answer(client: Client) -> None:
    meeting = MeetingFactory(host_address="https://meet.provider.example/canary-host")
    ContributionFactory(session=meeting.session)
    SideEventFactory(join_link_rule={"en": "canary-rule"})

    for path in ("conferences", "sessions", "side-events", "speakers", "organisations", "admissions"):
        assert b"canary" not in client.get(f"/api/v1/{path}/").content


def test_speaker_lists_every_occasion_in_the_order_of_the_programme(client: Client) -> None:
    person = PersonFactory(display_name="Ada Speaker", biography={"en": "Works."}, post_nominals="PhD")
    second = ContributionFactory(person=person, session__position=2)
    first = ContributionFactory(person=person, session__position=1, session__conference=second.session.conference)
    newest = ContributionFactory(
        person=person, session__conference__starts_on=date(2031, 1, 1), session__conference__ends_on=date(2031, 1, 2)
    )

    found = rows(client, "speakers")[0]

    assert [row["id"] for row in found.pop("contributions")] == [str(row.public_id) for row in (newest, first, second)]
    assert found == {
        "id": str(person.public_id),
        "name": "Ada Speaker",
        "is_pseudonym": False,
        "post_nominals": "PhD",
        "biography": english("Works."),
        "page": f"{settings.SITE_URL}/en/speakers/{person.public_id}/",
    }


@pytest.fixture
def people() -> dict[str, Session]:
    """Anna moderates panel "a" and speaks at "b"; Boris speaks at "a" for the Netherlands."""
    conference = ConferenceFactory(slug="alliance-20", edition=20)
    day = ConferenceDayFactory(conference=conference)
    a = SessionFactory(slug="a", conference=conference, day=day, position=1)
    b = SessionFactory(slug="b", conference__edition=21, conference__slug="alliance-21")
    anna = PersonFactory(display_name="Anna Sandër")
    ContributionFactory(session=a, person=anna, role=Role.MODERATOR, position=2)
    ContributionFactory(session=b, person=anna, role=Role.SPEAKER)
    ContributionFactory(
        session=a,
        person=PersonFactory(display_name="Boris"),
        role=Role.SPEAKER,
        position=1,
        organisation=OrganisationFactory(key="ministry"),
        country=CountryFactory(iso2="NL"),
        country_meaning=CountryMeaning.STATE_REPRESENTED,
    )
    return {"a": a, "b": b}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"conference": "alliance-20"}, {"Anna Sandër", "Boris"}),
        ({"edition": "21"}, {"Anna Sandër"}),
        ({"role": "moderator"}, {"Anna Sandër"}),
        ({"role": "speaker", "conference": "alliance-20"}, {"Boris"}),
        ({"country": "NL"}, {"Boris"}),
        ({"search": "sander"}, {"Anna Sandër"}),
        ({"search": "nobody"}, set()),
    ],
)
def test_speakers_are_filtered(
    client: Client, people: dict[str, Session], parameters: dict[str, str], expected: set[str]
) -> None:
    assert set(names(client, **parameters)) == expected


def test_speakers_of_a_session_stand_in_printed_order_and_not_by_the_alphabet(
    client: Client, people: dict[str, Session]
) -> None:
    session = str(people["a"].public_id)

    # Anna's first place in the whole programme is in the newer or equally new conference, so ask for one with both.
    assert set(names(client, session=session)) == {"Boris", "Anna Sandër"}
    assert names(client, session=session, ordering="name") == ["Anna Sandër", "Boris"]
    assert [row["name"] for row in rows(client, "sessions", conference="alliance-20")[0]["contributions"]] == [
        "Boris",
        "Anna Sandër",
    ]


@pytest.mark.parametrize(
    ("parameters", "expected"), [({"role": "moderator"}, ["a"]), ({"country": "NL"}, ["a"]), ({"country": "AT"}, [])]
)
def test_sessions_are_found_by_who_speaks(
    client: Client, people: dict[str, Session], parameters: dict[str, str], expected: list[str]
) -> None:
    assert [row["slug"] for row in rows(client, "sessions", **parameters)] == expected


def test_organisation_that_stands_somewhere_in_public_is_listed_with_what_it_is_part_of(client: Client) -> None:
    whole = OrganisationFactory(
        key="b-whole", name={"en": "Whole"}, internal_note="canary", contact={"phone": "canary"}
    )
    convenor = ConvenorshipFactory(
        organisation=OrganisationFactory(key="a-unit", kind="ngo", part_of=whole, country=CountryFactory(iso2="AT"))
    ).organisation
    OrganisationFactory(key="c-partner", is_alliance_partner=True)
    OrganisationFactory(key="canary-of-no-session")

    found = rows(client, "organisations")

    assert [row["id"] for row in found][:2] == [str(convenor.public_id), str(whole.public_id)]
    assert len(found) == 3
    assert found[0] == {
        "id": str(convenor.public_id),
        "name": english(str(convenor.name)),
        "abbreviation": None,
        "kind": "ngo",
        "country": {
            "id": str(convenor.country.public_id),
            "code": "AT",
            "name": english(str(convenor.country.name)),
        },
        "part_of": {"id": str(whole.public_id), "name": english("Whole"), "abbreviation": None},
        "is_alliance_partner": False,
        "web": None,
    }
    assert [row["kind"] for row in rows(client, "organisations", kind="ngo")] == ["ngo"]
    assert len(rows(client, "organisations", country="AT")) == 1
    assert len(rows(client, "organisations", is_alliance_partner="true")) == 1
    assert len(rows(client, "organisations", is_alliance_partner="false")) == 2
    assert len(rows(client, "organisations", convenes=Session.objects.get().conference.slug)) == 1


@pytest.mark.parametrize("item_count", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"), [("sessions", 9), ("side-events", 9), ("speakers", 4), ("organisations", 4)]
)
def test_lists_take_a_constant_number_of_queries(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, item_count: int, path: str, queries: int
) -> None:
    for _number in range(item_count):
        session = SideEventFactory()
        for _more in range(item_count):
            ConvenorshipFactory(session=session, with_unit=OrganisationFactory())
            TextSectionFactory(session=session)
        contribution = ContributionFactory(
            session=session, segment=SegmentFactory(session=session), organisation=OrganisationFactory()
        )
        contribution.other_organisations.add(OrganisationFactory())

    with django_assert_num_queries(queries):
        assert len(rows(client, path)) >= item_count
