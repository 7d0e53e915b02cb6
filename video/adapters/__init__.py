"""Video platforms behind one interface."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from video.adapters.base import Adapter
from video.adapters.errors import OperatorActionNeeded
from video.adapters.static import StaticLink
from video.models import Platform

ADAPTERS: dict[str, Adapter] = {Platform.STATIC: StaticLink()}


def adapter_for(platform: str) -> Adapter:
    """The adapter of a platform. Raises OperatorActionNeeded when nobody has connected it."""
    try:
        return ADAPTERS[platform]
    except KeyError:
        raise OperatorActionNeeded(
            _("This video platform is not connected. Choose “Fixed address” and enter the link by hand.")
        ) from None


__all__ = ["ADAPTERS", "Adapter", "adapter_for"]
