"""Answers to an offered place and attending on-line meanwhile: the buttons of the personal page. Nobody signs in."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts import actors
from alliance.exceptions import DomainError
from alliance.same_origin import same_origin
from registration import private_pages, services
from registration.models import Participant, Registration
from registration.personal import views as personal_views


def _own(participant: Participant, public_id: UUID) -> Registration:
    registration = Registration.objects.filter(participant=participant, public_id=public_id).first()
    if registration is None:
        raise Http404
    return registration


@require_POST
@private_pages.private
@same_origin
@private_pages.by_token
def answer(request: HttpRequest, participant: Participant, token: str, public_id: UUID) -> HttpResponse:
    """Take an offered place, with what goes for it as the page named it, or decline it."""
    registration = _own(participant, public_id)
    now = timezone.now()
    try:
        if request.POST.get("answer") == "decline":
            services.decline(registration_id=registration.pk, by=actors.PARTICIPANT, now=now)
            done = "declined"
        else:
            services.accept(
                registration_id=registration.pk,
                by=actors.PARTICIPANT,
                now=now,
                giving_up=_named(request.POST.getlist("instead_of")),
            )
            done = "accepted"
    except DomainError as error:
        done = error.code
    return personal_views.back(request, token, done=done)


def _named(values: list[str]) -> set[UUID]:
    """The public ids in what was sent; what is none names nothing."""
    found = set()
    for value in values[:50]:
        try:
            found.add(UUID(value))
        except ValueError:
            continue
    return found


@require_POST
@private_pages.private
@same_origin
@private_pages.by_token
def online(request: HttpRequest, participant: Participant, token: str, public_id: UUID) -> HttpResponse:
    """Attend on-line while waiting for a place in the room."""
    registration = _own(participant, public_id)
    try:
        services.attend_online(registration_id=registration.pk, now=timezone.now())
        done = "online"
    except DomainError as error:
        done = error.code
    return personal_views.back(request, token, done=done)
