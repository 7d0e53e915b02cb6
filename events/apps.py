"""The events app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """What happens."""

    name = "events"
    verbose_name = _("Conferences and programme")

    def ready(self) -> None:
        """Tell the programme file what this app reads from it."""
        from events import programme_file

        programme_file.register_sections()
