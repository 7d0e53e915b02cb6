"""What private pages share: who reads, in which language, kept nowhere, and answered in even time."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from alliance import languages, zones
from alliance.pages import LANGUAGE_NAMES, LanguageLink
from registration import services
from registration.models import Participant
from registration.questions import uploads

View = Callable[..., HttpResponse]

ALL_METHODS = ["GET", "HEAD", "POST"]
UNPROCESSABLE = 422  # the form came back with errors


class SeeOther(HttpResponseRedirect):
    """Look there with GET, whatever was sent here."""

    status_code = 303


def private(view: View) -> View:
    """A page whose address is a secret: kept nowhere, named to nobody, found by no search."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


_STEP = 0.05  # seconds; more than either answer takes on a machine that is not overloaded
_FILE_STEPS = 20  # so many of them for a form with files: only those of a new address are stored


def in_even_time(view: View) -> View:
    """Answer what was sent after a whole number of steps, so that the time tells nobody which addresses are known.

    A known address is other work than a new one, by some milliseconds. Waiting costs a thread, not the processor.
    """

    @wraps(view)
    def even(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        started = time.monotonic()
        response = view(request, *args, **kwargs)
        if request.method == "POST":
            step = _STEP * _FILE_STEPS if uploads.came(request) else _STEP
            time.sleep(-(time.monotonic() - started) % step)
        return response

    return even


def by_token(view: View) -> View:
    """Give the view the participant whose token is in the address, and speak the participant's language."""

    @wraps(view)
    def found(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        participant = services.find_personal(token)
        if participant is None:
            raise Http404
        language = language_of(request, participant)
        with translation.override(language):
            response = view(request, participant, token=token, **kwargs)
        response["Content-Language"] = language
        return response

    return found


def language_of(request: HttpRequest, participant: Participant) -> str:
    """The language of a page without one in its address: asked for by ?lang=, else the participant's."""
    wanted = request.GET.get("lang", "")
    return wanted if wanted in languages.codes() else participant.language


def frame(request: HttpRequest, participant: Participant) -> dict[str, Any]:
    """What every personal page needs: the conference, the language switch, the participant's own clock."""
    current = get_language()
    links = [
        LanguageLink(code, LANGUAGE_NAMES[code], f"?{urlencode({'lang': code})}", code == current)
        for code in languages.codes()
    ]
    query = f"?{urlencode({'lang': current})}" if current != participant.language else ""
    above = reverse("registration:personal", args=[participant.personal_token])
    is_below = request.path.startswith(above) and request.path != above
    return {
        "participant": participant,
        "conference": participant.conference,
        "crumbs": [(_("Your registrations"), above + query)] if is_below else [],
        "language_links": links,
        "reader_zone": zones.find(participant.time_zone),
        "query": query,
    }
