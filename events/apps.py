"""The events app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class EventsConfig(AppConfig):
    """What happens."""

    name = "events"
    verbose_name = _("Conferences and programme")

    def ready(self) -> None:
        """Tell the programme file what this app reads from it, and the checks what it checks."""
        from events import (
            health,
            jobs,
            mail_texts,
            mail_trial,
            programme_checks,
            programme_file,
            undoing,
            workplace_facts,
        )
        from events.programme_file import work
        from events.releases import migrating, programme, reading
        from events.removals import subjects, traces

        health.register()
        jobs.register_handler()
        work.register()
        undoing.register()
        mail_trial.register()
        mail_texts.register_part()
        programme_checks.register_checks()
        programme_file.register_sections()
        programme.register_tables()
        subjects.register_kind()
        traces.register_traces()
        reading.install()
        migrating.watch(self)
        workplace_facts.register()
