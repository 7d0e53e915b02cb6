"""Public pages of the programme: the same for everybody, so they are kept in memory and set no cookie."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from alliance import languages, zones
from events import choices, page_cache, selectors
from events.models import Conference, ConferenceDay, ConferenceState, Session, SessionState
from events.releases import selectors as releases

P = ParamSpec("P")


def programme_page(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A public page that is kept in memory, unless its query asks for more than a clock or a choice that we know.

    Made-up queries are answered, but must not push the real pages out of memory.
    """
    kept = page_cache.cached_page(view)

    @wraps(view)
    def chosen(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        return (kept if _is_known(request.GET) else view)(request, *args, **kwargs)

    return require_safe(chosen)


def _is_known(query: QueryDict) -> bool:
    """Whether a query is one that our own links and forms make."""
    if any(len(values) > 1 for _name, values in query.lists()):
        return False
    # Whether the value of a filter exists is for the view to say. Combinations have a memory of their own.
    known = {"tz": zones.find(query.get("tz", "")) is not None, "show": query.get("show") in selectors.Show.values}
    return all(name in choices.NAMES or known.get(name, False) for name in query)


def frame(request: HttpRequest) -> dict[str, Any]:
    """What pages with times share: the clock chosen by ?tz=, whether we know it, and the clocks to choose from."""
    wanted = request.GET.get("tz", "")
    zone: ZoneInfo | None = zones.find(wanted)
    return {"reader_zone": zone, "unknown_zone": bool(wanted) and zone is None, "zones": zones.choices()}


def conference_frame(request: HttpRequest, slug: str) -> dict[str, Any]:
    """What all pages of a conference share. Raises Http404 for a conference strangers may not see."""
    try:
        conference = selectors.public_conference(slug)
    except Conference.DoesNotExist:
        raise Http404 from None
    is_open = selectors.is_registration_open(conference, now=timezone.now())
    return {
        **frame(request),
        "conference": conference,
        "register_url": register_url(conference) if is_open else "",
        "crumbs": [(_("Conferences"), reverse("events:conferences"))],
    }


def register_url(conference: Conference) -> str:
    """The registration form of the conference; empty in a house without registration."""
    try:
        return reverse("registration:register", args=[conference.slug])
    except NoReverseMatch:
        return ""


def places_url(session: Session) -> str:
    """Where the live places of a session stand; empty in a house without registration."""
    try:
        return reverse("registration:places", args=[session.conference.slug, session.slug])
    except NoReverseMatch:
        return ""


def _below(conference: Conference) -> list[tuple[str, str]]:
    return [
        (_("Conferences"), reverse("events:conferences")),
        (str(conference.title), conference.get_absolute_url()),
    ]


@programme_page
def conferences(request: HttpRequest) -> HttpResponse:
    """The list of conferences."""
    return render(request, "events/conference_list.html", {"list": selectors.conference_list(now=timezone.now())})


@programme_page
def conference(request: HttpRequest, conference: str) -> HttpResponse:
    """One conference: what, when, where, and the outline of its programme."""
    context = conference_frame(request, conference)
    page = selectors.conference_page(context["conference"], now=timezone.now())
    return render(request, "events/conference_detail.html", {**context, "page": page, "tab": "overview"})


@programme_page
def programme(request: HttpRequest, conference: str, day: int | None = None) -> HttpResponse:
    """The whole programme, or one of its days, or what of it fits the filters."""
    if (better := _better_address(request, conference, day)) is not None:
        return redirect(better)
    filters = {name: request.GET[name] for name in choices.NAMES if name in request.GET}
    context = conference_frame(request, conference)
    wanted = request.GET.get("show", "")
    show = selectors.Show(wanted) if wanted in selectors.Show.values else None
    try:
        found = selectors.programme(context["conference"], now=timezone.now(), number=day, show=show, wanted=filters)
    except ConferenceDay.DoesNotExist:
        raise Http404 from None
    response = render(
        request,
        "events/conference_programme.html",
        {
            **context,
            "crumbs": _below(context["conference"]),
            "programme": found,
            "today": timezone.now().astimezone(context["conference"].zone).date(),
            "number": day,
            "show": show.value if show else "",
            "choices": [("", _("Everything")), *selectors.Show.choices],
            "chosen": found.choices.chosen,
            "footnotes": found.footnotes,
            "agenda_url": reverse("events:agenda", args=[conference]),
            "is_provisional": context["conference"].state == ConferenceState.PROVISIONAL,
            "tab": "programme",
        },
    )
    return page_cache.not_kept(response) if found.choices.has_unknown else response


def _better_address(request: HttpRequest, conference: str, day: int | None) -> str | None:
    """The one address of what was asked, where that is another.

    The form sends every filter, and the day among them: empty ones are taken out, and the day goes into the path. A day
    written "01" is day 1.
    """
    whole = reverse("events:programme", args=[conference])
    path = reverse("events:day", args=[conference, day]) if day is not None else whole
    wanted = request.GET.get(choices.DAY)
    empty = [name for name in (*choices.NAMES, "show", "tz") if name in request.GET and not request.GET[name]]
    if wanted is None and not empty and path == request.path:
        return None
    if wanted is not None:
        is_number = wanted.isascii() and wanted.isdigit() and len(wanted) < 6
        path = reverse("events:day", args=[conference, int(wanted)]) if is_number else whole
    query = request.GET.copy()
    for name in (*empty, choices.DAY):
        query.pop(name, None)
    return f"{path}?{query.urlencode()}" if query else path


@programme_page
def session(request: HttpRequest, conference: str, session: str) -> HttpResponse:
    """One session. A side event that is asked for under this address is shown under its own."""
    return _session(request, conference, session, side_event=False)


@programme_page
def side_event(request: HttpRequest, conference: str, session: str) -> HttpResponse:
    """One side event."""
    return _session(request, conference, session, side_event=True)


def _session(request: HttpRequest, slug: str, session: str, *, side_event: bool) -> HttpResponse:
    context = conference_frame(request, slug)
    try:
        page = selectors.session_page(context["conference"], session, now=timezone.now())
    except Session.DoesNotExist:
        raise Http404 from None
    if page.session.is_side_event != side_event:
        return redirect(page.session, permanent=False)
    crumbs = _below(context["conference"])
    crumbs.append((_("Programme"), reverse("events:programme", args=[slug])))
    return render(
        request,
        "events/session_detail.html",
        {
            **context,
            "crumbs": crumbs,
            "page": page,
            "session": page.session,
            "moved_from": "" if page.is_over else releases.moved_from(page.session),
            "places_url": places_url(page.session) if page.is_registration_open else "",
            "footnotes": page.footnotes,
            "agenda_url": reverse("events:agenda", args=[slug]),
            "tab": "programme",
        },
    )


@require_safe
def sitemap(request: HttpRequest) -> HttpResponse:
    """The public pages of all conferences, each in its six languages. People are left out on purpose."""
    sessions = Session.objects.public().filter(state=SessionState.SCHEDULED).select_related("conference")
    conferences = list(Conference.objects.public().newest_first().only("slug"))
    with translation.override("en"):
        paths = [reverse("events:conferences"), reverse("events:recommendations")]
        for conference in conferences:
            names = ("events:conference", "events:programme", "speakers:speakers", "speakers:organisations")
            paths += [reverse(name, args=[conference.slug]) for name in names]
        paths += [session.get_absolute_url() for session in sessions.in_programme_order()[:5000]]
    context = {
        "pages": [[(code, f"{settings.SITE_URL}/{code}/{path[4:]}") for code in languages.codes()] for path in paths]
    }
    return render(request, "sitemap.xml", context, content_type="application/xml; charset=utf-8")
