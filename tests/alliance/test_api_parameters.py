"""Query parameters: what cannot be used is refused by name, and nothing breaks on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from alliance.api import schema
from tests.api import LISTS, problem
from tests.factories import (
    SessionFactory,
)

pytestmark = pytest.mark.django_db


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
