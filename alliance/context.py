"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, Any]:
    """The public address of the site and whether this is the demo."""
    return {"SITE_URL": settings.SITE_URL, "DEMO": settings.DEMO, "ALL_LANGUAGES": settings.LANGUAGES}
