"""Kept pages: always the present content, never more than a bound, never another reader's."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from pytest_django import DjangoAssertNumQueries

from events import page_cache
from tests.factories import ContributionFactory, SessionFactory


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for the version at every request, instead of twice a second."""
    monkeypatch.setattr(page_cache, "_VERSION_SECONDS", -1.0)


@pytest.mark.django_db(transaction=True)
def test_person_who_is_hidden_is_gone_from_kept_pages_with_the_commit(client: Client, at_once: None) -> None:
    contribution = ContributionFactory(person__display_name="Canary Person")
    person, session = contribution.person, contribution.session
    slug = session.conference.slug
    paths = [
        "/api/v1/sessions/",
        "/api/v1/speakers/",
        f"/api/v1/sessions/{session.public_id}/",
        f"/en/{slug}/sessions/{session.slug}/",
        f"/en/{slug}/speakers/",
        f"/en/speakers/{person.public_id}/",
    ]
    for path in paths * 2:
        assert b"Canary" in client.get(path).content, path

    person.is_hidden = True
    person.save()

    for path in paths:
        assert b"Canary" not in client.get(path).content, path


@pytest.mark.django_db(transaction=True)
def test_change_by_raw_sql_is_seen_too(client: Client, at_once: None) -> None:
    from django.db import connection

    SessionFactory(title={"en": "Before"})
    assert b"Before" in client.get("/api/v1/sessions/").content

    with connection.cursor() as cursor:
        cursor.execute("""UPDATE events_session SET title = '{"en": "After"}'""")

    assert b"After" in client.get("/api/v1/sessions/").content


@pytest.mark.django_db
def test_kept_page_costs_no_query_and_comes_compressed_to_those_who_can(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    SessionFactory()
    plain = client.get("/api/v1/sessions/")

    with django_assert_num_queries(0):
        again = client.get("/api/v1/sessions/")
        zipped = client.get("/api/v1/sessions/", headers={"Accept-Encoding": "gzip"})

    assert again.content == plain.content == gzip.decompress(zipped.content)
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["Content-Length"] == str(len(zipped.content))
    assert zipped.headers["Vary"] == "Accept-Encoding"
    assert zipped.headers["ETag"] == plain.headers["ETag"]


@pytest.mark.django_db
def test_page_made_anew_and_the_same_has_not_changed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    SessionFactory()
    clock = [1_000_000_000.0]
    monkeypatch.setattr("time.time", lambda: clock[0])
    first = client.get("/api/v1/sessions/")

    monkeypatch.setattr(page_cache, "_PAGE_SECONDS", -1.0)  # every kept page is too old
    clock[0] += 3600
    again = client.get("/api/v1/sessions/")

    assert first.headers["Last-Modified"] == again.headers["Last-Modified"] == "Sun, 09 Sep 2001 01:46:40 GMT"


@pytest.mark.django_db
def test_memory_is_bounded_by_number_and_by_size(rf: RequestFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    @page_cache.cached_page
    def view(request: Any) -> HttpResponse:
        return HttpResponse(request.get_full_path().encode() * 50)

    cache = page_cache.PageCache(view)
    monkeypatch.setattr(page_cache, "_MOST_PAGES", 10)
    for number in range(50):
        request = rf.get(f"/page/{number}")
        request.resolver_match = None
        cache(request)
    assert len(page_cache.kept()) == 10

    monkeypatch.setattr(page_cache, "_MOST_BYTES", 2000)
    for number in range(50):
        request = rf.get(f"/other/{number}")
        request.resolver_match = None
        cache(request)
    held = sum(len(page.body) + len(page.zipped) for page in page_cache._plain.pages.values())
    assert held == page_cache._plain.bytes <= 2000
    assert page_cache.kept()


@pytest.mark.django_db
def test_answers_that_are_not_marked_or_not_fine_are_not_kept(rf: RequestFactory) -> None:
    @page_cache.cached_page
    def missing(request: Any) -> HttpResponse:
        return HttpResponse(status=404)

    def personal(request: Any) -> HttpResponse:
        return HttpResponse("personal")

    for view in (missing, personal):
        page_cache.PageCache(view)(rf.get("/page"))

    assert not page_cache.kept()
