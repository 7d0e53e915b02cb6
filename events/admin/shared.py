"""What the pages of the programme share: the venue's clock, and rows that must belong to one conference."""

from __future__ import annotations

from datetime import UTC, tzinfo
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from alliance.admin import HouseForm, of_parent_only, zone_named
from events.models import Conference, Session


@admin.display(description=_("conference"), ordering="conference__starts_on")
def conference_slug(row: Any) -> str:
    """The conference in lists, by its short name. Needs it loaded."""
    slug: str = row.conference.slug
    return slug


def chosen_id(request: HttpRequest, field: str) -> int | None:
    """The key chosen for a relation on the form that was sent, or given in the address of a new one."""
    value = request.POST.get(field) or request.GET.get(field) or ""
    return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else None


def conference_clock(request: HttpRequest, object_id: str | None, model: Any, path: str) -> tzinfo:
    """The clock of the venue that a form's times belong to; UTC while the conference is not known.

    path: the relation from the model to its conference, such as session__conference.
    """
    zone = None
    if object_id and object_id.isascii() and object_id.isdigit() and len(object_id) < 19:
        zone = model.objects.filter(pk=int(object_id)).values_list(f"{path}__time_zone", flat=True).first()
    elif conference_id := chosen_id(request, "conference"):
        zone = Conference.objects.filter(pk=conference_id).values_list("time_zone", flat=True).first()
    elif session_id := chosen_id(request, "session"):
        zone = Session.objects.filter(pk=session_id).values_list("conference__time_zone", flat=True).first()
    return zone_named(zone) if zone else UTC


class OfConferenceForm(HouseForm[Any]):
    """A paper's session must belong to its conference."""

    def clean(self) -> dict[str, Any] | None:
        """Check it."""
        cleaned = super().clean()
        of_parent_only(self, "session")
        return cleaned
