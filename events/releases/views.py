"""The public list of changes of a programme, release by release."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from events.releases import selectors
from events.views import conference_frame, programme_page


@programme_page
def changes(request: HttpRequest, conference: str) -> HttpResponse:
    """What every release changed, the newest first."""
    context = conference_frame(request, conference)
    shown = context["conference"]
    crumbs = [
        (_("Conferences"), reverse("events:conferences")),
        (str(shown.title), shown.get_absolute_url()),
        (_("Programme"), reverse("events:programme", args=[shown.slug])),
    ]
    releases = selectors.change_lists(shown)
    return render(
        request, "events/changes.html", {**context, "crumbs": crumbs, "releases": releases, "tab": "programme"}
    )
