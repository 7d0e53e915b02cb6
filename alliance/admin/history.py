"""The admin's history: ids, never names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, cast
from uuid import UUID

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest


def neutral_name(row: models.Model) -> str:
    """What the history calls a row: its kind and the beginning of its public id, whatever __str__ says."""
    public_id = getattr(row, "public_id", None)
    short = f"{public_id.hex[:8]}…" if isinstance(public_id, UUID) else f"#{row.pk}"
    return f"{row._meta.model_name} {short}"


_NUMBER = re.compile(r"\(#(\d+)\)$")


def _neutral_message(message: Any) -> str:
    """The message of a history line without what __str__ said about rows of inlines."""
    if not isinstance(message, list):
        return str(message)
    for entry in message:
        for change in entry.values():
            if "object" in change:
                found = _NUMBER.search(str(change["object"]))
                change["object"] = f"#{found[1]}" if found else "…"
    return json.dumps(message)


def write_history(request: HttpRequest, rows: Iterable[models.Model], flag: int, message: Any) -> list[LogEntry]:
    """Write a history line per row. flag: ADDITION, CHANGE or DELETION. message: as Django makes it, or a text."""
    return write_history_of(cast("int", request.user.pk), rows, flag, message)


def write_history_of(user_id: int, rows: Iterable[models.Model], flag: int, message: Any) -> list[LogEntry]:
    """The same for what a worker does in the name of a user."""
    lines = [
        LogEntry(
            user_id=user_id,
            content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
            object_id=row.pk,
            object_repr=neutral_name(row),
            action_flag=flag,
            change_message=_neutral_message(message),
        )
        for row in rows
    ]
    return LogEntry.objects.bulk_create(lines)
