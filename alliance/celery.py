"""The Celery application: hands that empty the outbox and keep the house in order.

Tasks carry no arguments that matter and no personal data (docs/design.md section 4.2): a lost or repeated
task is harmless, because what is to be done stands in PostgreSQL.
"""

import os
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import beat_init, celeryd_init, setup_logging
from kombu import Connection

from alliance import priority

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")


class PatientConnection(Connection):
    """A connection to Redis that worker and beat try again every few seconds for as long as it takes.

    Celery's own pauses grow to half a minute and cannot be set: after a long outage everything would stand still for
    that long with Redis back already.
    """

    def ensure_connection(self, *args: Any, **kwargs: Any) -> Connection:  # type: ignore[override]  # passed on as it is
        """As kombu's, with pauses of 1, 2 and then 3 seconds."""
        return super().ensure_connection(
            *args, **({"interval_start": 1, "interval_step": 1, "interval_max": 3} | kwargs)
        )


class PatientAMQP(AMQP):
    """Where Celery looks for the class of its connections."""

    Connection = PatientConnection


app = Celery("alliance", amqp=PatientAMQP)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# By name, because the base knows none of the apps: mail must leave while Redis, which brings the tasks, is away.
app.steps["worker"].add("outbox.workers:LookBySelf")


@celeryd_init.connect
@beat_init.connect
def give_way(**kwargs: object) -> None:
    """While people register, mail and upkeep wait for the processor, and not the other way round."""
    priority.give_way()


@setup_logging.connect
def keep_our_logging(**kwargs: object) -> None:
    """Let settings.LOGGING stand; Celery would otherwise install its own handlers."""
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)
