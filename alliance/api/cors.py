"""Pages of other sites may read what is public. Nobody's cookies or tokens are involved: there are no credentials."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

_PREFIX = "/api/v1/"


class PublicReads:
    """Middleware: lets browsers hand our public answers to any page, and answers their preflight questions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers to reads without credentials under the API's address."""
        if not request.path_info.startswith(_PREFIX) or request.headers.get("Authorization"):
            return self.get_response(request)
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
            response = self.get_response(request)
            response.headers["Access-Control-Expose-Headers"] = "ETag, Last-Modified, Retry-After"
        else:
            return self.get_response(request)
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response
