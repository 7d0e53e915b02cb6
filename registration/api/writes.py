"""How what programs send is read: bodies within bounds, preconditions, and the keys of requests sent twice."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request

from alliance.problems import Fault, InvalidParameters, Refused

MOST_BYTES = 200_000  # of a body; a hundred people need a tenth of it

_KEY = re.compile(r"[\x21-\x7e]{1,200}")


class NamedTwice(exceptions.ParseError):
    """An object has a member twice. Programs differ in which one they would take; people would wonder."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class StrictJsonParser(JSONParser):
    """JSON in UTF-8, whatever charset is claimed (RFC 8259), in which no object has a member twice.

    A byte order mark is let pass, since programs of Windows write one.
    """

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """What was sent. Raises ParseError, NamedTwice, RecursionError."""
        try:
            text = stream.read().decode("utf-8-sig")
            return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_name_once)
        except ValueError as error:  # of the decoding, too
            raise exceptions.ParseError from error


def _no_constant(name: str) -> Any:
    raise ValueError(name)  # NaN and infinities are no JSON


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise NamedTwice(name)
        found[name] = value
    return found


class CsvParser(BaseParser):
    """A list as text, for the one operation that takes it."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The text, in UTF-8 with or without a mark. Raises ParseError."""
        try:
            return stream.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise exceptions.ParseError from error


def sent(request: Request) -> Any:
    """What was sent, as the parsers of the view read it. Raises Refused, InvalidParameters, UnsupportedMediaType."""
    try:
        if _length(request) > MOST_BYTES:
            raise Refused(
                status=413,
                kind="content-too-large",
                title=_("This is too much at once"),
                detail=_("A body has at most %(limit)d bytes. Send it in parts.") % {"limit": MOST_BYTES},
            )
        return request.data
    except NamedTwice as error:
        raise InvalidParameters([Fault("body", shown_name(error.name), _("Give it once."))]) from error
    except (exceptions.ParseError, RecursionError, OSError) as error:  # the last: broken chunks, or a sender who left
        raise Refused(
            status=400,
            kind="malformed-body",
            title=_("This request cannot be read"),
            detail=_("The body cannot be read. Expected UTF-8, and JSON that is whole."),
        ) from error


def _length(request: Request) -> int:
    """How long the body is. Raises OSError.

    One that comes in chunks is given its length here: .NET and Go send such ones, and Django takes them for empty. At
    most one byte more than is allowed is read, and only of servers that say where the body ends.
    """
    meta = request.META
    if meta.get("wsgi.input_terminated") and not meta.get("CONTENT_LENGTH"):
        try:
            body = meta["wsgi.input"].read(MOST_BYTES + 1)
        except Exception as error:  # every server has its own for chunks that are none, and nothing of ours runs here
            raise OSError("broken chunks") from error
        meta["CONTENT_LENGTH"] = str(len(body))
        request._request._stream = io.BytesIO(body)
    length = meta.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdecimal() else MOST_BYTES + 1


def shown_name(name: str) -> str:
    """A name that somebody sent, as far as it may stand in an answer."""
    return name[:40].encode("ascii", "replace").decode()


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object that was sent. Raises Refused, InvalidParameters, UnsupportedMediaType."""
    data = sent(request)
    if not isinstance(data, dict):
        raise InvalidParameters([Fault("body", "", _("Expected an object."))])
    return dict(data)


def idempotency_key(request: Request) -> str | None:
    """The Idempotency-Key, if there is one. Raises InvalidParameters."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not _KEY.fullmatch(key):
        expected = _("Expected 1 to 200 letters, digits or signs of ASCII without blanks, such as a UUID.")
        raise InvalidParameters([Fault("header", "Idempotency-Key", expected)])
    return key


def etag_of(data: Mapping[str, Any]) -> str:
    """The strong validator of a row as it is shown."""
    written = json.dumps(data, sort_keys=True, default=str)
    return f'"{hashlib.sha256(written.encode()).hexdigest()[:32]}"'


def expected_etags(request: Request) -> set[str]:
    """What If-Match names; "*" stands for any. Raises Refused (428) when it is missing.

    A proxy that compresses answers marks our ETags as weak on their way; they still name the row as it was read.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise Refused(
            status=428,
            kind="precondition-required",
            title=_("Say which version you have seen"),
            detail=_("Read the row, and send its ETag as If-Match, so that nothing is overwritten unseen."),
        )
    return {part.strip().removeprefix("W/") for part in header.split(",")}


def check_etag(expected: set[str], etag: str) -> None:
    """Refuse to change what has changed meanwhile. Raises Refused (412)."""
    if "*" not in expected and etag not in expected:
        raise Refused(
            status=412,
            kind="precondition-failed",
            title=_("The row has changed meanwhile"),
            detail=_("Read it again, and decide whether your change still fits."),
        )
