"""Days and times as all lists and pages of the admin print them (alliance.admin.clock_time)."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.utils import formats, timezone

from alliance.admin import lists

register = template.Library()


@register.filter
def clock_time(value: datetime | None) -> str:
    """An instant on the page's clock, which is the venue's on pages of a conference: "15 Jul 2030, 11:00 CEST"."""
    return lists.clock_time(value, timezone.get_current_timezone())


@register.filter
def table_day(value: date | None) -> str:
    """A day in a table: "15 Jul 2030"."""
    if isinstance(value, datetime):
        value = timezone.localtime(value).date()
    return formats.date_format(value, "SHORT_DATE_FORMAT") if value else "–"
