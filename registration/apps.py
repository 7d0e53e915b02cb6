"""The registration app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistrationConfig(AppConfig):
    """Who comes."""

    name = "registration"
    verbose_name = _("Registration")

    def ready(self) -> None:
        """Tell the outbox who renders our messages, and programme file and checks what this app adds to them."""
        from registration import (
            bounces,
            cloning,
            delegation_mails,
            digests,
            handlers,
            health,
            invitation_mails,
            letters,
            notices,
            organiser_mails,
            own_mails,
            platform_handlers,
            programme_checks,
            programme_file,
            rehearsals,
            reminders,
            thanks,
            webhook_handlers,
            workplace,
            workplace_mails,
        )

        handlers.register()
        delegation_mails.register()
        health.register()
        invitation_mails.register()
        letters.register()
        bounces.register()
        rehearsals.register()
        reminders.register()
        thanks.register()
        digests.register()
        notices.register()
        organiser_mails.register()
        own_mails.register()
        platform_handlers.register()
        webhook_handlers.register()
        cloning.register_part()
        programme_checks.register_checks()
        programme_file.register_sections()
        workplace.register()
        workplace_mails.register()
