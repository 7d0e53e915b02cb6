"""The addresses of the house, and one for each error page, which nobody can ask for otherwise."""

from __future__ import annotations

from django.conf.urls.i18n import i18n_patterns
from django.http import HttpRequest, HttpResponse
from django.urls import path

from alliance import errors, urls
from alliance.urls import handler400, handler403, handler404, handler500

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

_PAGES = {
    403: errors.forbidden,
    404: errors.not_found,
    500: errors.server_error,
    503: errors.unavailable,
}


def error(request: HttpRequest, status: int) -> HttpResponse:
    """The page of a status."""
    return _PAGES[status](request)


urlpatterns = [*i18n_patterns(path("_error/<int:status>/", error)), *urls.urlpatterns]
