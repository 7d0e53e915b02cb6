"""What resources of the programme share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from alliance.api.views import M, PublicViewSet
from events.page_cache import cached_page


class ProgrammeViewSet(PublicViewSet[M]):
    """Answers depend on the address, the content and the minute alone, so they are kept with the pages."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and let the page cache keep it."""
        return cached_page(super().dispatch)(request, *args, **kwargs)
