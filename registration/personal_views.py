"""The personal page: somebody's own registrations, by the link in their mail. Nobody signs in."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from alliance.same_origin import same_origin
from events.models import Conference
from registration import calendar, selectors, services, tickets, views
from registration.models import Participant, RegistrationStatus
from registration.selectors import OwnChoice

_SEATED = frozenset({RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED})


@require_safe
@views._private
@views._by_token
def personal(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """A participant's own page: what they registered for and how it stands."""
    choices = selectors.own_choices(participant, now=timezone.now())
    context = views._frame(request, participant) | {
        "token": token,
        "choices": choices,
        "can_cancel_all": sum(choice.can_cancel for choice in choices) > 1,
        "has_calendar": any(choice.registration.status in _SEATED for choice in choices),
        "ticket": tickets.of(participant, choices, now=timezone.now()),
        "done": request.GET.get("done", ""),
        "register_url": _register_url(participant.conference),
    }
    return render(request, "registration/personal.html", context)


def _register_url(conference: Conference) -> str:
    """The form, where the conference still has one."""
    offered = selectors.offers(conference.slug)
    if offered is None or not offered.is_open(timezone.now()):
        return ""
    return reverse("registration:register", args=[conference.slug])


@require_safe
@views._private
@views._by_token
def calendar_file(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """The confirmed choices for a calendar. Entries keep their UID, so that a newer file replaces the older one."""
    confirmed = [
        choice.registration
        for choice in selectors.own_choices(participant, now=timezone.now())
        if choice.registration.status in _SEATED
    ]
    content = calendar.calendar(confirmed, now=timezone.now())
    if content is None:
        raise Http404
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="calendar.ics"'},
    )


def _personal_page(request: HttpRequest, token: str, *, done: str) -> HttpResponse:
    query = {"done": done} | ({"lang": request.GET["lang"]} if "lang" in request.GET else {})
    return views.SeeOther(f"{reverse('registration:personal', args=[token])}?{urlencode(query)}")


@require_http_methods(views._ALL_METHODS)
@views._private
@same_origin
@views._by_token
def cancel_one(request: HttpRequest, participant: Participant, token: str, public_id: UUID) -> HttpResponse:
    """Ask whether to cancel one choice, then do it."""
    chosen = [
        c for c in selectors.own_choices(participant, now=timezone.now()) if c.registration.public_id == public_id
    ]
    if not chosen:
        raise Http404
    return _cancel(request, participant, token, chosen)


@require_http_methods(views._ALL_METHODS)
@views._private
@same_origin
@views._by_token
def cancel_all(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Ask whether to cancel everything, then do it."""
    return _cancel(request, participant, token, selectors.own_choices(participant, now=timezone.now()))


def _cancel(request: HttpRequest, participant: Participant, token: str, chosen: list[OwnChoice]) -> HttpResponse:
    standing = [choice for choice in chosen if choice.can_cancel]
    if request.method == "POST":
        for choice in standing:
            services.cancel(registration_id=choice.registration.pk, by=actors.PARTICIPANT, now=timezone.now())
        return _personal_page(request, token, done="cancelled")
    if not standing:
        return _personal_page(request, token, done="")
    return render(
        request, "registration/cancel.html", views._frame(request, participant) | {"token": token, "choices": standing}
    )


@require_POST
@views._private
@same_origin
@views._by_token
def send_link(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Send the mail with the personal link again to the registered address."""
    services.send_personal_link(participant=participant, now=timezone.now())
    return _personal_page(request, token, done="sent")
