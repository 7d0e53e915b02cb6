"""What every template knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _


def site(request: HttpRequest) -> dict[str, Any]:
    """The name and public address of the site, where its quick exit leads, and whether this is the demo."""
    return {
        "SITE_URL": settings.SITE_URL,
        "SITE_NAME": _("Alliance conferences"),
        "EXIT_URL": settings.EXIT_URL,
        "DEMO": settings.DEMO,
        "ALL_LANGUAGES": settings.LANGUAGES,
    }
