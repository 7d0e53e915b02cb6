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
from typing import Any, ParamSpec, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.urls import ResolverMatch
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from events.models import ContentVersion

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

_VERSION_SECONDS = 0.5
_PAGE_SECONDS = 60.0
_MOST_PAGES = 2000
_MOST_BYTES = 48 * 1024 * 1024  # of bodies and their compressed forms, in each process
_KEPT_HEADERS = {"Content-Type", "Content-Language"}
_MARK = "_content_version"  # set on answers that may be kept
_ONCE = "_is_for_one_reader"  # set by views on answers to addresses nobody else will ask for


@dataclass(frozen=True, slots=True)
class _Page:
    version: int
    made_at: float
    changed_at: int  # seconds since 1970
    etag: str
    body: bytes
    zipped: bytes
    headers: tuple[tuple[str, str], ...]
    match: ResolverMatch | None


_pages: OrderedDict[str, _Page] = OrderedDict()
_bytes = 0
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
    global _version, _bytes
    with _lock:
        _pages.clear()
        _bytes = 0
        _version = (0.0, -1)


def not_kept(response: HttpResponse) -> HttpResponse:
    """The answer of a marked view that is not worth a place in memory."""
    setattr(response, _ONCE, True)
    return response


def cached_page(view: Callable[P, R]) -> Callable[P, R]:
    """Mark a view whose answer depends on the address, the content and the minute alone: no person, no places left."""

    @wraps(view)
    def marked(*args: P.args, **kwargs: P.kwargs) -> R:
        # Read before the page is made: a change in between makes the page look older than it is, never newer.
        version = content_version()
        response = view(*args, **kwargs)
        if not hasattr(response, _ONCE):
            setattr(response, _MARK, version)
        return response

    return marked


def _has_it(request: HttpRequest, page: _Page) -> bool:
    """Whether the reader holds this very page. The date counts only where no ETag is given (RFC 9110, 13.2.2)."""
    if etags := request.headers.get("If-None-Match"):
        return any(etag in {"*", page.etag} for etag in (tag.removeprefix("W/") for tag in parse_etags(etags)))
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and page.changed_at <= since


def _wanted(request: HttpRequest, page: _Page) -> bool:
    """Whether the reader takes the kind of document that is kept; what to say otherwise is the view's affair."""
    kinds = (value.partition(";")[0] for name, value in page.headers if name == "Content-Type")
    return all(request.accepts(kind) for kind in kinds)


def _keep(where: str, page: _Page) -> None:
    """Put a page into the memory; the ones that were made first make room."""
    global _bytes
    with _lock:
        if old := _pages.pop(where, None):
            _bytes -= len(old.body) + len(old.zipped)
        _pages[where] = page
        _bytes += len(page.body) + len(page.zipped)
        while len(_pages) > _MOST_PAGES or (_bytes > _MOST_BYTES and len(_pages) > 1):
            _address, gone = _pages.popitem(last=False)
            _bytes -= len(gone.body) + len(gone.zipped)


def _answer(request: HttpRequest, page: _Page) -> HttpResponse:
    headers: dict[str, Any] = dict(page.headers)
    request.resolver_match = page.match  # for the log line: which route it was
    if _has_it(request, page):
        headers.pop("Content-Type", None)
        response: HttpResponse = HttpResponseNotModified(headers=headers)
    elif "gzip" in request.headers.get("Accept-Encoding", ""):
        length = str(len(page.zipped))
        response = HttpResponse(page.zipped, headers=headers | {"Content-Encoding": "gzip", "Content-Length": length})
    else:
        response = HttpResponse(page.body, headers=headers | {"Content-Length": str(len(page.body))})
    response["ETag"] = page.etag
    response["Last-Modified"] = http_date(page.changed_at)
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
            return _answer(request, page) if _wanted(request, page) else self.get_response(request)
        response = self.get_response(request)
        version = getattr(response, _MARK, None)
        if version is None or response.status_code != 200 or not isinstance(response, HttpResponse):
            return response
        body = response.content
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        page = _Page(
            version=version,
            made_at=time.monotonic(),
            # A page that was made anew and came out the same has not changed.
            changed_at=page.changed_at if page and page.etag == etag else int(time.time()),
            etag=etag,
            body=body,
            zipped=gzip.compress(body, compresslevel=6, mtime=0),
            headers=tuple((name, value) for name, value in response.items() if name in _KEPT_HEADERS),
            match=request.resolver_match,
        )
        _keep(where, page)
        return _answer(request, page)
