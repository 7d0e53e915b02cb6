"""What others may keep of public answers, and what pages of other sites may read."""

from __future__ import annotations

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from events import page_cache
from tests.factories import (
    SessionFactory,
)

pytestmark = pytest.mark.django_db


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
