"""No claim about a body breaks anything: Django reads it before a middleware could help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory

from alliance import content_types


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("", ""),
        ("application/json", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("text/csv; header=present", "text/csv; header=present"),
        ("multipart/form-data; boundary=abc", "multipart/form-data; boundary=abc"),
        ('multipart/form-data; charset=utf-16; boundary="a;b"', 'multipart/form-data; boundary="a;b"'),
        *((f"text/plain; charset={name}", "text/plain") for name in ("hex", "bz2", "undefined", "idna", "nonsense")),
        ("text/plain; charset*=utf-8''hex", "text/plain"),
        ('text/plain; charset="hex"; a=b', "text/plain"),
        ("text/plain; a*=nonsense''x", "application/octet-stream"),
        ("text/plain; a*=undefined''x", "application/octet-stream"),
        (";", ";"),
        ("text/plain; " + "a;" * 2000, "text/plain; " + "a;" * 2000),
    ],
)
def test_what_is_left_can_be_read_by_django(kind: str, expected: str) -> None:
    asked: list[WSGIRequest] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        asked.append(WSGIRequest(environ))
        return []

    environ = RequestFactory().get("/?a=%C3%A9").META | {"CONTENT_TYPE": kind}
    content_types.guarded(application)(environ, None)

    assert environ["CONTENT_TYPE"] == expected
    assert asked[0].GET["a"] == "é"


def test_the_server_asks_through_it() -> None:
    assert "application = guarded(" in (Path(content_types.__file__).parent / "wsgi.py").read_text()
