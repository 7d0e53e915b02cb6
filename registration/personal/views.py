"""The personal page: somebody's own registrations, by the link in their mail. Nobody signs in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
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
from events.releases import selectors as releases
from registration import private_pages, selectors, services
from registration.door import tickets
from registration.letters import calendar
from registration.models import Participant, Registration, RegistrationStatus
from registration.models.registration import ENDED
from registration.questions import answers
from registration.questions import fields as question_fields
from registration.seating import clashes
from registration.selectors import OwnChoice
from registration.services import addresses, asked, consents, own_data, pairs

_SEATED = frozenset({RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED})


@dataclass(frozen=True, slots=True)
class Shown:
    """One choice as the page shows it, with the seats that the same person holds at the same time."""

    choice: OwnChoice
    clashes: Sequence[Registration]
    moved_from: str = ""  # when it was to be at the time of registering, in words, if that has changed
    along: str = ""  # the name under which somebody comes along

    @property
    def clash_titles(self) -> list[str]:
        """What the other seats are for, marked where the words are in another language than the page."""
        things = [seat.admission.session or seat.admission.conference for seat in self.clashes]
        return [question_fields.in_language(thing.title) for thing in things]

    @property
    def is_past(self) -> bool:
        """Whether nothing is left to do about it: cancelled, not admitted, or over."""
        return self.choice.registration.status in ENDED or self.choice.is_over


def _shown(choices: Sequence[OwnChoice], *, now: datetime) -> list[Shown]:
    """What begins within the hour first, then in programme order."""
    held = [choice.registration for choice in choices if choice.registration.status == RegistrationStatus.CONFIRMED]
    found = clashes.of([registration for registration in held if not registration.admission.is_over(now)])
    moved = _moved(choices)
    along = pairs.names_along(choice.registration for choice in choices)
    return [
        Shown(
            choice,
            [seat for seat in found.get(choice.registration.pk, []) if not seat.admission.is_over(now)],
            moved.get(choice.registration.pk, ""),
            along.get(choice.registration.pk, ""),
        )
        for choice in sorted(choices, key=lambda choice: not choice.is_near)
    ]


def _moved(choices: Sequence[OwnChoice]) -> dict[int, str]:
    """When the sessions still to come were to be when they were registered for, if that has changed. One query.

    By the primary key of the registration.
    """
    standing = [
        (choice.registration, choice.registration.admission.session)
        for choice in choices
        if choice.registration.status not in ENDED and not choice.is_over
    ]
    sessions = {session.pk: session for _registration, session in standing if session is not None}
    since: dict[int, datetime] = {}
    for registration, session in standing:
        if session is not None:
            since[session.pk] = min(registration.created_at, since.get(session.pk, registration.created_at))
    found = releases.moved_since(sessions.values(), since)
    return {registration.pk: found.get(session.pk, "") for registration, session in standing if session is not None}


@require_safe
@private_pages.private
@private_pages.by_token
def personal(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """A participant's own page: what they registered for and how it stands."""
    now = timezone.now()
    choices = selectors.own_choices(participant, now=now)
    shown = _shown(choices, now=now)
    context = private_pages.frame(request, participant) | {
        "token": token,
        "choices": choices,
        "standing": [one for one in shown if not one.is_past],
        "past": [one for one in shown if one.is_past],
        "can_cancel_all": sum(choice.can_cancel for choice in choices) > 1,
        "has_calendar": any(choice.registration.status in _SEATED for choice in choices),
        "ticket": tickets.of(participant, choices, now=now),
        "own_answers": answers.own(participant, now=now),
        "consents": consents.own(participant, now=now),
        "wishes": asked.pending(participant, now=now),
        "new_address": addresses.pending(participant, now=now),
        "has_data": own_data.is_readable(participant),
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
@private_pages.private
@private_pages.by_token
def calendar_file(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """The confirmed choices for a calendar. Entries keep their UID, so that a newer file replaces the older one."""
    return _calendar(participant, None)


@require_safe
@private_pages.private
@private_pages.by_token
def calendar_one(request: HttpRequest, participant: Participant, token: str, public_id: UUID) -> HttpResponse:
    """One confirmed choice for a calendar."""
    return _calendar(participant, public_id)


def _calendar(participant: Participant, public_id: UUID | None) -> HttpResponse:
    now = timezone.now()
    confirmed = [
        choice.registration
        for choice in selectors.own_choices(participant, now=now)
        if choice.registration.status in _SEATED and public_id in (None, choice.registration.public_id)
    ]
    content = calendar.calendar(confirmed, now=now)
    if content is None:
        raise Http404
    return HttpResponse(
        content,
        content_type="text/calendar; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="calendar.ics"'},
    )


def back(request: HttpRequest, token: str, *, done: str, place: str = "") -> HttpResponse:
    """To the personal page, which says what was done. place: the id of the part to show."""
    query = {"done": done} | ({"lang": request.GET["lang"]} if "lang" in request.GET else {})
    fragment = f"#{place}" if place else ""
    return private_pages.SeeOther(f"{reverse('registration:personal', args=[token])}?{urlencode(query)}{fragment}")


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.by_token
def cancel_one(request: HttpRequest, participant: Participant, token: str, public_id: UUID) -> HttpResponse:
    """Ask whether to cancel one choice, then do it."""
    chosen = [
        c for c in selectors.own_choices(participant, now=timezone.now()) if c.registration.public_id == public_id
    ]
    if not chosen:
        raise Http404
    return _cancel(request, participant, token, chosen)


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.by_token
def cancel_all(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Ask whether to cancel everything, then do it."""
    return _cancel(request, participant, token, selectors.own_choices(participant, now=timezone.now()))


def _cancel(request: HttpRequest, participant: Participant, token: str, chosen: list[OwnChoice]) -> HttpResponse:
    standing = [choice for choice in chosen if choice.can_cancel]
    if request.method == "POST":
        for choice in standing:
            services.cancel(registration_id=choice.registration.pk, by=actors.PARTICIPANT, now=timezone.now())
        return back(request, token, done="cancelled")
    if not standing:
        return back(request, token, done="")
    return render(
        request,
        "registration/cancel.html",
        private_pages.frame(request, participant) | {"token": token, "choices": standing},
    )


@require_POST
@private_pages.private
@same_origin
@private_pages.by_token
def send_link(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Send the mail with the personal link again to the registered address."""
    services.send_personal_link(participant=participant, now=timezone.now())
    return back(request, token, done="sent")
