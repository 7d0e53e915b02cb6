"""Keeps the schemas of what is published in step with the tables: taken away before migrations, made again after."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.models.signals import post_migrate, pre_migrate

from events.releases import schema


def _before(*, plan: Any, using: str, **_signal: Any) -> None:
    if plan and using == "default":
        schema.drop()


def _after(*, using: str, **_signal: Any) -> None:
    if using == "default" and not schema.is_current() and _is_complete(using):
        schema.rebuild()


def _is_complete(using: str) -> bool:
    """Whether no migration is left to do: the schemas are made from the models as they are now."""
    executor = MigrationExecutor(connections[using])
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def watch(config: AppConfig) -> None:
    """Act at every `manage.py migrate`. To be called in AppConfig.ready of this app, with its configuration."""
    pre_migrate.connect(_before, sender=config, dispatch_uid="events.releases.before")
    post_migrate.connect(_after, sender=config, dispatch_uid="events.releases.after")
