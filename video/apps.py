"""The video app."""

from django.apps import AppConfig
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _


class VideoConfig(AppConfig):
    """Where people meet on-line."""

    name = "video"
    verbose_name = _("Meetings on platforms")

    def ready(self) -> None:
        """Tell the outbox who speaks to the platforms, and the checks what to warn of."""
        from outbox import topics
        from video import alerts, handlers, programme_checks
        from video.models import Service
        from video.services import events

        alerts.register()
        handlers.register()
        topics.register(events.TOPIC, events.work_through, title=_("News from a platform"), group=events.GROUP)
        for service in Service:
            title = format_lazy("{} ({})", _("Attendance"), service.label)
            topics.register(f"{events.REPORT}{service.value}", events.read_report, title=title, group=service.value)
        programme_checks.register_checks()
