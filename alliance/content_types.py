"""What a request may claim about its body before Django sees it.

Django makes its request object before any middleware runs. A Content-Type that it cannot read, or whose charset is a
codec that is none for texts (hex, undefined), fails there: a 500 without a page. All that we read is UTF-8, whatever is
claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.http import parse_header_parameters

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]

_UNKNOWN = "application/octet-stream"


def readable(kind: str) -> str:
    """A Content-Type as far as it can be used: without its charset; bytes of no kind where it cannot be read."""
    if ";" not in kind:
        return kind
    try:
        name, parameters = parse_header_parameters(kind)
    except (ValueError, LookupError):
        return _UNKNOWN
    if "charset" not in parameters:
        return kind
    boundary = parameters.get("boundary", "").replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}; boundary="{boundary}"' if boundary else name


def guarded(application: Application) -> Application:
    """The application, asked with Content-Types that can be read."""

    def ask(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["CONTENT_TYPE"] = readable(environ.get("CONTENT_TYPE", ""))
        return application(environ, start_response)

    return ask
