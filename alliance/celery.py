"""The Celery application: hands that empty the outbox and keep the house in order.

Tasks carry no arguments that matter and no personal data (docs/design.md section 4.2): a lost or repeated
task is harmless, because what is to be done stands in PostgreSQL.
"""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "alliance.settings")

app = Celery("alliance")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# By name, because the base knows none of the apps: mail must leave while Redis, which brings the tasks, is away.
app.steps["worker"].add("outbox.workers:LookBySelf")


@setup_logging.connect
def keep_our_logging(**kwargs: object) -> None:
    """Let settings.LOGGING stand; Celery would otherwise install its own handlers."""
    from logging.config import dictConfig

    from django.conf import settings

    dictConfig(settings.LOGGING)
