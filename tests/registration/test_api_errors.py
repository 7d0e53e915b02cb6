"""Every refusal of the API, whatever the cause, is a problem document in the reader's language."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import translation
from django.utils.translation import gettext

from alliance.api import cors
from alliance.api.limits import Limit
from alliance.api.views import PublicViewSet, Root
from events import page_cache
from registration.api import access
from registration.models import Scope
from tests.registration.tokens import a_delegation, person, token

pytestmark = pytest.mark.django_db

Send = Callable[..., Any]

# What is sent, and what it is refused with. Unknown rows and addresses, methods, kinds of content, bytes that are no
# text, numbers without an end, documents that are none.
NOBODY = "00000000-0000-4000-8000-000000000000"
READS: dict[str, tuple[int, str, dict[str, Any]]] = {
    "/nothing/": (404, "not-found", {}),
    "/sessions": (404, "not-found", {}),
    f"/sessions/{NOBODY}/": (404, "not-found", {}),
    "/conferences/nobody/": (404, "not-found", {}),
    "/%00/": (404, "not-found", {}),
    "/%FF%FE/": (404, "not-found", {}),
    "/sessions/?search=%00": (400, "invalid-parameters", {}),
    "/sessions/?search=%FF": (400, "invalid-parameters", {}),
    "/sessions/?edition=" + "9" * 400: (400, "invalid-parameters", {}),
    "/sessions/?page_size=1e999": (400, "invalid-parameters", {}),
    "/sessions/?starts_after=99999-99-99": (400, "invalid-parameters", {}),
    "/sessions/?search=" + "x" * 5000: (400, "invalid-parameters", {}),
    "/sessions/?" + "a=1&" * 2000: (400, "bad-request", {}),
    "/?nothing=1": (400, "invalid-parameters", {}),
    "/sessions/?kind=none": (400, "invalid-parameters", {"HTTP_ACCEPT": "application/json"}),
    "/sessions/": (406, "not-acceptable", {"HTTP_ACCEPT": "application/xml"}),
}
OTHER_METHODS = ["/", "/sessions/", f"/sessions/{NOBODY}/", "/admissions/", "/schema/", "/docs/"]
_JSON = {"content_type": "application/json"}
WRITES: dict[str, tuple[int, str, dict[str, Any]]] = {
    "no JSON": (400, "malformed-body", _JSON | {"data": b"{given_name: Lena}"}),
    "half of it": (400, "malformed-body", _JSON | {"data": b'{"given_name": "Le'}),
    "bytes that are no text": (400, "malformed-body", _JSON | {"data": b'{"given_name": "\xff\xfe"}'}),
    "a thousand lists": (400, "malformed-body", _JSON | {"data": b"[" * 100_000}),
    "not a number": (400, "malformed-body", _JSON | {"data": b'{"given_name": NaN}'}),
    "a number without an end": (400, "malformed-body", _JSON | {"data": b"9" * 100_000}),
    "infinity": (400, "invalid-parameters", _JSON | {"data": b'{"given_name": 1e999}'}),
    "NUL": (400, "invalid-parameters", _JSON | {"data": b'{"given_name": "a\\u0000b"}'}),
    "half a letter": (400, "invalid-parameters", _JSON | {"data": b'{"given_name": "\\ud800"}'}),
    "nothing": (400, "invalid-parameters", _JSON | {"CONTENT_TYPE": "application/json"}),
    "a name twice": (400, "invalid-parameters", _JSON | {"data": b'{"email": "a@b.example", "email": "c@d.example"}'}),
    "no object": (400, "invalid-parameters", _JSON | {"data": b'"text"'}),
    "another kind": (415, "unsupported-media-type", {"data": b"<a/>", "content_type": "application/xml"}),
    "no kind": (415, "unsupported-media-type", {"data": b"{}", "content_type": "", "CONTENT_TYPE": ""}),
    "too much": (413, "content-too-large", _JSON | {"data": b" " * 200_001}),
}


@pytest.fixture
def send(client: Client) -> Send:
    """Asks twice, by ?lang= and by header: an answer in English, and the same in French whichever way."""

    def answer(method: str, path: str, status: int, kind: str, *, both: bool = True, **more: Any) -> Any:
        client.raise_request_exception = False
        mark = "&" if "?" in path else "?"
        english = client.generic(method, f"/api/v1{path}", **more)
        french = [
            client.generic(method, f"/api/v1{path}{mark}lang=fr", **more),
            *([client.generic(method, f"/api/v1{path}", **more, HTTP_ACCEPT_LANGUAGE="fr, en;q=0.5")] if both else []),
        ]
        title = english.json()["title"]
        for one, language in zip([english, *french], ["en", "fr", "fr"], strict=False):
            assert one.status_code == status, one.content[:300]
            assert one.headers["Content-Type"] == "application/problem+json"
            assert one.headers["Content-Language"] == language
            found = one.json()
            assert (found["type"], found["status"]) == (f"urn:alliance:problem:{kind}", status)
            with translation.override(language):
                assert found["title"] == gettext(title)
            assert "Traceback" not in one.text
            assert "<" not in one.text
        with translation.override("fr"):
            assert gettext(title) != title
        return english

    return answer


@pytest.mark.parametrize("path", READS, ids=lambda path: path[:40])
def test_read_that_cannot_be_answered(send: Send, path: str) -> None:
    status, kind, more = READS[path]

    send("GET", path, status, kind, **more)


@pytest.mark.parametrize("path", OTHER_METHODS)
def test_method_that_is_not_for_this_address(send: Send, path: str, client: Client) -> None:
    client.handler.enforce_csrf_checks = True  # a program brings no cookie
    for method in ("POST", "PUT", "PATCH", "DELETE", "TRACE", "LINK"):
        assert "GET" in send(method, path, 405, "method-not-allowed").headers["Allow"]


def test_writing_to_no_address_is_404_and_a_missing_slash_is_told(send: Send, client: Client) -> None:
    client.handler.enforce_csrf_checks = True

    for method in ("POST", "PATCH", "DELETE"):
        send(method, "/participants//substitute/", 404, "not-found")
        assert "slash" in send(method, "/participants/bulk", 404, "not-found").json()["detail"]
    assert "slash" not in send("GET", "/nothing", 404, "not-found").json()["detail"]


def test_schema_and_docs_say_what_may_be_done(client: Client) -> None:
    for path in ("schema", "docs"):
        answer = client.options(f"/api/v1/{path}/")

        assert (answer.status_code, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.usefixtures("api_minute")
def test_body_that_cannot_be_used(send: Send) -> None:
    secret = token(a_delegation())

    for name, (status, kind, more) in WRITES.items():
        try:
            send("POST", "/participants/", status, kind, both=False, **more, HTTP_AUTHORIZATION=f"Bearer {secret}")
        except AssertionError as error:
            raise AssertionError(name) from error


@pytest.mark.usefixtures("api_minute")
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (json.dumps(person()).encode(), 201),
        (b"\xef\xbb\xbf" + json.dumps(person()).encode(), 201),
        (b"", 400),
        (b"{", 400),
        (b" " * 200_001, 413),
    ],
)
def test_body_in_chunks_is_read_like_any_other(client: Client, body: bytes, status: int) -> None:
    """As programs in .NET and Go send it: without Content-Length; gunicorn says where it ends."""
    chunked: Any = {
        "CONTENT_LENGTH": "",
        "CONTENT_TYPE": "application/json",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "HTTP_AUTHORIZATION": f"Bearer {token(a_delegation())}",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
    }

    answer = client.generic("POST", "/api/v1/participants/", b"", **chunked)

    assert answer.status_code == status, answer.content


class BrokenChunks(io.BytesIO):
    """A body whose chunks are none, as gunicorn tells it: with an exception of its own."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise EOFError("Invalid chunk size")


@pytest.mark.usefixtures("api_minute")
def test_broken_chunks_cannot_be_read(send: Send) -> None:
    chunked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    more: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {token(a_delegation())}", "wsgi.input": BrokenChunks()}

    send("POST", "/participants/", 400, "malformed-body", **_JSON, **chunked, **more)


@pytest.mark.usefixtures("api_minute")
def test_token_that_does_not_do(send: Send) -> None:
    reads = token(a_delegation(), Scope.MEMBERS_READ)

    assert send("GET", "/participants/", 401, "not-authenticated").headers["WWW-Authenticate"]
    send("GET", "/participants/", 401, "token-unknown", HTTP_AUTHORIZATION="Bearer all_x")
    send("POST", "/participants/", 403, "scope-missing", **_JSON, data=b"{}", HTTP_AUTHORIZATION=f"Bearer {reads}")


@pytest.mark.usefixtures("api_minute")
def test_rule_that_says_no(send: Send) -> None:
    secret = token(a_delegation(quota=0))

    found = send(
        "POST",
        "/participants/bulk/",
        409,
        "nomination-refused",
        **_JSON,
        data=json.dumps({"members": [person()]}).encode(),
        HTTP_AUTHORIZATION=f"Bearer {secret}",
    ).json()

    assert found["errors"][0]["pointer"] == "#/members/0"


@pytest.mark.usefixtures("api_minute")
def test_too_many_requests(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "PER_ADDRESS", Limit("address", 0))
    monkeypatch.setattr(cors.READS, "limit", Limit("reads", 0))

    for path in ("/sessions/", "/participants/"):
        assert 0 < int(send("GET", path, 429, "too-many-requests").headers["Retry-After"]) <= 60


@pytest.mark.parametrize("path", ["/", "/sessions/", "/admissions/", f"/sessions/{NOBODY}/"])
def test_error_of_ours(send: Send, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError("a secret of ours")

    monkeypatch.setattr(PublicViewSet, "initial", fail)
    monkeypatch.setattr(Root, "initial", fail)

    assert "secret" not in send("GET", path, 500, "server-error").text


@pytest.mark.parametrize("path", ["/sessions/", "/admissions/", f"/sessions/{NOBODY}/", "/participants/"])
def test_database_that_is_away(send: Send, path: str) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("no route to host")

    page_cache.forget()
    with connection.execute_wrapper(away):
        answer = send("GET", path, 503, "unavailable", HTTP_AUTHORIZATION="Bearer all_x")

    assert answer.headers["Retry-After"] == "5"
