"""Pages of the house itself: the door, the notes in the footer, the developers' component page, robots and sitemap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_safe

from alliance import examples, languages, zones

# Every language in its own words: the switch must be readable to those who do not read the page's language.
LANGUAGE_NAMES = {
    "en": "English",
    "fr": "Français",
    "de": "Deutsch",
    "it": "Italiano",
    "es": "Español",
    "ru": "Русский",
}


class LanguageLink(NamedTuple):
    """The same page in another language."""

    code: str
    name: str
    url: str
    is_current: bool


def language_links(request: HttpRequest, *, query: str | None = None) -> list[LanguageLink]:
    """The request's page in the six languages, in their fixed order; empty where the address does not name one.

    query: what follows the question mark; by default a clock chosen by ?tz= is kept and nothing else.
    """
    parts = request.path.split("/", 2)
    codes = languages.codes()
    if len(parts) < 3 or parts[1] not in codes:
        return []
    if query is None:
        zone = zones.find(request.GET.get("tz", ""))
        query = urlencode({"tz": zone.key}) if zone else ""
    return [
        LanguageLink(code, LANGUAGE_NAMES[code], f"/{code}/{parts[2]}{'?' + query if query else ''}", code == parts[1])
        for code in codes
    ]


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Send the reader to the list of conferences in the browser's language. Nothing is remembered."""
    language = "en"
    for wanted, _weight in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if wanted.split("-")[0] in languages.codes():
            language = wanted.split("-")[0]
            break
    with translation.override(language):
        response = HttpResponseRedirect(reverse("events:conferences"))
    patch_vary_headers(response, ["Accept-Language"])
    response["Cache-Control"] = "no-cache"
    return response


@require_safe
def components(request: HttpRequest, more: Callable[[], dict[str, Any]]) -> HttpResponse:
    """All components on one page, for developers: only in development and in the demo.

    more: makes what the components of other apps need; alliance.urls names it, as this app knows no other.
    """
    if not (settings.DEBUG or settings.DEMO):
        raise Http404
    return render(request, "components/page.html", examples.context() | more())


# The day on which somebody last went through the accessibility statement and found each sentence true.
ACCESSIBILITY_REVIEWED_ON = date(2026, 11, 22)


@require_safe
def accessibility(request: HttpRequest, offices: Callable[[], Sequence[object]]) -> HttpResponse:
    """The accessibility statement.

    offices: finds the conferences whose contact address it names; the app of conferences hands it over.
    """
    context = {
        "crumbs": [(_("Conferences"), reverse("events:conferences"))],
        "offices": offices(),
        "reviewed_on": ACCESSIBILITY_REVIEWED_ON,
    }
    return render(request, "about/accessibility.html", context)


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """What we keep about readers and participants."""
    return render(request, "about/privacy.html", {"crumbs": [(_("Conferences"), reverse("events:conferences"))]})


@require_safe
def demo_meeting(request: HttpRequest) -> HttpResponse:
    """The demo's stand-in for a video platform: where a join link leads when nobody has an account with a provider."""
    if not settings.DEMO:
        raise Http404
    return render(request, "demo/meeting.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers look for an icon when the page names none, such as a plain text."""
    response = HttpResponseRedirect(static("img/icon.svg"))
    response["Cache-Control"] = "public, max-age=86400"
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    """What crawlers should leave alone: personal addresses and the admin."""
    lines = ["User-agent: *", "Disallow: /admin/", "Disallow: /api/", "Disallow: /join/", "Disallow: /r/"]
    lines += [f"Sitemap: {settings.SITE_URL}/sitemap.xml", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
