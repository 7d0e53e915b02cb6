"""What this app brings to the search of the admin: conferences with their start page, and sessions."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from alliance.admin import as_uuid, in_all_languages, search
from alliance.admin.search import Found, Hit
from events.admin import pages
from events.models import Conference, Session


def conferences(request: HttpRequest, text: str) -> Found:
    """By title, theme or short name, or by public id. One query."""
    wanted = search.contains(["slug", *in_all_languages("title"), *in_all_languages("theme")], text)
    rows = search.visible(request, Conference.objects.newest_first()).filter(wanted | _by_id(text))

    def hit(row: Conference) -> Hit:
        return Hit(str(row.title), pages.url("start", row), f"{row.starts_on:%Y}" if row.starts_on else "")

    return search.found(_("Conferences"), rows, text, hit)


def sessions(request: HttpRequest, text: str) -> Found:
    """By title, or by public id. One query."""
    wanted = search.contains(in_all_languages("title"), text)
    rows = search.visible(request, Session.objects.order_by("-conference__starts_on", "day__number", "position", "pk"))
    rows = rows.filter(wanted | _by_id(text)).select_related("conference")
    return search.found(_("Sessions"), rows, text, lambda row: (str(row.title), str(row.conference.title)))


def _by_id(text: str) -> Q:
    public_id = as_uuid(text)
    return Q(pk__in=[]) if public_id is None else Q(public_id=public_id)


search.register("conferences", 10, conferences)
search.register("sessions", 20, sessions)
