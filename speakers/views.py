"""Public pages of speakers: kept in memory like the programme, gone with the commit that hides somebody."""

from __future__ import annotations

from itertools import groupby
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from events.selectors import Footnotes
from events.views import conference_frame, frame, programme_page
from speakers import search as finding
from speakers import selectors
from speakers.models import Person


@programme_page
def speakers(request: HttpRequest, conference: str) -> HttpResponse:
    """Everybody who speaks at a conference."""
    context = conference_frame(request, conference)
    footnotes = Footnotes()
    found = selectors.speakers(context["conference"], now=timezone.now(), footnotes=footnotes)
    crumbs = [
        (_("Conferences"), reverse("events:conferences")),
        (str(context["conference"].title), context["conference"].get_absolute_url()),
    ]
    return render(
        request,
        "speakers/person_list.html",
        {**context, "crumbs": crumbs, "speakers": found, "footnotes": footnotes, "tab": "speakers"},
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


@require_safe
@never_cache
def search(request: HttpRequest, conference: str) -> HttpResponse:
    """Sessions, people and bodies of a conference that fit ?q=. Kept nowhere: what people look for is theirs."""
    context = conference_frame(request, conference)
    footnotes = Footnotes()
    query = finding.clean(request.GET.get("q", ""))
    found = finding.search(context["conference"], query, now=timezone.now(), footnotes=footnotes)
    crumbs = [
        (_("Conferences"), reverse("events:conferences")),
        (str(context["conference"].title), context["conference"].get_absolute_url()),
    ]
    return render(
        request,
        "speakers/search.html",
        {
            **context,
            "crumbs": crumbs,
            "query": query,
            "is_too_short": 0 < len(query) < finding.SHORTEST_QUERY,
            "found": found,
            "footnotes": footnotes,
        },
    )
