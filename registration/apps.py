"""The registration app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistrationConfig(AppConfig):
    """Who comes."""

    name = "registration"
    verbose_name = _("Registration")

    def ready(self) -> None:
        """Tell the outbox who renders our messages, and the programme file what this app reads from it."""
        from registration import handlers, health, programme_file

        handlers.register()
        health.register()
        programme_file.register_sections()
