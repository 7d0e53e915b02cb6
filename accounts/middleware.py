"""Sessions without the second factor that their user needs are nobody's, except where one is set up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.utils.functional import SimpleLazyObject

from accounts import second_factor

Handler = Callable[[HttpRequest], HttpResponseBase]


class SecondFactor:
    """Puts request.user behind the question for the second factor: every page is closed unless it is named.

    request.half_signed_in: whether somebody is there whose factor is missing. Both are found out when they are asked.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Stand before the user that the session names."""
        named: Any = request.user

        def user() -> Any:
            if not second_factor.is_missing(request, named):
                # The object itself: a lazy one around a lazy one would be another type to those who look.
                return named._wrapped if isinstance(named, SimpleLazyObject) else named
            match = request.resolver_match
            if match is not None and match.view_name in second_factor.SET_UP:
                return named._wrapped if isinstance(named, SimpleLazyObject) else named
            return AnonymousUser()

        request.user = cast("Any", SimpleLazyObject(user))
        request.named_user = named  # type: ignore[attr-defined]  # for the log-in page, which leads on to setting up
        return self.get_response(request)
