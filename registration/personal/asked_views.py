"""The answer to what a form asked for with the address of somebody known: from their personal page, by one button."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from alliance.same_origin import same_origin
from registration import private_pages
from registration.models import Participant
from registration.personal import views as personal_views
from registration.services import asked, confirming

_MOST = 200  # wishes that are looked at


@require_POST
@private_pages.private
@same_origin
@private_pages.by_token
def answer(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Register for what is ticked, or drop what the page showed. Sending twice is fine."""
    if request.POST.get("answer") == "drop":
        asked.drop(participant_id=participant.pk, public_ids=_ids(request, "shown"))
        return personal_views.back(request, token, done="asked-dropped")
    wanted = _ids(request, "asked")
    done = confirming.confirm(participant_id=participant.pk, public_ids=wanted, now=timezone.now())
    return personal_views.back(request, token, done="asked-closed" if done.closed else "asked")


def _ids(request: HttpRequest, name: str) -> set[UUID]:
    found = set()
    for text in request.POST.getlist(name)[:_MOST]:
        try:
            found.add(UUID(text))
        except ValueError:
            continue
    return found
