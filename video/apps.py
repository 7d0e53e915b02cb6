"""The video app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VideoConfig(AppConfig):
    """Where people meet on-line."""

    name = "video"
    verbose_name = _("Meetings on platforms")

    def ready(self) -> None:
        """Tell the outbox who speaks to the platforms, and the checks what to warn of."""
        from video import handlers, programme_checks

        handlers.register()
        programme_checks.register_checks()
