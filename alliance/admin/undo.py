"""Taking back what was just done: a button in the message after it, for a quarter of an hour, for the last act alone.

What is needed to take an act back lies in the user's session, in PostgreSQL; it holds ids, states and times, never
names. An app registers how its acts are taken back. That must refuse, with a DomainError, when somebody has changed the
rows since: an undo never overwrites a later change.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from alliance.exceptions import DomainError

KEY = "last_act"
LASTS = timedelta(minutes=15)
_TAG = "undo-"

# Takes back an act by what was kept of it, and says what was done. Checks the user's rights itself.
TakeBack = Callable[[HttpRequest, Any], str]
_kinds: dict[str, TakeBack] = {}


def register(kind: str, take_back: TakeBack) -> None:
    """Let acts of a kind be taken back."""
    _kinds[kind] = take_back


def offer(request: HttpRequest, kind: str, data: Any, done: str) -> None:
    """Say that something was done, with a button to take it back. data: JSON, without names."""
    token = secrets.token_urlsafe(12)
    until = timezone.now() + LASTS
    request.session[KEY] = {"token": token, "kind": kind, "data": data, "until": until.isoformat()}
    messages.success(request, done, extra_tags=f"{_TAG}{token}")


def token_of(tags: str) -> str:
    """The token in the tags of a message; empty for one that offers nothing."""
    return next((tag.removeprefix(_TAG) for tag in tags.split() if tag.startswith(_TAG)), "")


def take_back(request: HttpRequest) -> HttpResponse:
    """Take back the last act, if it is the one that the button belongs to."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        back = reverse("admin:index")
    act = request.session.get(KEY)
    if act is None or not secrets.compare_digest(act["token"].encode(), request.POST.get("token", "").encode()):
        messages.warning(request, _("Only the last act can be taken back, once. Change what you need by hand."))
        return HttpResponseRedirect(back)
    del request.session[KEY]
    if datetime.fromisoformat(act["until"]) < timezone.now() or act["kind"] not in _kinds:
        messages.warning(request, _("It is too late to take this back. Change what you need by hand."))
        return HttpResponseRedirect(back)
    try:
        messages.success(request, _kinds[act["kind"]](request, act["data"]))
    except DomainError as error:
        messages.error(request, str(error.message))
    return HttpResponseRedirect(back)
