"""The outbox app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutboxConfig(AppConfig):
    """What leaves the house."""

    name = "outbox"
    verbose_name = _("Outbox")

    def ready(self) -> None:
        """Tell the health pages and the admin how the outbox stands."""
        from outbox import frame, health

        health.register()
        frame.register()
