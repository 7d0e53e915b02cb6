"""The places left, live: a small piece of HTML for pages of the programme, which are kept and must not hold counts."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from registration import selectors


@require_safe
def places(request: HttpRequest, slug: str, session: str) -> HttpResponse:
    """The place meters of one session's ways to attend that have a limit; nothing to read where none has one."""
    offered = selectors.offers(slug)
    if offered is None:
        raise Http404
    now = timezone.now()
    ways = [
        admission
        for thing in offered.things
        if thing.session is not None and thing.session.slug == session
        for admission in thing.open_admissions(now)
    ]
    live = selectors.live_places(offered) if ways else {}
    rows = [(admission, live[admission.pk]) for admission in ways if live[admission.pk].capacity is not None]
    response = render(request, "registration/_places.html", {"rows": rows, "has_several": len(ways) > 1})
    response["X-Robots-Tag"] = "noindex"
    return response
