"""One's own data on the personal page: correct it, agree and take back, take it away, erase it. Nobody signs in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language, ngettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import actors
from alliance import dates, languages
from alliance.exceptions import DomainError
from alliance.pages import LANGUAGE_NAMES, LanguageLink
from alliance.same_origin import same_origin
from registration import private_pages, selectors, services
from registration.models import Participant, Purpose, QuestionKind
from registration.personal import forms as personal_forms
from registration.personal import protection_views
from registration.personal import views as personal_views
from registration.questions import answers, uploads
from registration.services import addresses, consents, own_corrections, own_data, proofs

_UNPROCESSABLE = 422


def _page(request: HttpRequest, participant: Participant, token: str, **more: Any) -> dict[str, Any]:
    return private_pages.frame(request, participant) | {"token": token} | more


# --- correcting -------------------------------------------------------------------------------------------------------


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.by_token
def correct(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Correct what was told before, and the answers to the organisers' questions."""
    now = timezone.now()
    try:
        own = own_corrections.own_data(participant)
    except own_corrections.Erased as error:
        raise Http404 from error
    own_answers = answers.own(participant, now=now)
    named = [one.question.name for one in own_answers if one.is_open and one.question.kind == QuestionKind.FILE]
    is_sent = request.method == "POST"
    if is_sent and named:
        uploads.accept(request, names=named)
    form = personal_forms.CorrectionForm(
        request.POST if is_sent else None,
        files=request.FILES if is_sent else None,
        own=own,
        own_answers=own_answers,
        sessions=answers.sessions_of(participant),
        offered=selectors.offers(participant.conference.slug),
        is_member=own_corrections.is_member(participant),
    )
    for name in protection_views.withheld(participant):
        form.fields.pop(name, None)
    if is_sent and form.is_valid():
        try:
            own_corrections.correct(participant_id=participant.pk, wanted=form.wanted(), now=now)
        except own_corrections.Erased as error:  # while we looked
            raise Http404 from error
        services.answers.change(
            participant_id=participant.pk,
            given=form.given,
            files_that_stay=form.files_that_stay,
            by=actors.PARTICIPANT,
            now=now,
        )
        return personal_views.back(request, token, done="corrected")
    context = _page(request, participant, token, form=form, own=own)
    status = _UNPROCESSABLE if form.is_bound else 200
    return render(request, "registration/personal/correct.html", context, status=status)


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.by_token
def address(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Ask for another address, or take that back. The answer is the same for every address asked for."""
    now = timezone.now()
    form = personal_forms.AddressForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and "stop" in request.POST:
        _stop(participant)
        return personal_views.back(request, token, done="address-stopped")
    if request.method == "POST" and form.is_valid():
        try:
            addresses.ask(participant_id=participant.pk, address=form.cleaned_data["email"], now=now)
        except DomainError as error:
            form.add_error("email", str(error.message))
        else:
            return personal_views.back(request, token, done="address")
    context = _page(
        request,
        participant,
        token,
        form=form,
        pending=addresses.pending(participant, now=now),
        is_member=own_corrections.is_member(participant),
    )
    status = _UNPROCESSABLE if form.is_bound else 200
    return render(request, "registration/personal/address.html", context, status=status)


def _stop(participant: Participant) -> None:
    try:
        addresses.stop(participant_id=participant.pk, now=timezone.now())
    except own_corrections.Erased as error:
        raise Http404 from error


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
def address_confirm(request: HttpRequest, token: str) -> HttpResponse:
    """The link in the mail to a new address. Looking changes nothing; the button makes the address count."""
    change = addresses.find(token, now=timezone.now())
    if change is None:
        raise Http404
    participant = change.participant
    language = private_pages.language_of(request, participant)
    with translation.override(language):
        context: dict[str, Any] = private_pages.frame(request, participant) | {"problem": ""}
        status = 200
        if request.method == "POST":
            try:
                changed = addresses.confirm(token=token, now=timezone.now())
            except addresses.AddressTaken as error:
                context |= {"problem": str(error.message), "resend_url": _resend_url(participant)}
                status = _UNPROCESSABLE
            else:
                if changed is None:
                    raise Http404
                return personal_views.back(request, changed.personal_token, done="address-changed")
        response = render(request, "registration/personal/address_confirm.html", context, status=status)
    response["Content-Language"] = language
    return response


def _resend_url(participant: Participant) -> str:
    return reverse("registration:resend", args=[participant.conference.slug])


# --- consents ---------------------------------------------------------------------------------------------------------


@require_POST
@private_pages.private
@same_origin
@private_pages.by_token
def consent(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Agree to one purpose, or take it back, by one click."""
    purpose = request.POST.get("purpose", "")
    if purpose not in Purpose.values:
        raise Http404
    change = consents.give if request.POST.get("answer") == "give" else consents.withdraw
    try:
        change(
            participant_id=participant.pk,
            purpose=Purpose(purpose),
            language=get_language() or "en",
            now=timezone.now(),
        )
    except consents.NotAsked:
        return personal_views.back(request, token, done="not-asked")
    return personal_views.back(request, token, done="consent", place="consents")


# --- taking away ------------------------------------------------------------------------------------------------------


@require_safe
@private_pages.private
@private_pages.by_token
def data(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Everything that is kept of the person, to read and to print."""
    if not own_data.is_readable(participant):
        raise Http404
    now = timezone.now()
    context = _page(request, participant, token, sections=own_data.collect(participant, now=now), made_at=now)
    with timezone.override(participant.conference.zone):
        return render(request, "registration/personal/data.html", context)


@require_safe
@private_pages.private
@private_pages.by_token
def data_file(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """The same as a file for programs."""
    if not own_data.is_readable(participant):
        raise Http404
    now = timezone.now()
    sections = own_data.collect(participant, now=now)
    content = own_data.as_data(sections, conference=str(participant.conference.title), now=now)
    return HttpResponse(
        json.dumps(content, ensure_ascii=False, indent=1),
        content_type="application/json",
        headers={"Content-Disposition": 'attachment; filename="my-data.json"', "X-Content-Type-Options": "nosniff"},
    )


# --- erasing ----------------------------------------------------------------------------------------------------------


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
def delete(request: HttpRequest, token: str) -> HttpResponse:
    """Say what goes and what stays, and erase the person by a second button.

    A link that is dead already is answered like one that dies now: pressing twice ends at the same page.
    """
    participant = services.find_personal(token)
    if request.method == "POST":
        if participant is not None:
            try:
                own_data.erase(participant, now=timezone.now(), receipt=proofs.code_of(token))
            except Participant.DoesNotExist as error:  # merged into another row, which has a link of its own
                raise Http404 from error
        language = (
            private_pages.language_of(request, participant) if participant is not None else request.GET.get("lang", "")
        )
        query = {"lang": language} if language in languages.codes() else {}
        code = proofs.code_of(token)
        if proofs.receipt(code) is not None:
            query["proof"] = proofs.shown(code)
        return private_pages.SeeOther(reverse("registration:deleted") + (f"?{urlencode(query)}" if query else ""))
    if participant is None:
        raise Http404
    language = private_pages.language_of(request, participant)
    with translation.override(language):
        context = _page(request, participant, token, figures=own_data.figures(participant, now=timezone.now()))
        response = render(request, "registration/personal/delete.html", context)
    response["Content-Language"] = language
    return response


@require_safe
@private_pages.private
def deleted(request: HttpRequest) -> HttpResponse:
    """Nothing is kept any more. The same page for everybody; with the code of a proof, what was deleted and when."""
    wanted = request.GET.get("lang", "")
    language = wanted if wanted in languages.codes() else get_language() or "en"
    with translation.override(language):
        context = _proof(request.GET.get("proof", ""))
        kept = {"proof": context["proof"]} if context else {}
        context["language_links"] = [
            LanguageLink(code, LANGUAGE_NAMES[code], f"?{urlencode({'lang': code} | kept)}", code == language)
            for code in languages.codes()
        ]
        response = render(request, "registration/personal/deleted.html", context)
    response["Content-Language"] = language
    return response


def _proof(code: str) -> dict[str, Any]:
    """What a code proves, in the active language; nothing for one that was never given."""
    found = proofs.receipt(code) if code else None
    if found is None:
        return {}
    words = {
        "people": ngettext_lazy("%(number)s person", "%(number)s persons", "number"),
        "registrations": ngettext_lazy("%(number)s registration", "%(number)s registrations", "number"),
        "answers": ngettext_lazy("%(number)s answer", "%(number)s answers", "number"),
        "consents": ngettext_lazy("%(number)s line about consents", "%(number)s lines about consents", "number"),
        "check_ins": ngettext_lazy("%(number)s check-in", "%(number)s check-ins", "number"),
    }
    return {
        "proof": code,
        "proof_day": dates.day(found.on_day, with_weekday=False),
        "proof_counts": [words[kind] % {"number": number} for kind, number in found.counts.items() if kind in words],
    }
