"""Programme pages kept in memory, keyed by the content version: a change of the programme empties it with the commit.

Each process asks for the version at most twice a second; that is the longest a removed person stays on a page.
Pages also expire after a minute, because some segments appear only after their session.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified

from events.models import ContentVersion

P = ParamSpec("P")

_VERSION_SECONDS = 0.5
_PAGE_SECONDS = 60.0
_MOST_PAGES = 2000
_MARK = "_content_version"  # set on answers that may be kept


@dataclass(frozen=True, slots=True)
class _Page:
    version: int
    made_at: float
    etag: str
    body: bytes
    zipped: bytes
    headers: tuple[tuple[str, str], ...]


_pages: OrderedDict[str, _Page] = OrderedDict()
_lock = threading.Lock()
_version: tuple[float, int] = (0.0, -1)


def content_version() -> int:
    """The number of the public content, at most half a second old; 0 before anything was ever written."""
    global _version
    now = time.monotonic()
    if now - _version[0] > _VERSION_SECONDS:
        number = ContentVersion.objects.filter(pk=1).values_list("number", flat=True).first() or 0
        _version = (now, number)
    return _version[1]


def forget() -> None:
    """Empty the memory of this process (for tests and for the command line)."""
    global _version
    with _lock:
        _pages.clear()
        _version = (0.0, -1)


def cached_page(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """Mark a view whose answer depends on the address, the content and the minute alone: no person, no places left."""

    @wraps(view)
    def marked(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        # Read before the page is made: a change in between makes the page look older than it is, never newer.
        version = content_version()
        response = view(*args, **kwargs)
        setattr(response, _MARK, version)
        return response

    return marked


def _answer(request: HttpRequest, page: _Page) -> HttpResponse:
    headers: dict[str, Any] = dict(page.headers)
    if request.headers.get("If-None-Match", "").removeprefix("W/") == page.etag:
        headers.pop("Content-Type", None)
        response: HttpResponse = HttpResponseNotModified(headers=headers)
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        response = HttpResponse(page.zipped, headers=headers | {"Content-Encoding": "gzip"})
    else:
        response = HttpResponse(page.body, headers=headers)
    response["ETag"] = page.etag
    response["Cache-Control"] = "public, no-cache"
    response["Vary"] = "Accept-Encoding"
    return response


class PageCache:
    """Middleware: answers from memory what is there, and keeps what marked views answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Serve a kept page when the content is still the same; else ask the view."""
        if request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        where = request.get_full_path() + (" htmx" if request.headers.get("HX-Request") else "")
        page = _pages.get(where)
        if page and time.monotonic() - page.made_at < _PAGE_SECONDS and page.version == content_version():
            return _answer(request, page)
        response = self.get_response(request)
        version = getattr(response, _MARK, None)
        if version is None or response.status_code != 200 or not isinstance(response, HttpResponse):
            return response
        body = response.content
        page = _Page(
            version=version,
            made_at=time.monotonic(),
            etag=f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            body=body,
            zipped=gzip.compress(body, compresslevel=6, mtime=0),
            headers=tuple(
                (name, value) for name, value in response.items() if name in {"Content-Type", "Content-Language"}
            ),
        )
        with _lock:
            _pages[where] = page
            _pages.move_to_end(where)
            while len(_pages) > _MOST_PAGES:
                _pages.popitem(last=False)
        return _answer(request, page)
