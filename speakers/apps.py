"""The speakers app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SpeakersConfig(AppConfig):
    """Who speaks."""

    name = "speakers"
    verbose_name = _("Speakers")

    def ready(self) -> None:
        """Tell the programme file what this app reads from it."""
        from speakers import programme_file

        programme_file.register_sections()
