"""Forms without cookies: a POST is taken when it comes from our own pages.

Public forms act for whoever holds a personal link, or for nobody yet. The browser adds no authority of its own, so
there is nothing a foreign page could borrow and no CSRF token to keep in a cookie. What is left to stop is a foreign
page that makes its visitors send our forms; browsers say where a request comes from.
docs/decisions/0006-forms-without-cookies.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from alliance import errors

View = Callable[..., HttpResponse]

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_own(request: HttpRequest) -> bool:
    """Whether the request comes from one of our own pages, or from a program that is not a browser.

    Pages with a personal link ask for no referrer, and browsers then send "Origin: null" with their forms; so that says
    nothing. Sec-Fetch-Site cannot be set by a page.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("Origin", "null")
    return origin in {"null", settings.SITE_URL, f"{request.scheme}://{request.get_host()}"}


def same_origin(view: View) -> View:
    """Refuse requests that change something and come from a foreign page with 403. No cookie is asked for or set."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method not in _SAFE and not is_own(request):
            return errors.csrf_failure(request)
        return view(request, *args, **kwargs)

    return csrf_exempt(guarded)
