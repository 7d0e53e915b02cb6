"""The video app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VideoConfig(AppConfig):
    """Where people meet on-line."""

    name = "video"
    verbose_name = _("Meetings on platforms")
