"""The page behind a speaker's link: what they are asked for, how they will be printed, and their answer.

Nobody signs in and no cookie is set. Looking changes nothing. The page reads what organisers edit, because whom they
invite is often not published yet; of the programme it shows this one contribution.
"""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from alliance import field_errors, languages
from alliance.exceptions import DomainError
from alliance.pages import LANGUAGE_NAMES, LanguageLink
from alliance.same_origin import same_origin
from events.releases import reading
from speakers import consents, invitations
from speakers.models import ContributionStatus, SpeakerInvitation, SpeakerPurpose

_CONFLICT, _UNPROCESSABLE = 409, 422
_REFUSED_KINDS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
LABELS = {
    "name": _("Name"),
    "title": _("Title or function"),
    "organisation": _("Organisation"),
    "topic": _("Title of your talk"),
    "biography": _("Short biography"),
}


class AnswerForm(field_errors.ClearErrors, forms.Form):
    """How the speaker would be printed, and what they agree to. Under a pseudonym only the latter."""

    def __init__(
        self, data: Any, *, printed: dict[str, str], proposed: dict[str, str], agreed: dict[str, bool]
    ) -> None:
        """printed: as in the programme now; proposed: what waits for the organisers; agreed: by purpose."""
        super().__init__(data)
        self.texts = list(printed)
        for name in printed:
            is_long = name == "biography"
            self.fields[name] = forms.CharField(
                label=LABELS[name],
                required=name == "name",
                max_length=invitations.FIELDS[name],
                widget=forms.Textarea(attrs={"rows": 6}) if is_long else forms.TextInput(),
                validators=[_without_tricks],
                error_messages={"required": _("Enter your name as it is to be printed.")} if name == "name" else {},
            )
            self.initial[name] = proposed.get(name, printed[name])
        self.purposes = [purpose.value for purpose in SpeakerPurpose]
        for purpose in SpeakerPurpose:
            wording = consents.WORDINGS[purpose][-1]
            self.fields[purpose.value] = forms.BooleanField(
                label=wording.sentence, help_text=wording.reason, required=False
            )
            self.initial[purpose.value] = agreed.get(purpose.value, False)

    def proposed(self) -> dict[str, str]:
        """The texts."""
        return {name: unicodedata.normalize("NFC", self.cleaned_data[name]) for name in self.texts}

    def agreed(self) -> dict[str, bool]:
        """The boxes."""
        return {name: self.cleaned_data[name] for name in self.purposes}


def _without_tricks(text: str) -> None:
    if any(unicodedata.category(letter) in _REFUSED_KINDS for letter in text if letter not in "\r\n\t"):
        raise ValidationError(_("This holds invisible or control characters. Type it by hand instead of pasting it."))


@require_http_methods(["GET", "HEAD", "POST"])
@same_origin
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """The page; POST with "accept" or "decline" answers."""
    with reading.reading_draft():
        found = invitations.find(token)
        if found is None:
            raise Http404
        wanted = request.GET.get("lang", "")
        language = wanted if wanted in languages.codes() else found.language
        with translation.override(language):
            response = _answered(request, found, token)
    response["Content-Language"] = language
    add_never_cache_headers(response)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _answered(request: HttpRequest, found: SpeakerInvitation, token: str) -> HttpResponse:
    now = timezone.now()
    form = AnswerForm(
        request.POST if "accept" in request.POST else None,
        printed=invitations.printed(found.contribution, found.language),
        proposed=invitations.proposals(found),
        agreed=consents.given(found),
    )
    if request.method != "POST":
        return _page(request, found, token, form)
    try:
        if "withdraw" in request.POST:
            if request.POST["withdraw"] not in SpeakerPurpose.values:
                raise Http404
            purpose = SpeakerPurpose(request.POST["withdraw"])
            invitations.withdraw(invitation_id=found.pk, purpose=purpose, language=str(get_language()), now=now)
        elif "decline" in request.POST:
            invitations.decline(invitation_id=found.pk, now=now)
        elif form.is_valid():
            invitations.accept(
                invitation_id=found.pk, proposed=form.proposed(), agreed=form.agreed(), language=found.language, now=now
            )
        else:
            return _page(request, found, token, form, status=_UNPROCESSABLE)
    except DomainError:  # answered in another window, or changed by an organiser, meanwhile
        again = invitations.find(token)
        if again is None:
            raise Http404 from None
        return _page(request, again, token, form, status=_CONFLICT)
    response = HttpResponseRedirect(_here(token, found, done="1"))
    response.status_code = 303
    return response


def _here(token: str, found: SpeakerInvitation, **more: str) -> str:
    current = get_language()
    query = ({"lang": str(current)} if current != found.language else {}) | more
    return reverse("speaking:invitation", args=[token]) + (f"?{urlencode(query)}" if query else "")


def _page(
    request: HttpRequest, found: SpeakerInvitation, token: str, form: AnswerForm, *, status: int = 200
) -> HttpResponse:
    contribution = found.contribution
    may_answer = invitations.may_answer(found, timezone.now())
    current = get_language()
    context = {
        "conference": contribution.session.conference,
        "contribution": contribution,
        "session": contribution.session,
        "name": contribution.name,
        "form": form,
        "texts": [form[name] for name in form.texts],
        "boxes": [form[name] for name in form.purposes],
        "may_answer": may_answer,
        "agreed": consents.standing(found),
        "has_accepted": contribution.status == ContributionStatus.CONFIRMED,
        "has_declined": contribution.status == ContributionStatus.DECLINED and found.answered_at is not None,
        "is_done": request.GET.get("done") == "1",
        "here": _here(token, found),
        "language_links": [
            LanguageLink(code, LANGUAGE_NAMES[code], f"?{urlencode({'lang': code})}", code == current)
            for code in languages.codes()
        ],
    }
    return render(request, "speakers/invitation.html", context, status=status)
