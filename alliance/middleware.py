"""What every request passes: log line, security headers, honest answers when the database is away, the page cache."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.utils.cache import has_vary_header

from alliance import errors

log = structlog.get_logger("alliance.request")
Handler = Callable[[HttpRequest], HttpResponseBase]

_QUIET = ("/healthz", "/readyz", "/metrics", "/static/")


class RequestLog:
    """One line per request: method, route, status, milliseconds. The route, not the path: paths may hold tokens."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Bind a request id for all log lines, and log the answer."""
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=uuid.uuid4().hex)
        response = self.get_response(request)
        if not request.path.startswith(_QUIET):
            match = request.resolver_match
            log.info(
                "request",
                method=request.method,
                route=match.route if match else "",
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )
        return response


class ContentSecurityPolicy(CSPMiddleware):
    """django-csp, which builds the policy anew for every answer; here the usual one is built once.

    Answers of views that change the policy, and all answers while debugging, go the library's own way.
    """

    def __init__(self, get_response: Handler) -> None:
        super().__init__(get_response)
        self._usual = "" if settings.DEBUG else build_policy()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the policy unless the answer has one."""
        is_usual = self._usual and not any(name.startswith("_csp") for name in vars(response))
        if not is_usual or "_csp_nonce" in vars(request):
            answer: HttpResponseBase = super().process_response(request, response)
            return answer
        response.headers.setdefault(HEADER, self._usual)
        return response


class SecurityHeaders:
    """Headers that Django does not set: permissions, resource policy, no-store on all that nobody may keep.

    And noindex on what is for one reader: on whatever depends on a cookie or is marked private, files as well as pages.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers unless the view has set its own."""
        response = self.get_response(request)
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        # Django's own middleware sets these, but not where it refuses the host itself.
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        if not getattr(response, "xframe_options_exempt", False):  # kept pages do not pass Django's own middleware
            response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        response.headers.setdefault("Cache-Control", "no-store")
        if "private" in response.headers["Cache-Control"] or has_vary_header(response, "Cookie"):
            response.headers.setdefault("X-Robots-Tag", "noindex, nofollow")
        return response


class KnownLength:
    """A form that is sent in chunks, without its length, is refused unread; the API reads such bodies itself.

    Django would take it for empty and answer that the form had expired, or that a field was missing. nginx reads chunks
    up to its limits and hands them on with their length, so this is met by programs that ask us directly.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Ask for the length."""
        is_in_chunks = "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length")
        if is_in_chunks and not errors.wants_json(request):
            return errors.length_required(request)
        return self.get_response(request)


class FormsOnly:
    """An address that only takes what a form sends, opened by itself: a page that says so, not an empty one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Put a page into an empty 405."""
        response = self.get_response(request)
        is_empty = isinstance(response, HttpResponseNotAllowed) and not response.content
        if not is_empty or errors.wants_json(request) or request.method not in {"GET", "HEAD"}:
            return response
        return errors.method_not_allowed(request, response["Allow"])


class DatabaseTrouble:
    """A database that is away, restarting or full of locks is answered with 503 and Retry-After, never with a 500."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass on; process_exception does the work."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn connection and lock trouble into an answer that says when to come back."""
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        log.error("database_trouble", error=type(exception.__cause__ or exception).__name__)
        return errors.unavailable(request)
