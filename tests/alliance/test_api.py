"""What all resources of the API share: parameters, pages, problems, caches, other sites, the schema."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext_lazy
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries
from rest_framework import exceptions, serializers

from alliance import problems
from alliance.api import guide, schema
from alliance.exceptions import DomainError
from events import page_cache
from events.models import Topic
from events.releases import publishing
from tests.factories import (
    AdmissionFactory,
    ConferenceFactory,
    ContributionFactory,
    ConvenorshipFactory,
    CountryFactory,
    MaterialFactory,
    OrganisationFactory,
    PublicFigureFactory,
    RecommendationFactory,
    RoomFactory,
    SegmentFactory,
    SessionFactory,
    TextSectionFactory,
)

pytestmark = pytest.mark.django_db

LISTS = [
    "conferences",
    "sessions",
    "side-events",
    "speakers",
    "organisations",
    "rooms",
    "releases",
    "materials",
    "recommendations",
    "countries",
    "admissions",
    "figures",
]

WITH_TOKEN = ["delegations", "participants", "registrations"]  # tests/registration/test_api_access.py


def problem(response: Any, status: int, kind: str) -> dict[str, Any]:
    """The problem document of an answer. Fails on anything else."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert (found["type"], found["status"]) == (f"urn:alliance:problem:{kind}", status)
    assert found["title"]
    assert "Traceback" not in response.content.decode()
    return found


# --- addresses ------------------------------------------------------------------------------------------------------


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


# --- parameters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "parameters", "name", "detail"),
    [
        ("sessions", {"konference": "a"}, "konference", "There is no such parameter here. Known: conference, convenor"),
        ("sessions", {"format": "json"}, "format", "Expected one of: in_person, online, hybrid."),
        ("countries", {"format": "json"}, "format", "There is no such parameter here."),
        ("sessions", {"kind": ["panel", "opening"]}, "kind", "Give it once."),
        ("sessions", {"kind": ""}, "kind", "It is empty: give a value or leave it out."),
        ("sessions", {"search": "x" * 1001}, "search", "It is too long."),
        ("sessions", {"search": "x" * 101}, "search", "Expected at most 100 characters."),
        ("sessions", {"search": "a\0b"}, "search", "It has characters that cannot be read."),
        ("sessions", {"kind": "draft"}, "kind", "Expected one of: opening, panel,"),
        ("sessions", {"state": "draft"}, "state", "Expected one of: scheduled, cancelled."),
        ("conferences", {"state": "draft"}, "state", "Expected one of: announced,"),
        ("sessions", {"edition": "0"}, "edition", "Expected a whole number from 1 to 32767."),
        ("sessions", {"edition": "٣"}, "edition", "Expected a whole number from 1 to 32767."),
        ("sessions", {"day": "2020-02-30"}, "day", "Expected the number of a day, such as 2, or a date"),
        ("sessions", {"starts_after": "2020-07-20T09:00:00"}, "starts_after", "Expected an instant with its offset"),
        ("sessions", {"starts_before": "yesterday"}, "starts_before", "Expected an instant with its offset"),
        ("conferences", {"starts_after": "20.7.2020"}, "starts_after", "Expected a date such as 2020-07-20."),
        ("sessions", {"convenor": "17"}, "convenor", "Expected an id as this API writes it."),
        ("sessions", {"conference": "../etc"}, "conference", "Expected the id or the slug of a conference."),
        ("sessions", {"country": "at"}, "country", "Expected two capital letters of ISO 3166, such as AT."),
        ("organisations", {"is_alliance_partner": "yes"}, "is_alliance_partner", "Expected true or false."),
        ("sessions", {"lang": "tlh"}, "lang", "Expected one of: en, fr, de, it, es, ru."),
        ("sessions", {"page_size": "0"}, "page_size", "Expected a whole number from 1 to 200."),
        ("sessions", {"page_size": "201"}, "page_size", "Expected a whole number from 1 to 200."),
        ("sessions", {"ordering": "pk"}, "ordering", "Expected one of: programme, starts_at, -starts_at."),
        ("sessions", {"cursor": "abc"}, "cursor", "Expected the cursor of a next or previous address"),
    ],
)
def test_parameter_that_cannot_be_used_is_named_with_what_is_expected(
    client: Client, path: str, parameters: dict[str, Any], name: str, detail: str
) -> None:
    found = problem(client.get(f"/api/v1/{path}/", parameters), 400, "invalid-parameters")

    assert [(fault["where"], fault["name"]) for fault in found["errors"]] == [("query", name)]
    assert found["errors"][0]["detail"].startswith(detail)


def test_every_fault_of_the_filters_is_told_at_once(client: Client) -> None:
    response = client.get("/api/v1/sessions/", {"kind": "x", "day": "x", "search": "fine"})

    found = problem(response, 400, "invalid-parameters")

    assert [fault["name"] for fault in found["errors"]] == ["day", "kind"]


def test_detail_pages_know_no_filters(client: Client) -> None:
    session = SessionFactory()

    problem(client.get(f"/api/v1/sessions/{session.public_id}/?kind=panel"), 400, "invalid-parameters")
    assert client.get(f"/api/v1/sessions/{session.public_id}/?lang=fr").status_code == 200


def test_problems_speak_the_language_that_was_asked_for(client: Client) -> None:
    with translation.override("ru"):
        expected = translation.gettext("Some values cannot be used")

    by_parameter = client.get("/api/v1/sessions/", {"lang": "ru", "kind": "x"})
    by_header = client.get("/api/v1/sessions/", {"kind": "x"}, headers={"Accept-Language": "ru"})

    for response in (by_parameter, by_header):
        assert response.json()["title"] == expected
        assert response.headers["Content-Language"] == "ru"


# --- bad input, from the schema -------------------------------------------------------------------------------------


def parameters() -> Iterator[tuple[str, str]]:
    """Every filter of every list, as the schema tells them, and once what all of them share."""
    shared = {"lang", "fields", "expand", "cursor", "page_size", "ordering"}
    document = json.loads(schema.document())
    for path, operations in document["paths"].items():
        if any(any(operation.get("security", [])) for operation in operations.values()):
            continue  # asks for a token first: tests/registration/test_api_members.py
        for parameter in operations["get"]["parameters"]:
            once = path in {"/api/v1/sessions/", "/api/v1/conferences/{id}/"}
            if parameter["in"] == "query" and (once or parameter["name"] not in shared):
                yield path.replace("{id}", "00000000-0000-4000-8000-000000000000"), parameter["name"]


BAD = {
    "empty": "",
    "space": " ",
    "long": "x" * 1_000_000,
    "digits": "9" * 400,
    "negative": "-1",
    "nan": "NaN",
    "nul": "a\x00b",
    "control": "\x01\x1b[31m\r\nSet-Cookie: a=b",
    "surrogate": "%ED%A0%80",
    "cyrillic": "Россия",
    "arabic-digits": "١٢٣",
    "rtl": "\u202eevil",
    "emoji": "👩‍👩‍👧",
    "like": "%_\\%",
    "quote": "' OR 1=1 --",
    "template": "{{ settings.SECRET_KEY }}",
    "list": "[1,2]",
    "object": '{"a": 1}',
    "null": "null",
    "uuid": "00000000-0000-0000-0000-000000000000",
    "year-0": "0000-01-01",
    "year-1": "0001-01-01T00:00:00+14:00",
    "year-9999": "9999-12-31T23:59:59-14:00",
    "far-date": "9999-12-31",
    "far-offset": "1960-03-15T00:16:26.91+20:23",
    "base64": "eyJhIjoxfQ==",
}


@pytest.mark.parametrize(("path", "name"), sorted(parameters()))
def test_bad_values_never_break_anything(client: Client, path: str, name: str) -> None:
    for what, value in BAD.items():
        response = client.get(
            f"{path}?{name}={value}" if what == "surrogate" else path, None if what == "surrogate" else {name: value}
        )

        assert response.status_code in {200, 400, 404}, (what, response.status_code)
        if response.status_code != 200:
            assert response.headers["Content-Type"] == "application/problem+json"
            assert len(response.content) < 4000
            assert not response.cookies


@given(query=st.text(max_size=60), path=st.sampled_from(LISTS))
@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_query_string_is_answered(client: Client, query: str, path: str) -> None:
    response = client.get(f"/api/v1/{path}/", QUERY_STRING=query.encode("utf-8", "surrogatepass").decode("latin-1"))

    assert response.status_code in {200, 400}


def test_a_thousand_parameters_are_refused(client: Client) -> None:
    query = "&".join(f"a{number}=1" for number in range(1000))

    found = problem(client.get(f"/api/v1/sessions/?{query}"), 400, "invalid-parameters")

    assert len(found["errors"]) == 20


# --- pages ----------------------------------------------------------------------------------------------------------


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


# --- caches ---------------------------------------------------------------------------------------------------------


def test_conditional_read_costs_no_query_while_nothing_changed(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    SessionFactory()
    first = client.get("/api/v1/sessions/")
    etag, changed = first.headers["ETag"], first.headers["Last-Modified"]

    with django_assert_num_queries(0):
        same = [
            client.get("/api/v1/sessions/", headers=headers)
            for headers in (
                {"If-None-Match": etag},
                {"If-None-Match": f'"other", W/{etag}'},
                {"If-None-Match": "*"},
                {"If-Modified-Since": changed},
            )
        ]
        other = [
            client.get("/api/v1/sessions/", headers=headers)
            for headers in (
                {"If-None-Match": '"other"'},
                {"If-None-Match": '"other"', "If-Modified-Since": changed},
                {"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"},
                {"If-Modified-Since": "yesterday"},
            )
        ]

    assert [(response.status_code, response.content) for response in same] == [(304, b"")] * 4
    assert [response.status_code for response in other] == [200] * 4
    assert all(response.headers["ETag"] == etag for response in same + other)
    assert first.headers["Cache-Control"] == "public, no-cache"


def test_change_of_the_programme_changes_the_etag(client: Client) -> None:
    session = SessionFactory()
    before = client.get("/api/v1/sessions/").headers["ETag"]

    session.title = {"en": "Another title"}
    session.save()
    page_cache.forget()  # one transaction raises the content version once; see tests/events/test_page_cache.py
    after = client.get("/api/v1/sessions/", headers={"If-None-Match": before})

    assert after.status_code == 200
    assert after.headers["ETag"] != before


def test_languages_and_filters_are_kept_apart(client: Client) -> None:
    SessionFactory(title={"en": "Trust", "fr": "Confiance"})

    found = [
        client.get("/api/v1/sessions/", {"lang": code}).json()["results"][0]["title"]["text"] for code in ("en", "fr")
    ]

    assert found == ["Trust", "Confiance"]
    assert client.get("/api/v1/sessions/", {"kind": "opening"}).json()["results"] == []


def test_problems_are_not_kept(client: Client) -> None:
    response = client.get("/api/v1/sessions/", {"kind": "x"})

    assert "ETag" not in response.headers
    assert response.headers["Cache-Control"] == "no-store"


# --- other sites ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["sessions/", "sessions/?kind=x", "nothing/", "admissions/", "schema/", ""])
def test_pages_of_other_sites_may_read_without_credentials(client: Client, path: str) -> None:
    for _twice in range(2):  # made and kept
        response = client.get(f"/api/v1/{path}", headers={"Origin": "https://partner.example"})

        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in response.headers


def test_preflight_allows_conditional_reads_and_nothing_else(client: Client) -> None:
    response = client.options(
        "/api/v1/sessions/",
        headers={
            "Origin": "https://partner.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "if-none-match",
        },
    )

    assert response.status_code == 204
    assert response.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert response.headers["Access-Control-Allow-Headers"] == "If-None-Match, If-Modified-Since"


@pytest.mark.parametrize("path", ["/en/", "/admin/login/", "/healthz"])
def test_pages_are_closed_to_other_sites(client: Client, path: str) -> None:
    response = client.get(path, headers={"Origin": "https://partner.example"})

    assert "Access-Control-Allow-Origin" not in response.headers


def test_requests_with_credentials_are_closed_to_other_sites(client: Client) -> None:
    response = client.get(
        "/api/v1/sessions/", headers={"Authorization": "Bearer x", "Origin": "https://partner.example"}
    )

    assert "Access-Control-Allow-Origin" not in response.headers


# --- problems -------------------------------------------------------------------------------------------------------


class NoPlaceLeft(DomainError):
    """A rule for the test."""

    code = "no-place-left"
    message = gettext_lazy("All places are taken.")


def handled(error: Exception) -> Any:
    """What the handler makes of an error."""
    response = problems.problem_handler(error, {})
    assert response is not None
    assert response.content_type == "application/problem+json"
    return response


def test_rule_that_says_no_is_409_with_its_code() -> None:
    response = handled(NoPlaceLeft())

    assert response.status_code == 409
    assert response.data == {
        "type": "urn:alliance:problem:no-place-left",
        "title": "The rules do not allow this",
        "status": 409,
        "detail": "All places are taken.",
        "code": "no-place-left",
    }


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (exceptions.ParseError(), 400, "bad-request"),
        (exceptions.NotAuthenticated(), 401, "not-authenticated"),
        (exceptions.AuthenticationFailed(), 401, "not-authenticated"),
        (exceptions.PermissionDenied(), 403, "forbidden"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported-media-type"),
        (exceptions.Throttled(wait=7), 429, "too-many-requests"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_the_framework_are_problem_documents(error: Exception, status: int, kind: str) -> None:
    response = handled(error)

    assert (response.status_code, response.data["type"]) == (status, f"urn:alliance:problem:{kind}")
    assert response.headers.get("Retry-After") == ("7" if status == 429 else None)


def test_faults_of_a_body_are_told_by_field() -> None:
    error = exceptions.ValidationError({"people": [{}, {"email": ["Not an address."]}], "note": ["Too long."]})

    response = handled(serializers.ValidationError(error.detail))

    assert response.data["errors"] == [
        {
            "where": "body",
            "name": "people.1.email",
            "detail": "Not an address.",
            "pointer": "#/people/1/email",
        },
        {"where": "body", "name": "note", "detail": "Too long.", "pointer": "#/note"},
    ]


def test_error_of_ours_is_left_to_the_middleware() -> None:
    assert problems.problem_handler(ZeroDivisionError(), {}) is None


# --- the schema and its page ----------------------------------------------------------------------------------------


def test_schema_is_valid_openapi_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"))


def test_schema_is_served_as_openapi_31_and_kept_by_its_etag(client: Client) -> None:
    first = client.get("/api/v1/schema/")
    again = client.get("/api/v1/schema/", headers={"If-None-Match": first.headers["ETag"]})

    assert first.json()["openapi"] == "3.1.0"
    assert {path.split("/")[3] for path in first.json()["paths"]} == {*LISTS, *WITH_TOKEN}
    assert again.status_code == 304


@pytest.mark.parametrize("path", LISTS)
def test_rows_have_exactly_the_members_the_schema_tells(client: Client, path: str) -> None:
    contribution = ContributionFactory(session__kind="side_event")
    AdmissionFactory(session=contribution.session)
    CountryFactory()
    conference = contribution.session.conference
    conference.organiser = OrganisationFactory(part_of=OrganisationFactory())
    conference.save()
    ConvenorshipFactory(session=contribution.session)
    TextSectionFactory(session=contribution.session)
    SegmentFactory(session=contribution.session)
    over = datetime(2020, 7, 21, 9, 0, tzinfo=UTC)
    past = SessionFactory(conference=conference, kind="side_event", starts_at=over, ends_at=over + timedelta(hours=1))
    topic, _made = Topic.objects.get_or_create(key="courts", defaults={"name": {"en": "Courts"}})
    top = RecommendationFactory(session=past, topics=[topic.key])
    RecommendationFactory(session=past, parent=top)
    MaterialFactory(conference=conference, session=past)
    conference.venue = RoomFactory().venue
    conference.save()
    publishing.publish(conference, by=None, now=over, check=False)
    PublicFigureFactory(conference=conference, country=CountryFactory(), session=contribution.session)
    document = json.loads(schema.document())

    def check(value: Any, shape: dict[str, Any], where: str) -> None:
        for ref in (shape.get("$ref"), *(part.get("$ref") for part in shape.get("allOf", []) + shape.get("oneOf", []))):
            if ref and isinstance(value, dict):
                target = document["components"]["schemas"][ref.rpartition("/")[2]]
                assert set(value) == set(target["properties"]), where
                for name, inner in value.items():
                    check(inner, target["properties"][name], f"{where}.{name}")
        if isinstance(value, list):
            for inner in value:
                check(inner, shape["items"], f"{where}[]")

    found = client.get(f"/api/v1/{path}/").json()

    assert found["results"]
    shape = document["paths"][f"/api/v1/{path}/"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    check(found, shape, path)


def test_docs_page_uses_our_own_files_alone(client: Client) -> None:
    response = client.get("/api/v1/docs/")
    policy = response.headers["Content-Security-Policy"]
    page = response.content.decode()

    assert "http:" not in page
    assert "https:" not in page
    usual = client.get("/api/v1/schema/").headers["Content-Security-Policy"]
    assert sorted(policy.replace("img-src 'self' data:", "img-src 'self'").split("; ")) == sorted(usual.split("; "))
    assert "unsafe" not in policy
    assert "<style" not in page
    assert "onclick" not in page


@pytest.mark.parametrize(("name", "file"), guide.FILES.items())
def test_guide_is_on_the_site_with_the_addresses_of_the_site(client: Client, name: str, file: str) -> None:
    page = client.get(f"/api/v1/docs/{name}/").content.decode()
    text = (Path(settings.BASE_DIR) / "docs" / file).read_text(encoding="utf-8")

    assert "alliance.example.org" not in page
    assert settings.SITE_URL in page or name == "webhooks"
    for heading in re.findall(r"^## (.+)$", text, flags=re.MULTILINE):
        anchor = guide._anchor(heading)
        assert f'<h2 id="{anchor}">' in page
        assert f'<a href="#{anchor}">' in page
    links = re.findall(r'href="([^"]+)"', page.partition('class="prose api-guide"')[2].partition("</main>")[0])
    assert links
    for link in links:
        address, _hash, anchor = link.partition("#")
        found = page if not address else client.get(address).content.decode()
        assert not anchor or f'id="{anchor}"' in found, link
    assert client.get("/api/v1/docs/nothing/").status_code == 404
