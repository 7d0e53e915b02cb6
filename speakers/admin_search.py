"""What this app brings to the search of the admin: people who speak, by the one name that is shown of them."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from alliance.admin import as_uuid, search
from alliance.admin.search import Found
from speakers.models import Person


def people(request: HttpRequest, text: str) -> Found:
    """By display name, or by public id. One query."""
    public_id = as_uuid(text)
    wanted = Q(display_name__icontains=text) if public_id is None else Q(public_id=public_id)
    rows = search.visible(request, Person.objects.order_by("sort_name", "display_name", "pk")).filter(wanted)
    return search.found(_("People who speak"), rows, text, lambda row: (row.display_name, ""))


search.register("people", 30, people)
