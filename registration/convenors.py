"""Pages of convenors: their own side events and who registered for them, by display name.

A convenor's role names a session (accounts.models.Role). It reaches that session and nothing beside it. E-mail
addresses are shown where the role says so, when they are asked for, on the record, and never behind an alias.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import Actor
from accounts.models import Role, RoleKind, User
from events.models import Session
from registration.models import Registration
from registration.services import identities

MOST = 500  # registrations on a page
_METHODS = ["GET", "HEAD", "POST"]

View = Callable[..., HttpResponse]


def _personal(view: View) -> View:
    """Kept nowhere and found by no search. The address is no secret: forms need to say where they come from."""

    @wraps(view)
    def guarded(request: HttpRequest, **captured: Any) -> HttpResponse:
        response = view(request, **captured)
        add_never_cache_headers(response)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


def side_events_of(user: User) -> QuerySet[Session]:
    """The sessions whose convenor a user is, newest conference first."""
    if not user.is_active:
        return Session.objects.none()
    own = Role.objects.filter(user=user.pk, kind=RoleKind.CONVENOR).values("session")
    rows = Session.objects.filter(pk__in=own).select_related("conference")
    return rows.order_by("-conference__starts_on", "position", "pk")


@require_safe
@_personal
def mine(request: HttpRequest) -> HttpResponse:
    """The side events of whoever is signed in; no such page for people without one."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    sessions = list(side_events_of(request.user))
    if not sessions:
        raise Http404
    live = Registration.objects.shown_to_others().filter(admission__session__in=sessions)
    counts = dict(live.order_by().values_list("admission__session").annotate(number=Count("pk")))
    rows = [{"session": session, "number": counts.get(session.pk, 0)} for session in sessions]
    return render(request, "registration/convenor/mine.html", {"rows": rows})


@require_http_methods(_METHODS)
@_personal
def registrations(request: HttpRequest, public_id: Any) -> HttpResponse:
    """Who registered for one side event. POST shows the e-mail addresses as well, where the role allows it."""
    user = request.user
    if not user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    session = side_events_of(user).filter(public_id=public_id).first()
    if session is None:
        raise Http404
    may_see = Role.objects.filter(
        user=user.pk, kind=RoleKind.CONVENOR, session=session.pk, may_see_contacts=True
    ).exists()
    if request.method == "POST" and not may_see:
        raise PermissionDenied
    found = Registration.objects.shown_to_others().filter(admission__session=session.pk)
    rows = list(
        found.select_related("participant", "admission")
        .defer("participant__sealed_identity", "participant__accessibility_needs")
        .order_by("participant__display_name", "pk")[: MOST + 1]
    )
    context = {
        "session": session,
        "conference": session.conference,
        "rows": [
            {"registration": row, "email": _address(row, user) if request.method == "POST" else ""}
            for row in rows[:MOST]
        ],
        "has_more": len(rows) > MOST,
        "may_see_contacts": may_see,
        "shows_contacts": request.method == "POST",
    }
    return render(request, "registration/convenor/registrations.html", context)


def _address(registration: Registration, user: User) -> str:
    opened = identities.open_for_organiser(
        with_needs=False, participant_id=registration.participant_id, by=Actor.organiser(user), now=timezone.now()
    )
    return "" if opened.identity is None else opened.identity.email
