"""Consents for organisers: which ones a conference asks for, how many agree, what must be taken down; and paper."""

from __future__ import annotations

from functools import cache
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from alliance.admin import clock_time, row_url
from alliance.exceptions import DomainError
from events.admin import pages
from events.admin.long_work import now_or_later
from events.models import Conference
from registration import consent_places, consent_wordings
from registration.admin import seen
from registration.exports import papers
from registration.models import Consent, ConsentSource, Participant, Purpose
from registration.services import consents
from speakers import consents as speaker_consents

_SEE, _TICK, _ASK = "registration.view_takedown", "registration.change_takedown", "registration.change_consentsetting"
_PERSON = "registration.change_participant"
_MOST_DONE = 50  # of those that are done, the newest


def consents_page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """What is asked for and how many agree; who took back what, and whether it is taken down."""
    asked = set(consents.asked(conference))
    counts = consents.agreed(conference, now=timezone.now())
    work = consents.take_downs(conference)
    rows = [*work.filter(done_at__isnull=True), *work.filter(done_at__isnull=False)[:_MOST_DONE]]
    of_speakers = speaker_consents.take_downs(conference.pk)[:_MOST_DONE]

    @cache
    def places_of(purpose: str) -> list[consent_places.Place]:
        return consent_places.of(conference, Purpose(purpose))

    context = pages.context(request, conference, "consents", _("Consents")) | {
        "purposes": [
            {
                "code": purpose.value,
                "label": purpose.label,
                "sentence": consent_wordings.current(purpose).sentence,
                "is_asked": purpose in asked,
                "number": counts[purpose],
            }
            for purpose in Purpose
        ],
        "may_ask": request.user.has_perm(_ASK, conference),
        "may_tick": request.user.has_perm(_TICK, conference),
        "seen": _as_seen(conference),
        "ask_url": pages.url("consents-ask", conference),
        "tick_url": pages.url("consents-done", conference),
        "work": [
            {
                "id": row.public_id,
                "name": row.participant.display_name,
                "purpose": row.get_purpose_display(),
                "places": places_of(row.purpose) if row.done_at is None else [],
                "asked_at": clock_time(row.asked_at, conference.zone),
                "done_at": clock_time(row.done_at, conference.zone) if row.done_at is not None else "",
                "done_by": row.done_by.name if row.done_by is not None else "",
            }
            for row in rows
        ]
        + [
            {
                "id": row.public_id,
                "name": row.invitation.contribution.name,
                "purpose": row.get_purpose_display(),
                "places": places_of(row.purpose) if row.done_at is None else [],
                "asked_at": clock_time(row.asked_at, conference.zone),
                "done_at": clock_time(row.done_at, conference.zone) if row.done_at is not None else "",
                "done_by": row.done_by.name if row.done_by is not None else "",
            }
            for row in of_speakers
        ],
    }
    return TemplateResponse(request, "admin/registration/consents.html", context)


def _as_seen(conference: Conference) -> str:
    return seen.stamp(sorted(str(purpose) for purpose in consents.asked(conference)))


def ask(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Say which consents the conference asks for."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    wanted = [purpose for purpose in request.POST.getlist("purpose") if purpose in Purpose.values]
    if seen.is_stale(request, _as_seen(conference)):
        messages.error(request, str(seen.CHANGED))
    elif consents.ask_for(conference=conference, purposes=wanted, by=actor(request), now=timezone.now()):
        messages.success(request, _("The form asks for these consents from now on."))
    return HttpResponseRedirect(pages.url("consents", conference))


def done(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Tick off that something is taken down."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    try:
        public_id = UUID(request.POST.get("take_down", ""))
    except ValueError:
        return HttpResponseRedirect(pages.url("consents", conference))
    about: dict[str, Any] = {"public_id": public_id, "by": actor(request), "now": timezone.now()}
    if consents.tick_off(conference=conference, **about) or speaker_consents.tick_off(
        conference_id=conference.pk, **about
    ):
        messages.success(request, _("Noted: it is taken down."))
    return HttpResponseRedirect(pages.url("consents", conference))


def of_person(request: HttpRequest, conference: Conference, participant: UUID) -> HttpResponse:
    """What one person agrees to, and noting what they have signed, or taken back, on paper."""
    person = (
        Participant.objects.filter(public_id=participant, conference=conference, identity_key__isnull=False)
        .select_related("membership", "conference__consent_setting")
        .defer("sealed_identity", "accessibility_needs")
        .first()
    )
    if person is None:
        raise Http404
    if request.method == "POST":
        _note_paper(request, person)
        return HttpResponseRedirect(pages.url("consents-person", conference, participant=participant))
    context = pages.context(request, conference, "consents-person", _("Consents on paper")) | {
        "person": person,
        "back_url": row_url(person),
        "proof_url": pages.url("consents-proof", conference, participant=participant),
        "consents": consents.own(person, now=timezone.now()),
    }
    return TemplateResponse(request, "admin/registration/consents_person.html", context)


def proof(request: HttpRequest, conference: Conference, participant: UUID) -> HttpResponse:
    """The ledger of one person as PDF: what was agreed to in which words, where and when, and what was taken down."""
    person = Participant.objects.filter(
        public_id=participant, conference=conference, identity_key__isnull=False
    ).first()
    if person is None:
        raise Http404
    back = pages.url("consents-person", conference, participant=participant)
    is_large = Consent.objects.filter(participant=person).count() > papers.LARGE_LEDGER
    try:
        order = {"participant": person.pk}
        return now_or_later(request, papers.CONSENTS, conference, order, is_large=is_large, back=back)
    except DomainError as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(back)


def _note_paper(request: HttpRequest, person: Participant) -> None:
    purpose, answer = request.POST.get("purpose", ""), request.POST.get("answer", "")
    if purpose not in Purpose.values or answer not in {"give", "withdraw"}:
        raise Http404
    change = consents.give if answer == "give" else consents.withdraw
    try:
        change(
            participant_id=person.pk,
            purpose=Purpose(purpose),
            language=person.language,
            source=ConsentSource.PAPER,
            by=actor(request),
            now=timezone.now(),
        )
    except consents.NotAsked as error:
        messages.error(request, str(error.message))
    else:
        messages.success(request, _("Noted."))


pages.register(
    "consents", consents_page, permission=_SEE, label=gettext_lazy("Consents"), order=30, group=pages.Group.SAFETY
)
pages.register("consents-ask", ask, permission=_ASK, route="consents/ask/", of="consents")
pages.register("consents-done", done, permission=_TICK, route="consents/done/", of="consents")
pages.register(
    "consents-person", of_person, permission=_PERSON, route="consents/people/<uuid:participant>/", of="consents"
)
pages.register(
    "consents-proof", proof, permission=_PERSON, route="consents/people/<uuid:participant>/proof.pdf", of="consents"
)
