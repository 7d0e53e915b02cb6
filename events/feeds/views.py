"""The addresses of the feeds: kept in memory like the pages, with ETag and 304, the same for everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from events import page_cache, selectors
from events.feeds import calendar, changes, schedule
from events.models import Conference, Session
from events.releases import selectors as releases

P = ParamSpec("P")

_CALENDAR = "text/calendar; charset=utf-8"
_XML = "application/vnd.c3voc.schedule+xml; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_ATOM = "application/atom+xml; charset=utf-8"


def _feed(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A feed, kept in memory under its plain address only: made-up queries must not push pages out."""
    kept = page_cache.cached_page(view)

    @wraps(view)
    def chosen(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return (view if request.META.get("QUERY_STRING") else kept)(request, *args, **kwargs)

    return require_safe(chosen)


def _conference(slug: str) -> Conference:
    try:
        return selectors.public_conference(slug)
    except Conference.DoesNotExist:
        raise Http404 from None


@_feed
def programme_calendar(request: HttpRequest, conference: str) -> HttpResponse:
    """What the programme page lists and has a time, to subscribe to."""
    found = _conference(conference)
    sessions = found.sessions.public().filter(is_in_agenda=True).select_related("room").in_programme_order()
    page = reverse("events:programme", args=[conference])
    content = calendar.calendar(found, sessions, name=found.title, path=request.path, page=page)
    return HttpResponse(content, content_type=_CALENDAR)


@_feed
def session_calendar(request: HttpRequest, conference: str, session: str) -> HttpResponse:
    """One session or side event. Without a time yet it is a calendar without entries, so that one can subscribe."""
    found = _conference(conference)
    try:
        item: Session = found.sessions.public().select_related("room").get(slug=session)
    except Session.DoesNotExist:
        raise Http404 from None
    item.conference = found
    page = item.get_absolute_url()
    content = calendar.calendar(found, [item], name=item.title, path=request.path, page=page)
    return HttpResponse(content, content_type=_CALENDAR)


def _schedule(request: HttpRequest, slug: str) -> schedule.Schedule:
    made = schedule.schedule(_conference(slug), now=timezone.now(), path=request.path)
    if made is None:
        raise Http404
    return made


@_feed
def schedule_xml(request: HttpRequest, conference: str) -> HttpResponse:
    """schedule.xml for conference apps. 404 while no day of the conference is known: the format needs one."""
    return HttpResponse(_schedule(request, conference).as_xml(), content_type=_XML)


@_feed
def schedule_json(request: HttpRequest, conference: str) -> HttpResponse:
    """schedule.json, the same in JSON."""
    return HttpResponse(_schedule(request, conference).as_json(), content_type=_JSON)


@_feed
def changes_atom(request: HttpRequest, conference: str) -> HttpResponse:
    """What every release changed, to follow. Empty while nothing was published by a release."""
    found = _conference(conference)
    content = changes.feed(found, releases.change_lists(found), path=request.path)
    return HttpResponse(content, content_type=_ATOM)
