"""The app that the fault tests add to the house."""

from django.apps import AppConfig


class FaultsConfig(AppConfig):
    """Registers the topic test.mail."""

    name = "tests.faults"
    label = "faults"

    def ready(self) -> None:
        """As every app does it."""
        from outbox import topics
        from tests.faults import topic

        topics.register(topic.TOPIC, topic.handle)
        topic.plant_kills()
