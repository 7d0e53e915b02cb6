"""Calls to platforms, with a hard end to everything: time, size, redirects, content types.

A platform is somebody else's program. It may hang, drip, answer with a page instead of data, or send us elsewhere. What
matters most about a failed call is whether anything may have happened over there: if the request has not left, it is
Unavailable and may simply be made again; if it has left and was more than a question, it is OutcomeUnknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alliance import outgoing
from outbox.retry_after import retry_at
from video.adapters.base import LONGEST
from video.adapters.errors import (
    AuthExpired,
    NoAnswerInTime,
    NotReachable,
    OperatorActionNeeded,
    OutcomeUnknown,
    RateLimited,
    Scope,
    Unavailable,
    VideoError,
)

CONNECT = 3.0  # seconds
MOST_BYTES = 2_000_000  # of an answer; 300 registrants are a quarter of that
JSON = ("application/json",)
XML = ("text/xml", "application/xml")
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_QUESTIONS = {"GET", "HEAD"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. data: the JSON object, {} when there is none; raw: the bytes of other kinds."""

    status: int
    data: dict[str, Any] = field(repr=False)
    raw: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def code(self) -> str:
        """The platform's own number or word for an error."""
        return str(self.data.get("code", ""))

    @property
    def message(self) -> str:
        """The platform's own text for an error, for comparing only: it may hold names and addresses."""
        return str(self.data.get("message", "")).lower()


def check_base(address: str) -> str:
    """The base address of an API, without a slash at its end. https, or http on this machine itself.

    Raises OperatorActionNeeded: it comes from settings.
    """
    try:
        parts = urlsplit(address.strip())
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        if not is_safe or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError
        _port = parts.port
    except ValueError:
        raise OperatorActionNeeded(_("The address of the video platform’s API must start with https://.")) from None
    return address.strip().rstrip("/")


class Asked(TypedDict, total=False):
    """What an adapter's own calls hand on to call()."""

    params: Mapping[str, Any] | None
    body: Mapping[str, Any] | None
    is_question: bool | None


def call(
    method: str,
    url: str,
    *,
    params: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    types: tuple[str, ...] = JSON,
    seconds: float = LONGEST,
    is_question: bool | None = None,
) -> Answer:
    """Make one call; the answer when it has a status of 2xx or 4xx other than 401 and 429.

    types: the content types an answer may have. seconds: the end of it all, names looked up included. is_question:
    whether making it twice is harmless; by default for GET.
    Raises Unavailable, OutcomeUnknown, RateLimited, AuthExpired.
    """
    harmless = method in _QUESTIONS if is_question is None else is_question
    request = {
        "params": params,
        "json": body,
        "data": form,
        "headers": {"accept": ", ".join(types), "accept-encoding": "identity", **(headers or {})},
        "auth": basic,
    }
    sent = {name: value for name, value in request.items() if value is not None}
    exchange = outgoing.Exchange(method, url, sent, seconds=seconds, connect=CONNECT, most_bytes=MOST_BYTES)
    has_ended = exchange.carry_out("video-call")
    if not has_ended or exchange.failed:
        if not exchange.has_left:
            raise NotReachable
        if not harmless:
            raise NoAnswerInTime if not has_ended or exchange.is_late else OutcomeUnknown
        raise Unavailable
    return _judged(exchange, types, harmless)


def _judged(exchange: outgoing.Exchange, types: tuple[str, ...], harmless: bool) -> Answer:
    """The answer, if it is one."""
    unknown: type[VideoError] = Unavailable if harmless else OutcomeUnknown
    status = exchange.status
    if status >= 500 or exchange.is_too_big:
        raise unknown
    if not (200 <= status < 300 or 400 <= status < 500):  # a redirect sends us nowhere, and nothing happened
        raise Unavailable
    kind = exchange.headers.get("content-type", "").partition(";")[0].strip().lower()
    data: dict[str, Any] = {}
    if exchange.raw and kind in types and kind in JSON:
        try:
            data = _object(exchange.raw)
        except (ValueError, RecursionError):
            if status < 300:
                raise unknown from None
    elif status < 300 and (kind not in types if exchange.raw else status != 204):
        raise unknown  # a page of some proxy, or nothing where something must be
    answer = Answer(status, data, exchange.raw if kind in XML else b"", exchange.headers)
    if status == 429:
        raise RateLimited(
            retry_at=retry_at(answer.headers.get("retry-after"), now=timezone.now()), scope=_scope(answer)
        )
    if status == 401:
        raise AuthExpired
    return answer


def _object(raw: bytes) -> dict[str, Any]:
    """A JSON object, by the letter."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    data = json.loads(raw.decode("utf-8"), parse_constant=refuse)
    if not isinstance(data, dict):
        raise ValueError("no object")
    return data


def _scope(answer: Answer) -> Scope:
    """What the limit counts: seconds, days, or calls for one person."""
    if "registrant" in answer.message:
        return Scope.REGISTRANT
    kind = answer.headers.get("x-ratelimit-type", "").lower()
    return Scope.DAY if "day" in kind or "daily" in kind or "daily" in answer.message else Scope.SECOND


def text(data: Mapping[str, Any], name: str, *, most: int = 2000) -> str:
    """A text of an answer; numbers become text. Raises OutcomeUnknown when it is not there or too long."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int) or not 0 < len(str(value)) <= most:
        raise OutcomeUnknown
    return str(value)
