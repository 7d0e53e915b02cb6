"""Programme pages kept in memory, keyed by the content version: a change of the programme empties it with the commit.

Each process asks for the version at most twice a second; that is the longest a removed person stays on a page.
Pages also expire after a minute, because some segments appear only after their session.

Plain pages and pages with a query (a clock, filters) have a memory each: however many choices somebody makes up, the
plain pages stay. One page has one place in it, whatever the order, escapes and empty parts of its query.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlencode

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.urls import ResolverMatch
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from events.models import ContentVersion

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)

_VERSION_SECONDS = 0.5
_PAGE_SECONDS = 60.0
_MOST_PAGES = 2000  # of each kind, in each process
_MOST_BYTES = 32 * 1024 * 1024  # of bodies and their compressed forms: plain pages
_MOST_BYTES_WITH_QUERY = 16 * 1024 * 1024
_LONGEST_QUERY = 500  # characters; longer ones are made up
_KEPT_HEADERS = {"Content-Type", "Content-Language", "Content-Disposition"}
_PACKED = ("application/pdf", "application/vnd.openxmlformats-")  # already compressed: once more gains nothing
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


class _Memory:
    """Pages by their address, bounded in number and bytes; the ones that nobody asked for longest make room."""

    def __init__(self) -> None:
        self.pages: OrderedDict[str, _Page] = OrderedDict()
        self.bytes = 0
        self._lock = threading.Lock()

    def find(self, where: str) -> _Page | None:
        """The page kept under an address."""
        page = self.pages.get(where)
        if page is not None:
            with self._lock:
                if where in self.pages:
                    self.pages.move_to_end(where)
        return page

    def keep(self, where: str, page: _Page, *, most_bytes: int) -> None:
        """Put a page into the memory."""
        with self._lock:
            if old := self.pages.pop(where, None):
                self.bytes -= len(old.body) + len(old.zipped)
            self.pages[where] = page
            self.bytes += len(page.body) + len(page.zipped)
            while len(self.pages) > _MOST_PAGES or (self.bytes > most_bytes and len(self.pages) > 1):
                _address, gone = self.pages.popitem(last=False)
                self.bytes -= len(gone.body) + len(gone.zipped)

    def forget(self) -> None:
        """Empty it."""
        with self._lock:
            self.pages.clear()
            self.bytes = 0


_plain = _Memory()
_with_query = _Memory()
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
    _plain.forget()
    _with_query.forget()
    _version = (0.0, -1)


def kept() -> list[str]:
    """The addresses of all pages in the memory of this process (for tests)."""
    return [*_plain.pages, *_with_query.pages]


def not_kept(response: HttpResponse) -> HttpResponse:
    """The answer of a marked view that is not worth a place in memory."""
    setattr(response, _ONCE, True)
    return response


def never_kept(response: HttpResponse) -> None:
    """Take the mark off an answer that is not for everybody, such as a preview."""
    vars(response).pop(_MARK, None)


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


def _is_current(page: _Page) -> bool:
    """Whether the content is still the one the page was made of. With a database in trouble the view is asked: what it
    says is answered with 503, while an error here, in a middleware, would be a 500."""
    try:
        return page.version == content_version()
    except (InterfaceError, OperationalError):
        return False


def _wanted(request: HttpRequest, page: _Page) -> bool:
    """Whether the reader takes the kind of document that is kept; what to say otherwise is the view's affair."""
    wanted = request.META.get("HTTP_ACCEPT", "*/*")
    return all(_is_wanted(wanted, value.partition(";")[0]) for name, value in page.headers if name == "Content-Type")


@lru_cache(maxsize=512)
def _is_wanted(accept: str, kind: str) -> bool:
    """Whether the header takes a kind of document. Browsers send a few long ones, which are read once each."""
    asker = HttpRequest()
    asker.META["HTTP_ACCEPT"] = accept
    return asker.accepts(kind)


def _address(request: HttpRequest) -> str | None:
    """Where a page is kept: its path and its query in one order, without empty parts. None: it is not worth a place."""
    if not request.META.get("QUERY_STRING"):
        return request.path
    if len(request.META["QUERY_STRING"]) > _LONGEST_QUERY:
        return None
    # As Django reads it for the views: "?a=%41", "?&a=A&&" and "?a=A" are one page.
    query = urlencode(sorted(request.GET.lists()), doseq=True)
    return f"{request.path}?{query}" if query else request.path


def _answer(request: HttpRequest, page: _Page) -> HttpResponse:
    headers: dict[str, Any] = dict(page.headers)
    request.resolver_match = page.match  # for the log line: which route it was
    if _has_it(request, page):
        headers.pop("Content-Type", None)
        response: HttpResponse = HttpResponseNotModified(headers=headers)
    elif page.zipped and "gzip" in request.headers.get("Accept-Encoding", ""):
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
        where = _address(request)
        if where is None:
            return self.get_response(request)
        request.get_host()  # raises DisallowedHost, as for pages that are not kept
        memory, most_bytes = (_with_query, _MOST_BYTES_WITH_QUERY) if "?" in where else (_plain, _MOST_BYTES)
        page = memory.find(where)
        if page and time.monotonic() - page.made_at < _PAGE_SECONDS and _is_current(page):
            return _answer(request, page) if _wanted(request, page) else self.get_response(request)
        response = self.get_response(request)
        version = getattr(response, _MARK, None)
        if version is None or response.status_code != 200 or not isinstance(response, HttpResponse):
            return response
        body = response.content
        is_packed = response.get("Content-Type", "").startswith(_PACKED)
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        page = _Page(
            version=version,
            made_at=time.monotonic(),
            # A page that was made anew and came out the same has not changed.
            changed_at=page.changed_at if page and page.etag == etag else int(time.time()),
            etag=etag,
            body=body,
            zipped=b"" if is_packed else gzip.compress(body, compresslevel=6, mtime=0),
            headers=tuple((name, value) for name, value in response.items() if name in _KEPT_HEADERS),
            match=request.resolver_match,
        )
        memory.keep(where, page, most_bytes=most_bytes)
        return _answer(request, page)
