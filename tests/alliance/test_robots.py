"""What search engines may keep: public pages, and nothing for one reader. Links of persons have tests of their own."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from alliance.middleware import SecurityHeaders
from tests.factories import ConferenceFactory, StaffFactory

FOR_ONE_READER = (
    "/admin/",
    "/admin/login/",
    "/en/accounts/login/",
    "/en/accounts/logout/",
    "/en/accounts/password/",
    "/en/accounts/password/forgotten/",
    "/en/accounts/password/forgotten/done/",
    "/en/accounts/password/new/MQ/set-password/",
    "/en/accounts/password/new/done/",
    "/en/accounts/again/",
    "/en/accounts/factors/",
    "/en/accounts/factors/app/",
    "/en/accounts/sessions/",
    "/en/delegations/",
    "/en/convenor/",
)
FOR_ALL = ("/en/", "/en/about/privacy/", "/en/about/accessibility/", "/sitemap.xml", "/en/meeting/", "/robots.txt")


@pytest.mark.django_db
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_pages_for_one_reader_are_not_indexed(is_signed_in: bool, client: Client) -> None:
    if is_signed_in:
        client.force_login(StaffFactory())

    answers = {path: client.get(path) for path in FOR_ONE_READER}
    assert {path for path, answer in answers.items() if "noindex" not in answer.get("X-Robots-Tag", "")} == set()


@pytest.mark.django_db
def test_pages_for_all_are(client: Client) -> None:
    ConferenceFactory(slug="meeting", state="published")

    answers = {path: client.get(path) for path in FOR_ALL}
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(FOR_ALL, 200)
    assert {path for path, answer in answers.items() if "X-Robots-Tag" in answer} == set()


@pytest.mark.parametrize(
    ("header", "value"), [("Vary", "Accept-Language, Cookie"), ("Cache-Control", "private, max-age=60")]
)
def test_files_for_one_reader_are_not_indexed(header: str, value: str, rf: RequestFactory) -> None:
    middleware = SecurityHeaders(lambda _request: HttpResponse(b"PK", headers={header: value}))

    assert middleware(rf.get("/"))["X-Robots-Tag"] == "noindex, nofollow"
