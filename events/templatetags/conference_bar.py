"""The bar of a conference on lists and forms of the admin, which are Django's own pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.contrib import admin
from django.db.models import Model

register = template.Library()


@register.inclusion_tag("admin/events/_conference_tabs.html", takes_context=True)
def conference_bar(context: template.Context) -> dict[str, Any]:
    """The bar of the conference that the page is about; nothing in pop-ups, and where no conference is meant."""
    from events.admin import pages  # workers read all libraries of tags, and load no admin

    request, opts = context.get("request"), context.get("opts")
    if request is None or opts is None or context.get("is_popup"):
        return {}
    return pages.around(request, opts.model, context.get("original") or context.get("object"))


@register.filter
def row_label(row: Model) -> str:
    """What a row is called in titles of the admin."""
    title_of = getattr(admin.site._registry.get(type(row)), "title_of", str)
    return str(title_of(row))
