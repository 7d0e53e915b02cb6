"""The speakers app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SpeakersConfig(AppConfig):
    """Who speaks."""

    name = "speakers"
    verbose_name = _("Speakers")

    def ready(self) -> None:
        """Tell the programme file what this app reads from it, and the checks what it checks."""
        from speakers import (
            bounces,
            cloning,
            invitation_mails,
            programme_checks,
            programme_file,
            releases,
            removals,
            workplace,
        )

        bounces.register()
        cloning.register_part()
        invitation_mails.register()
        programme_checks.register_checks()
        programme_file.register_sections()
        releases.register()
        removals.register()
        workplace.register()
