"""The project as an app: it brings template tags, commands and start-up checks, and no models."""

from django.apps import AppConfig


class AllianceConfig(AppConfig):
    """Shared base code of the house."""

    name = "alliance"
