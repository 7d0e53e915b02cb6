"""The page of all results: searched and narrowed by a plain form, page by page."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from alliance import text_search
from events import page_cache, results, results_search

ROWS = 20  # on a page


@require_safe
@page_cache.cached_page
def recommendations(request: HttpRequest) -> HttpResponse:
    """Results of all conferences. The form sends every field; the empty ones are taken out of the address."""
    names = ("q", *results_search.FILTERS, "page")
    if any(name in request.GET and not request.GET[name].strip() for name in names):
        kept = request.GET.copy()
        for name in names:
            if not kept.get(name, "x").strip():
                kept.pop(name)
        return redirect(f"{request.path}?{kept.urlencode()}" if kept else request.path)
    now = timezone.now()
    query = text_search.clean(request.GET.get("q", ""))
    is_too_short = 0 < len(query) < text_search.SHORTEST_QUERY
    wanted = {name: text_search.clean(request.GET[name]) for name in results_search.FILTERS if name in request.GET}
    choices = results_search.choices(now=now, wanted=wanted)
    rows, is_similar = results_search.found("" if is_too_short else query, wanted, now=now)
    page = Paginator(rows, ROWS).get_page(request.GET.get("page"))
    response = render(
        request,
        "events/recommendation_list.html",
        {
            "crumbs": [(_("Conferences"), reverse("events:conferences"))],
            "query": query,
            "choices": choices,
            "has_unknown": any(choice.is_unknown for choice in choices),
            "is_narrowed": bool(query or wanted),
            "is_too_short": is_too_short,
            "is_similar": is_similar,
            "page": page,
            "groups": results.by_conference(page.object_list),
            "rest": request.GET.copy(),
        },
    )
    return page_cache.not_kept(response) if request.GET else response
