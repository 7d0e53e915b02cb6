"""Addresses of the API, methods, and pages by cursor: what all resources share."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from alliance.api import schema
from events import page_cache
from tests.api import LISTS, problem
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    SessionFactory,
)

pytestmark = pytest.mark.django_db


def test_root_names_every_resource_and_each_answers(client: Client) -> None:
    found = client.get("/api/v1/").json()

    assert list(found) == [*LISTS, "schema", "docs"]
    for address in found.values():
        assert address.startswith(f"{settings.SITE_URL}/api/v1/")
        assert client.get(address.removeprefix(settings.SITE_URL)).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing/", "/api/v2/sessions/", "/api/x", "/api/v1/sessions/1/", "/api/v1/conferences/no/"]
)
def test_unknown_address_is_a_problem_document(client: Client, path: str) -> None:
    problem(client.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/api/v1/nothing/", 404, "not-found"),
        ("/api/x", 404, "not-found"),
        ("/api/v1/schema/", 405, "method-not-allowed"),
        ("/api/v1/sessions/", 405, "method-not-allowed"),
    ],
)
def test_program_that_posts_to_the_wrong_address_is_told_so(path: str, status: int, kind: str) -> None:
    """Guard: csrf_exempt in alliance.api.router; it was told that a form had been open for too long."""
    problem(Client(enforce_csrf_checks=True).post(path, {}, content_type="application/json"), status, kind)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/sessions/", "/api/v1/admissions/"])
def test_writes_are_refused(client: Client, method: str, path: str) -> None:
    response = getattr(client, method)(path, data={}, content_type="application/json")

    problem(response, 405, "method-not-allowed")
    assert "GET" in response.headers["Allow"]
    assert "POST" not in response.headers["Allow"]


def test_answer_in_html_or_xml_is_refused_also_when_json_is_kept(client: Client) -> None:
    for _twice in range(2):
        problem(client.get("/api/v1/sessions/", headers={"Accept": "application/xml"}), 406, "not-acceptable")
        assert client.get("/api/v1/sessions/", headers={"Accept": "text/html,*/*;q=0.8"}).status_code == 200


def test_head_and_options_are_answered(client: Client) -> None:
    head = client.head("/api/v1/sessions/")
    options = client.options("/api/v1/sessions/")

    assert (head.status_code, head.content) == (200, b"")
    assert (options.status_code, options.content) == (204, b"")
    assert options.headers["Allow"] == "GET, HEAD, OPTIONS"


def test_no_cookie_is_set(client: Client) -> None:
    for path in ("", "sessions/", "admissions/", "schema/", "docs/", "sessions/?x=1"):
        assert not client.get(f"/api/v1/{path}").cookies


def walk(client: Client, address: str, direction: str = "next") -> tuple[list[list[str]], str]:
    """The ids of all pages from an address on, and the address of the last page."""
    pages = []
    while True:
        found = client.get(address.removeprefix(settings.SITE_URL)).json()
        pages.append([row["id"] for row in found["results"]])
        if found[direction] is None:
            return pages, address
        assert found[direction].startswith(f"{settings.SITE_URL}/api/v1/")
        address = found[direction]


@pytest.mark.parametrize("ordering", ["programme", "starts_at", "-starts_at"])
def test_pages_forth_and_back_hold_every_row_once(client: Client, ordering: str) -> None:
    conference = ConferenceFactory()
    for number in range(7):
        unknown = {"starts_at": None, "ends_at": None, "day": None} if number % 3 == 0 else {}
        SessionFactory(conference=conference if number % 2 else ConferenceFactory(), position=5, **unknown)
    start = f"/api/v1/sessions/?ordering={ordering}"
    everything = [row["id"] for row in client.get(start).json()["results"]]

    forth, last = walk(client, f"{start}&page_size=2")
    back, _first = walk(client, last, "previous")

    assert [len(page) for page in forth] == [2, 2, 2, 1]
    assert [row for page in forth for row in page] == everything
    assert back == forth[::-1]
    assert len(set(everything)) == 7


def test_pages_stay_in_place_while_rows_come_and_go(client: Client) -> None:
    conference = ConferenceFactory()
    sessions = [SessionFactory(conference=conference, position=number * 10) for number in range(1, 5)]
    first = client.get("/api/v1/sessions/?page_size=2").json()

    SessionFactory(conference=conference, position=5)  # before what was read
    sessions[1].delete()  # the very row the cursor points at
    later = SessionFactory(conference=conference, position=35)
    page_cache.forget()
    pages, _last = walk(client, first["next"])

    assert [row for page in pages for row in page] == [str(row.public_id) for row in (sessions[2], later, sessions[3])]


@pytest.mark.parametrize("path", LISTS)
def test_every_list_pages_in_every_ordering(client: Client, path: str) -> None:
    for _number in range(2):
        contribution = ContributionFactory(session__kind="side_event")
        AdmissionFactory(session=contribution.session)
        CountryFactory()
        ConvenorshipFactory(session=contribution.session)
    operation = json.loads(schema.document())["paths"][f"/api/v1/{path}/"]["get"]
    orderings = next(parameter for parameter in operation["parameters"] if parameter["name"] == "ordering")

    for ordering in orderings["schema"]["enum"]:
        pages, last = walk(client, f"/api/v1/{path}/?ordering={ordering}&page_size=1")
        back, _first = walk(client, last, "previous")
        assert back == pages[::-1]
        assert [row for page in pages for row in page] == [
            row["id"] for row in client.get(f"/api/v1/{path}/?ordering={ordering}").json()["results"]
        ]


def test_page_addresses_keep_the_filters_and_do_not_follow_the_host_header(client: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    SessionFactory.create_batch(2, starts_at=datetime(2030, 1, 1, tzinfo=UTC), ends_at=datetime(2030, 1, 2, tzinfo=UTC))

    found = client.get("/api/v1/sessions/?page_size=1&kind=panel&lang=fr", headers={"Host": "other.example"}).json()

    assert found["next"].startswith(f"{settings.SITE_URL}/api/v1/sessions/?page_size=1&kind=panel&lang=fr&cursor=")


def test_cursor_of_another_ordering_or_changed_by_hand_is_refused(client: Client) -> None:
    SessionFactory.create_batch(2)
    address = (
        client.get("/api/v1/sessions/?page_size=1&ordering=starts_at").json()["next"].removeprefix(settings.SITE_URL)
    )

    problem(client.get(address.replace("ordering=starts_at", "ordering=-starts_at")), 400, "invalid-parameters")
    problem(client.get(address[:-1] + ("A" if address[-1] != "A" else "B")), 400, "invalid-parameters")
    assert client.get(address).status_code == 200


def test_no_answer_holds_a_serial_number(client: Client) -> None:
    for _number in range(2):
        AdmissionFactory(session=ContributionFactory(session__kind="side_event").session)

    for path in LISTS:
        for row in client.get(f"/api/v1/{path}/").json()["results"]:
            assert isinstance(row["id"], str)
            assert len(row["id"]) == 36
            assert not {"pk", "key", "internal_note"} & row.keys()
