"""The project as an app: it brings template tags, commands and start-up checks, and no models."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AllianceConfig(AppConfig):
    """Shared base code of the house."""

    name = "alliance"


class HouseAdminConfig(AdminConfig):
    """Django's admin with our frame around it."""

    default_site = "alliance.admin_site.HouseSite"
