"""The accounts app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Who may act."""

    name = "accounts"
    verbose_name = _("People who sign in")
