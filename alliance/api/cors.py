"""Pages of other sites may read what is public, as often as is polite. No cookies or tokens are involved."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from alliance import clients, errors
from alliance.api import tokens
from alliance.api.limits import Fast, Limit, Standing

_PREFIX = "/api/v1/"
# What one address may read without a token in a minute. Kept pages cost next to nothing; this is against runaway loops.
READS = Fast(Limit("reads", 1200))
# The same with a token that may read the programme: many people may stand behind one address.
READS_WITH_TOKEN = Fast(Limit("token-reads", 6000))
_EXPOSED = "ETag, Last-Modified, Retry-After, RateLimit, RateLimit-Policy"


class PublicReads:
    """Middleware: lets browsers hand our public answers to any page, and answers their preflight questions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers to reads without credentials under the API's address."""
        resource = request.path_info.removeprefix(_PREFIX).partition("/")[0]
        if not request.path_info.startswith(_PREFIX) or resource in tokens.CLOSED:
            return self.get_response(request)  # what is closed counts by itself, and is for no page of another site
        if header := request.headers.get("Authorization", ""):
            return self._with_token(request, header)
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response: HttpResponseBase = HttpResponse(
                status=204,
                headers={
                    "Access-Control-Allow-Methods": "GET, HEAD",
                    "Access-Control-Allow-Headers": "If-None-Match, If-Modified-Since",
                    "Access-Control-Max-Age": "86400",
                },
            )
        elif request.method in {"GET", "HEAD", "OPTIONS"}:
            response = self._counted(request, READS, clients.network_of(request))
            response.headers["Access-Control-Expose-Headers"] = _EXPOSED
        else:
            return self.get_response(request)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    def _with_token(self, request: HttpRequest, header: str) -> HttpResponseBase:
        """What everybody may read, counted by the token. Nothing here is for pages of other sites."""
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            return self.get_response(request)
        reader = tokens.reader(header)
        if reader is None:
            return self._counted(request, READS, clients.network_of(request))
        return self._counted(request, READS_WITH_TOKEN, reader)

    def _counted(self, request: HttpRequest, counter: Fast, who: str) -> HttpResponseBase:
        """The answer, or 429; what is left is told."""
        standing = counter.count(who)
        response = _too_many(request, standing) if standing.is_over else self.get_response(request)
        if "RateLimit" not in response.headers:  # where a token is needed, the other limits are told
            response.headers["RateLimit-Policy"] = counter.limit.policy
            response.headers["RateLimit"] = standing.header
        return response


@errors.spoken
def _too_many(request: HttpRequest, standing: Standing) -> HttpResponse:
    """429, with when to come back."""
    response = errors.problem(
        status=429,
        kind="too-many-requests",
        title=_("Too many requests"),
        detail=_("Retry-After says after how many seconds to send it again."),
    )
    response.headers["Retry-After"] = str(standing.seconds)
    response.headers["Cache-Control"] = "no-store"
    return response
