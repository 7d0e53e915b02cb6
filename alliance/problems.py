"""API errors as RFC 9457 problem documents, in the reader's language and without a trace of our insides.

The kind at the end of the type is stable, for programs; title and detail are for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.response import Response

from alliance import errors
from alliance.exceptions import DomainError

CONTENT_TYPE = errors.PROBLEM_TYPE


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one parameter or field. where: "query", "header" or "body"; nested names have dots."""

    where: str
    name: str
    detail: str

    def told(self) -> dict[str, str]:
        """As the answer has it; in a body with a JSON pointer, too (RFC 6901, as a fragment)."""
        pointer = {}
        if self.where == "body":
            parts = [part.replace("~", "~0").replace("/", "~1") for part in self.name.split(".") if part]
            pointer = {"pointer": "/".join(["#", *(quote(part, safe="~") for part in parts)])}
        return asdict(self) | pointer


class InvalidParameters(exceptions.APIException):
    """The request is refused because of the parameters it names. Every fault found is told, not only the first."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid-parameters"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = list(faults)
        super().__init__()


class Refused(exceptions.APIException):
    """A request that is refused with a kind of its own. wait: seconds for Retry-After."""

    def __init__(
        self,
        *,
        status: int,
        kind: str,
        title: str,
        detail: str,
        faults: Iterable[Fault] = (),
        wait: float | None = None,
    ) -> None:
        self.status_code = status
        self.kind = kind
        self.title = title
        self.faults = list(faults)
        self.wait = wait
        super().__init__(detail)


_KINDS: Mapping[int, tuple[str, str | Promise]] = {
    400: ("bad-request", gettext_lazy("This request cannot be read")),
    401: ("not-authenticated", gettext_lazy("Say who you are")),
    403: ("forbidden", gettext_lazy("You may not do this")),
    404: ("not-found", gettext_lazy("There is nothing at this address")),
    405: ("method-not-allowed", gettext_lazy("This cannot be done here")),
    406: ("not-acceptable", gettext_lazy("The API answers in JSON only")),
    415: ("unsupported-media-type", gettext_lazy("The API reads JSON only")),
    429: ("too-many-requests", gettext_lazy("Too many requests")),
}


def _faults(detail: Any, name: str = "") -> list[Fault]:
    """DRF's nested error details as a flat list; the names of nested fields are joined with dots."""
    if isinstance(detail, Mapping):
        return [fault for key, value in detail.items() for fault in _faults(value, f"{name}.{key}" if name else key)]
    if isinstance(detail, list):
        nested = any(isinstance(item, Mapping | list) for item in detail)
        return [
            fault
            for number, item in enumerate(detail)
            for fault in _faults(item, f"{name}.{number}" if nested else name)
        ]
    return [Fault("body", name, str(detail))]


def _of_api_error(error: exceptions.APIException) -> dict[str, object]:
    kind, title = _KINDS.get(error.status_code, ("refused", gettext_lazy("The request was refused")))
    more: dict[str, object] = {}
    if isinstance(error, InvalidParameters | exceptions.ValidationError):
        kind, title = "invalid-parameters", _("Some values cannot be used")
        faults = error.faults if isinstance(error, InvalidParameters) else _faults(error.detail)
        detail = " ".join(f"{fault.name}: {fault.detail}" if fault.name else fault.detail for fault in faults)
        more["errors"] = [fault.told() for fault in faults]
    elif isinstance(error, Refused):
        kind, title, detail = error.kind, error.title, str(error.detail)
        if error.faults:
            more["errors"] = [fault.told() for fault in error.faults]
    elif isinstance(error, exceptions.MethodNotAllowed):
        detail = _("The Allow header of this answer names what can be done.")
    elif isinstance(error, exceptions.NotFound):
        detail = _("It may never have been here, may be gone, or may not be public.")
    elif isinstance(error, exceptions.NotAcceptable):
        detail = _("Send Accept: application/json, or no Accept header.")
    else:
        kind, title = getattr(error, "kind", kind), getattr(error, "title", title)
        detail = str(error.detail)
    return errors.document(status=error.status_code, kind=kind, title=str(title), detail=detail, **more)


def problem_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The answer to an exception in an API view; None for what only the middleware can answer (503, 500)."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    headers: dict[str, str] = {}
    if isinstance(error, DomainError):
        body = errors.document(
            status=status.HTTP_409_CONFLICT,
            kind=error.code.replace("_", "-"),
            title=_("The rules do not allow this"),
            detail=str(error.message),
            code=error.code,
        )
    elif isinstance(error, exceptions.APIException):
        body = _of_api_error(error)
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if (wait := getattr(error, "wait", None)) is not None:
            headers["Retry-After"] = str(max(1, round(wait)))
    else:
        return None
    code = body["status"]
    return Response(body, status=code if isinstance(code, int) else 500, headers=headers, content_type=CONTENT_TYPE)
