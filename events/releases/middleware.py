"""Web requests read what is published; the organisers' admin reads the draft."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse

from events.releases import reading


class PublishedProgramme:
    """Middleware: everything outside the admin reads what is published."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._admin = reverse("admin:index")

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Choose the mode by the address."""
        if request.path_info.startswith(self._admin):
            return self.get_response(request)
        with reading.reading_published():
            return self.get_response(request)
