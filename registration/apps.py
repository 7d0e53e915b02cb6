"""The registration app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RegistrationConfig(AppConfig):
    """Who comes."""

    name = "registration"
    verbose_name = _("Registration")

    def ready(self) -> None:
        """Tell the outbox who renders our messages, and programme file and checks what this app adds to them."""
        from registration import cloning, health, programme_checks, programme_file, removals, workplace
        from registration.api import access
        from registration.delegations import mails as delegation_mails
        from registration.exports import papers
        from registration.exports import work as exports
        from registration.invitations import mails as invitation_mails
        from registration.joining import platform_handlers, rehearsals
        from registration.letters import (
            bounces,
            digests,
            handlers,
            notices,
            organiser_mails,
            reminders,
            thanks,
            workplace_mails,
        )
        from registration.letters import catalogue as letters
        from registration.personal import mails as own_mails
        from registration.services import protection
        from registration.webhooks import handlers as webhook_handlers
        from registration.webhooks import mails as webhook_mails
        from video import recordings

        access.register()
        handlers.register()
        delegation_mails.register()
        exports.register()
        papers.register()
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
        webhook_mails.register()
        cloning.register_part()
        programme_checks.register_checks()
        programme_file.register_sections()
        removals.register()
        recordings.refuse_when(protection.is_unrecorded)
        workplace.register()
        workplace_mails.register()
