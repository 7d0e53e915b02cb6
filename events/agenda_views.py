"""My agenda: the page, the button's state, adding and taking out, and the calendar. Kept nowhere, by nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from alliance.languages import Translations
from alliance.same_origin import same_origin
from events import agenda, selectors
from events.feeds import calendar
from events.models import Conference, Session
from events.views import conference_frame

P = ParamSpec("P")

_CALENDAR = "text/calendar; charset=utf-8"


def _secret(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """What somebody attends must not be left in a cache, nor told to the next site in a Referer."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "private, no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return guarded


def _conference(slug: str) -> Conference:
    try:
        return selectors.public_conference(slug)
    except Conference.DoesNotExist:
        raise Http404 from None


@same_origin
@require_http_methods(["GET", "HEAD", "POST"])
@_secret
def page(request: HttpRequest, conference: str) -> HttpResponse:
    """The reader's own agenda of a conference. POST adds or takes out: add, remove (public ids), tidy, clear."""
    if request.method == "POST":
        return _change(request, _conference(conference))
    context = conference_frame(request, conference)
    mine = agenda.agenda(context["conference"], agenda.read(request), now=timezone.now())
    return render(
        request,
        "events/agenda.html",
        {
            **context,
            "crumbs": [
                *context["crumbs"],
                (str(context["conference"].title), context["conference"].get_absolute_url()),
                (_("Programme"), reverse("events:programme", args=[conference])),
            ],
            "agenda": mine,
            "subscribe_path": reverse("events:agenda-feed", args=[conference, agenda.address_part(mine.ids)])
            if mine.entries
            else "",
            "most": agenda.MOST,
            "tab": "programme",
        },
    )


def _wanted(request: HttpRequest, name: str) -> UUID | None:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        return None


def _change(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Do what the button says. With HTMX the answer is the button anew, without it the agenda."""
    picks, now = agenda.read(request), timezone.now()
    added, removed = _wanted(request, "add"), _wanted(request, "remove")
    session: Session | None = None
    is_full = False
    if added is not None:
        session = next(iter(agenda.sessions_of(conference, [added])), None)
        if session is None:
            raise Http404
        is_full = len(picks) >= agenda.MOST and all(pick.public_id != added for pick in picks)
        picks = picks if is_full else agenda.with_pick(picks, session)
    elif removed is not None:
        session = next(iter(agenda.sessions_of(conference, [removed])), None)
        picks = [pick for pick in picks if pick.public_id != removed]
    elif "tidy" in request.POST:
        gone = {pick.public_id for pick in agenda.agenda(conference, picks, now=now).gone}
        picks = [pick for pick in picks if pick.public_id not in gone]
    elif "clear" in request.POST:
        here = set(agenda.agenda(conference, picks, now=now).ids)
        picks = [pick for pick in picks if pick.public_id not in here]
    if request.headers.get("HX-Request") and session is not None:
        context = {
            "conference": conference,
            "session": session,
            "is_picked": added is not None and not is_full,
            "is_full": is_full,
            "most": agenda.MOST,
            "count": len(agenda.agenda(conference, picks, now=now).entries),
        }
        response = render(request, "events/_agenda_changed.html", context)
    else:
        response = redirect(reverse("events:agenda", args=[conference.slug]) + ("?full" if is_full else ""))
        response.status_code = 303
    agenda.write(response, picks)
    return response


@require_safe
@_secret
def state(request: HttpRequest, conference: str) -> HttpResponse:
    """The buttons of what the reader has picked, for a page that is the same for everybody."""
    picks = agenda.read(request)
    if not picks:
        return HttpResponse(status=204)
    found = _conference(conference)
    mine = agenda.agenda(found, picks, now=timezone.now())
    return render(request, "events/_agenda_state.html", {"conference": found, "agenda": mine})


def _calendar(conference: Conference, ids: list[UUID]) -> bytes:
    language = translation.get_language() or "en"
    name = Translations({language: _("My agenda: %(conference)s") % {"conference": conference.title}})
    return calendar.calendar(
        conference,
        agenda.sessions_of(conference, ids),
        name=name,
        path=reverse("events:agenda-feed", args=[conference.slug, agenda.address_part(ids)]),
        page=reverse("events:agenda", args=[conference.slug]),
    )


@require_safe
@_secret
def download(request: HttpRequest, conference: str) -> HttpResponse:
    """The agenda as a file for a calendar program."""
    found = _conference(conference)
    mine = agenda.agenda(found, agenda.read(request), now=timezone.now())
    response = HttpResponse(_calendar(found, mine.ids), content_type=_CALENDAR)
    response["Content-Disposition"] = f'attachment; filename="{found.slug}-agenda.ics"'
    return response


@require_safe
@_secret
def feed(request: HttpRequest, conference: str, selection: str) -> HttpResponse:
    """The agenda to subscribe to: the picked sessions as they stand today. The address is signed and names nobody."""
    found = _conference(conference)
    ids = agenda.ids_of(selection)
    if not ids:
        raise Http404
    content = _calendar(found, ids)
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    response = HttpResponse(content, content_type=_CALENDAR)
    response["ETag"] = etag
    return cast("HttpResponse", get_conditional_response(request, etag=etag, response=response))
