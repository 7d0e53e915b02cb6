"""Public pages of speakers and organisations: kept like the programme, gone with the commit that hides somebody."""

from __future__ import annotations

from itertools import groupby
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alliance import text_search
from events.models import Conference, Organisation
from events.selectors import Footnotes
from events.views import conference_frame, frame, programme_page
from speakers import organisations as bodies
from speakers import search as finding
from speakers import selectors
from speakers.models import Person


def _below(context: dict[str, Any]) -> list[tuple[str, str]]:
    """The way back from a page of a conference."""
    conference = context["conference"]
    return [(_("Conferences"), reverse("events:conferences")), (str(conference.title), conference.get_absolute_url())]


@programme_page
def speakers(request: HttpRequest, conference: str) -> HttpResponse:
    """Everybody who speaks at a conference."""
    context = conference_frame(request, conference)
    footnotes = Footnotes()
    found = selectors.speakers(context["conference"], now=timezone.now(), footnotes=footnotes)
    return render(
        request,
        "speakers/person_list.html",
        {**context, "crumbs": _below(context), "speakers": found, "footnotes": footnotes, "tab": "speakers"},
    )


@programme_page
def person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person with all they contribute."""
    footnotes = Footnotes()
    try:
        speaker = selectors.person(public_id, now=timezone.now(), footnotes=footnotes)
    except Person.DoesNotExist:
        raise Http404 from None
    by_conference = [
        (conference, list(appearances))
        for conference, appearances in groupby(speaker.appearances, key=lambda found: found.session.conference)
    ]
    return render(
        request,
        "speakers/person_detail.html",
        {
            **frame(request),
            "crumbs": [(_("Conferences"), reverse("events:conferences"))],
            "speaker": speaker,
            "by_conference": by_conference,
            "footnotes": footnotes,
        },
    )


@programme_page
def organisations(request: HttpRequest, conference: str) -> HttpResponse:
    """The bodies that take part in a conference."""
    context = conference_frame(request, conference)
    return render(
        request,
        "speakers/organisation_list.html",
        {
            **context,
            "crumbs": _below(context),
            "rows": bodies.organisations(context["conference"], now=timezone.now()),
        },
    )


@programme_page
def organisation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One body with what it convened and who spoke for it."""
    footnotes = Footnotes()
    try:
        page = bodies.organisation(public_id, now=timezone.now(), footnotes=footnotes)
    except Organisation.DoesNotExist:
        raise Http404 from None
    return render(
        request,
        "speakers/organisation_detail.html",
        {
            **frame(request),
            "crumbs": [(_("Conferences"), reverse("events:conferences"))],
            "page": page,
            "organisation": page.organisation,
            "country_mark": footnotes.mark_country(page.organisation.country),
            "footnotes": footnotes,
        },
    )


def _found(request: HttpRequest, conference: Conference | None) -> dict[str, Any]:
    footnotes = Footnotes()
    query = text_search.clean(request.GET.get("q", ""))
    return {
        "query": query,
        "is_too_short": 0 < len(query) < text_search.SHORTEST_QUERY,
        "found": finding.search(conference, query, now=timezone.now(), footnotes=footnotes),
        "footnotes": footnotes,
    }


@require_safe
@never_cache
def search(request: HttpRequest, conference: str) -> HttpResponse:
    """Sessions, people and bodies of a conference that fit ?q=. Kept nowhere: what people look for is theirs."""
    context = conference_frame(request, conference)
    found = _found(request, context["conference"])
    return render(request, "speakers/search.html", {**context, "crumbs": _below(context), **found})


@require_safe
@never_cache
def search_all(request: HttpRequest) -> HttpResponse:
    """The same over all conferences."""
    crumbs = [(_("Conferences"), reverse("events:conferences"))]
    return render(request, "speakers/search_all.html", {**frame(request), "crumbs": crumbs, **_found(request, None)})
