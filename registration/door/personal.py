"""For participants: the ticket to print, the certificate of attendance, and the page that confirms a certificate."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from alliance import errors, field_errors, languages
from alliance.pages import LANGUAGE_NAMES, LanguageLink
from alliance.same_origin import same_origin
from events.documents import DocumentFailed, TooBusy
from registration import private_pages, selectors
from registration.door import certificates, tickets
from registration.models import Certificate, Participant

_METHODS = ["GET", "HEAD", "POST"]


@require_safe
@private_pages.private
@private_pages.by_token
def ticket(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """The code for the door on a page of its own, to print or to keep as a picture."""
    now = timezone.now()
    shown = tickets.of(participant, selectors.own_choices(participant, now=now), now=now)
    if shown.picture is None:
        raise Http404
    context = private_pages.frame(request, participant) | {"token": token, "ticket": shown}
    return render(request, "registration/door/ticket.html", context)


@require_safe
@private_pages.private
@private_pages.by_token
def certificate(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """The certificate of attendance, once the conference is over."""
    now = timezone.now()
    if not certificates.is_due(participant, now=now):
        raise Http404
    try:
        content = certificates.as_pdf(participant, language=get_language() or "en", now=now)
    except (DocumentFailed, TooBusy):
        return errors.unavailable(request)
    name = f"certificate-{participant.conference.slug}.pdf"
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class NameForm(field_errors.ClearErrors, forms.Form):
    """The name that stands on the certificate somebody was shown."""

    name = forms.CharField(
        label=gettext_lazy("Name on the certificate"),
        max_length=200,
        error_messages={"required": gettext_lazy("Enter the name that stands on the certificate.")},
    )


@require_http_methods(_METHODS)
@private_pages.private
@same_origin
def verify(request: HttpRequest, code: str) -> HttpResponse:
    """Whether a certificate is good, for whoever was shown it. The page never says a name; it only compares one."""
    found = certificates.confirm(code)
    if found is None:
        raise Http404
    wanted = request.GET.get("lang", "")
    language = wanted if wanted in languages.codes() else get_language() or "en"
    with translation.override(language):
        form = NameForm(request.POST if request.method == "POST" else None)
        context: dict[str, Any] = {
            "conference": found.conference,
            "sessions": found.sessions,
            "code": certificates.shown(Certificate.code_of(found.participant)),
            "form": form,
            "language_links": [
                LanguageLink(code, LANGUAGE_NAMES[code], f"?lang={code}", code == language)
                for code in languages.codes()
            ],
        }
        if form.is_bound and form.is_valid():
            context["is_the_name"] = found.is_for(form.cleaned_data["name"])
        response = render(request, "registration/door/verify.html", context)
    response["Content-Language"] = language
    return response
