"""Small things that lists, titles and links of the admin show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.urls import reverse
from django.utils import formats
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from alliance import time

log = structlog.get_logger("alliance.admin")
_NUMBER = re.compile(r" \(#\d+\)$")  # as __str__ of models ends, to tell namesakes apart


def list_url(model: type[models.Model]) -> str:
    """The address of a model's list."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def row_url(row: models.Model) -> str:
    """The address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def without_number(label: str) -> str:
    """What a row is called where no namesake can stand beside it: titles, links."""
    return _NUMBER.sub("", label)


def as_uuid(text: str) -> UUID | None:
    """The public id that was typed, if it is one."""
    try:
        return UUID(text.strip())
    except ValueError:
        return None


def clock_time(instant: datetime | None, zone: tzinfo = UTC) -> str:
    """An instant on a clock, with the clock's name: "15 Jul 2030, 11:00 CEST". A dash for an unknown one."""
    if instant is None:
        return "–"
    local = instant.astimezone(zone)
    name = local.tzname() or ""  # zones without a name of their own call it "+03"
    clock = name if name[:1].isalpha() else time.offset_text(local)
    return f"{formats.date_format(local, 'SHORT_DATETIME_FORMAT')} {clock}"


def zone_named(name: str | None) -> tzinfo:
    """The clock of a conference by its stored name; UTC while none is chosen."""
    return ZoneInfo(name) if name else UTC


def as_json(data: Any) -> SafeString:
    """Structured data as readable text."""
    return format_html("<pre>{}</pre>", json.dumps(data, ensure_ascii=False, indent=2)) if data else SafeString("-")


def as_list(texts: Iterable[object]) -> SafeString:
    """Texts as a list."""
    return format_html("<ul>{}</ul>", format_html_join("", "<li>{}</li>", ((text,) for text in texts)))


def refuse(request: HttpRequest, what: str) -> None:
    """Log that somebody tried what they may not do, and stop. what: a fixed word."""
    log.warning("admin_refused", what=what, user=request.user.pk)
    raise PermissionDenied
