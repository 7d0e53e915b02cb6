"""Links that read-only fields show to other rows: by the title that the admin of those has for them.

Django prints what __str__ says, which ends with a number.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.helpers import AdminReadonlyField
from django.urls import NoReverseMatch
from django.utils.html import format_html

from alliance.admin.lists import row_url, without_number


def _link(field: Any, _remote_field: Any, row: Any) -> str:
    """A link to the row, or its title where it has no page."""
    title_of = getattr(field.model_admin.admin_site._registry.get(type(row)), "title_of", None)
    title = without_number(str(row)) if title_of is None else title_of(row)
    try:
        return format_html('<a href="{}">{}</a>', row_url(row), title)
    except NoReverseMatch:
        return str(title)


def install() -> None:
    """Let Django's read-only fields link in this way; it offers no setting for it."""
    AdminReadonlyField.get_admin_url = _link  # type: ignore[assignment, method-assign]
