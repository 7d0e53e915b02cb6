"""The accounts app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who may act."""

    name = "accounts"
    verbose_name = _("People who sign in")

    def ready(self) -> None:
        """Listen to the library of signing in, check how it is set up, tell the outbox how to write about passwords."""
        from accounts import checks, password_mails, safe_mails, sign_in_records

        checks.register()
        password_mails.register()
        safe_mails.register()
        sign_in_records.register()
