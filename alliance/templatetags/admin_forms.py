"""What all lists, pages and forms of the admin print in one manner: days, times, what a form lacks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django import template
from django.forms import BaseForm
from django.utils import formats, timezone

from alliance import field_errors
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


@register.simple_tag
def form_problems(form: BaseForm, inlines: Iterable[Any] = ()) -> list[tuple[str, str, str]]:
    """What keeps a form of the admin from being saved: the id of the field, its label, what is wrong, in its order.

    The label is empty where the message names the field itself.
    """
    forms = [form, *(one for inline in inlines for one in inline.formset.forms)]
    # A field of several inputs has no label of its own; its first input stands for it.
    return [
        (
            bound.id_for_label or f"{bound.auto_id}_0",
            "" if field_errors.names(one, bound.name, str(message)) else str(bound.label),
            str(message),
        )
        for one in forms
        if one.errors
        for bound in one
        for message in bound.errors
        if not bound.is_hidden
    ]
