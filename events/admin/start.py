"""The start page of a conference: what needs somebody now, the way to open registration, charts."""

from __future__ import annotations

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from alliance import admin_site
from events import workplace
from events.admin import pages
from events.models import Conference

PERMISSION = "events.view_conference"
_MOST_LISTED = 12  # conferences on the admin's front page


def start(request: HttpRequest, conference: Conference) -> HttpResponse:
    """What waits, with a number and a link to exactly those rows; until registration is open also the checklist."""
    user, now = cast("User", request.user), timezone.now()
    found = workplace.needs(user, conference, now=now)
    steps = workplace.steps(user, conference, now=now)
    left = [step for step in steps if not step.is_done and not step.is_optional]
    context = pages.context(request, conference, "start", _("Start")) | {
        "urgent": [need for need in found if need.is_urgent],
        "others": [need for need in found if not need.is_urgent],
        "steps": steps,
        "steps_done": sum(step.is_done for step in steps),
        "next_step": left[0] if left else None,
        "drawings": workplace.drawings(user, conference, now=now),
        "programme_url": _if_open(request, conference, "programme"),
        "checks_url": _if_open(request, conference, "checks"),
        "removals_url": _if_open(request, conference, "removals"),
    }
    return TemplateResponse(request, "admin/events/start.html", context)


def _if_open(request: HttpRequest, conference: Conference, name: str) -> str:
    known = any(tab["url"] == pages.url(name, conference) for tab in pages.tabs(request, conference))
    return pages.url(name, conference) if known else ""


def front(request: HttpRequest) -> admin_site.Front:
    """The conferences of the user, those to come first; the only one of an organiser is where the admin leads to."""
    access = cast("User", request.user).access
    current = Conference.objects.exclude(state__in=["archived", "cancelled"]).newest_first()
    rows = list(access.rows(current, PERMISSION)[:_MOST_LISTED])
    links = [(str(one.title), pages.url("start", one)) for one in rows]
    is_theirs = access.has_roles and not access.everywhere and len(access.at) == 1
    first = reverse("admin:events_conference_add") if request.user.has_perm("events.add_conference") else ""
    return admin_site.Front(links, links[0][1] if is_theirs and len(links) == 1 else "", first)


pages.register("start", start, permission=PERMISSION, label=gettext_lazy("Start"), order=0, group=pages.Group.START)
admin_site.set_front(front)
