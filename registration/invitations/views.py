"""The page behind the link of an invitation: what it is, declining, and the form that accepts. Nobody signs in.

Whoever holds the link sees who was invited, as with every personal link; after the answer it shows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from alliance import crypto, field_errors, languages
from alliance.exceptions import DomainError
from alliance.pages import LANGUAGE_NAMES, LanguageLink
from alliance.same_origin import same_origin
from registration import private_pages, selectors, services, views
from registration.fields import EmailField, LinesField
from registration.forms import RegistrationForm, is_valid_token, new_token
from registration.invitations import mails as invitation_mails
from registration.models import Admission, Invitation, InvitationState, QuestionKind
from registration.models.participant import Identity
from registration.questions import uploads
from registration.selectors import Offers
from registration.services import invitations, invited

View = Callable[..., HttpResponse]
_CONFLICT, _UNPROCESSABLE = 409, 422


class DeclineForm(field_errors.ClearErrors, forms.Form):
    """A word to the organisers, if somebody wants to send one."""

    word = LinesField(
        label=gettext_lazy("A word to the organisers"),
        longest=500,
        required=False,
        help_text=gettext_lazy("Nobody asks for reasons. What you write is kept encrypted and read by the organisers."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class InvitedForm(RegistrationForm):
    """The registration form for somebody invited: the address is that of the invitation, and what it names is on offer.

    Besides these there is what everybody may choose.
    """

    def __init__(
        self,
        data: Any = None,
        *,
        offered: Offers,
        now: datetime,
        named: frozenset[int],
        identity: Identity,
        files: Any = None,
    ) -> None:
        """named: keys of the admissions of the invitation. identity: whom it was sent to."""
        super().__init__(data, offered=offered, now=now, named=named, files=files)
        self.named = named
        self.fields["email"] = EmailField(
            label=gettext_lazy("E-mail address"),
            help_text=gettext_lazy("The invitation went there. If you need another address, write to the organisers."),
            disabled=True,
        )
        self.initial["email"] = identity.email
        self.initial["given_name"] = identity.given_name
        self.initial["family_name"] = identity.family_name
        for thing, ways in self.things:
            chosen = [way for way in ways if way.pk in named]
            if chosen:
                self.initial[thing.name] = str(chosen[0].public_id)

    def clean(self) -> dict[str, Any]:
        """Something that the person was invited to must be chosen: the rest alone needs no invitation."""
        data = super().clean()
        if not self.errors and not any(admission.pk in self.named for admission in self.admissions()):
            names = [thing.name for thing, ways in self.things if any(way.pk in self.named for way in ways)]
            self.add_error(names[0] if names else None, _("Choose at least one of the things you are invited to."))
        return data


def _by_token(view: View) -> View:
    """Give the view the invitation whose token is in the address, in the language of the invited person."""

    @wraps(view)
    def found(request: HttpRequest, token: str) -> HttpResponse:
        invitation = invitations.find(token)
        if invitation is None:
            raise Http404
        wanted = request.GET.get("lang", "")
        language = wanted if wanted in languages.codes() else invitation.language
        with translation.override(language):
            offered = selectors.offers(invitation.conference.slug)
            if offered is None:
                raise Http404
            response = view(request, invitation, offered, token)
        response["Content-Language"] = language
        return response

    return found


def _context(invitation: Invitation, offered: Offers, token: str) -> dict[str, Any]:
    """What the pages share. Nothing of the person, unless the invitation can be answered."""
    current = get_language()
    query = f"?{urlencode({'lang': current})}" if current != invitation.language else ""
    return {
        "conference": offered.conference,
        "language_links": [
            LanguageLink(code, LANGUAGE_NAMES[code], f"?{urlencode({'lang': code})}", code == current)
            for code in languages.codes()
        ],
        "query": query,
        "here": reverse("registration:invitation", args=[token]) + query,
        "accept_url": reverse("registration:invitation-accept", args=[token]) + query,
        "resend_url": reverse("registration:resend", args=[offered.conference.slug]),
        "standing": invitation.standing(timezone.now()),
    }


def _identity(invitation: Invitation, now: datetime) -> Identity | None:
    """Whom it was sent to, while it can be answered."""
    if not invitation.may_answer(now):
        return None
    try:
        return invitation.open_identity()
    except crypto.Unreadable:  # forgotten
        return None


def _named(invitation: Invitation, offered: Offers) -> list[Admission]:
    """What the invitation names, of all that is on offer, in the order of the form."""
    keys = invited.admissions_of(invitation)
    return [admission for thing in offered.things for admission in thing.admissions if admission.pk in keys]


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@_by_token
def invitation(request: HttpRequest, invitation: Invitation, offered: Offers, token: str) -> HttpResponse:
    """What somebody is invited to, and the ways to answer. Looking changes nothing."""
    form = DeclineForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, invitation, offered, token, form)
    if not form.is_valid():
        return _page(request, invitation, offered, token, form, status=_UNPROCESSABLE)
    try:
        invitations.decline(invitation_id=invitation.pk, word=form.cleaned_data["word"], now=timezone.now())
    except DomainError:
        invitation.refresh_from_db()
        return _page(request, invitation, offered, token, form, status=_CONFLICT)
    here = _context(invitation, offered, token)["here"]
    return private_pages.SeeOther(f"{here}{'&' if '?' in here else '?'}done=declined")


def _page(
    request: HttpRequest, invitation: Invitation, offered: Offers, token: str, form: DeclineForm, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    identity = _identity(invitation, now)
    context = _context(invitation, offered, token) | {
        "is_done": request.GET.get("done") == "declined",
        "form": form,
    }
    if identity is not None:
        named = _named(invitation, offered)
        context |= {
            "name": identity.full_name,
            "named": named,
            "is_open": any(admission.is_open_to_invited(now) for admission in named),
            "has_declined": invitation.state == InvitationState.DECLINED,
            "until": invitation_mails.deadline(invitation, offered.conference),
        }
    return render(request, "registration/invitation.html", context, status=status)


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.in_even_time
@_by_token
def accept(request: HttpRequest, invitation: Invitation, offered: Offers, token: str) -> HttpResponse:
    """The registration form with what is known filled in; sending it accepts."""
    now = timezone.now()
    if request.method == "POST":
        uploads.accept(request, names=[one.name for one in offered.questions if one.kind == QuestionKind.FILE])
    identity = _identity(invitation, now)
    named = frozenset(admission.pk for admission in _named(invitation, offered))
    is_open = identity is not None and any(one.is_open_to_invited(now) for one in _named(invitation, offered))
    if identity is None or not is_open:
        if request.method == "POST" and _was_sent(request):  # the same form again: the same answer
            return _received(offered, request.POST["token"])
        return _page(request, invitation, offered, token, DeclineForm(), status=_CONFLICT)
    more = _context(invitation, offered, token)
    template = "registration/invitation_form.html"
    if request.method != "POST":
        form = InvitedForm(offered=offered, now=now, named=named, identity=identity)
        return views.form_page(request, form, token=new_token(), template=template, more=more)
    form = InvitedForm(request.POST, files=request.FILES, offered=offered, now=now, named=named, identity=identity)
    if not form.is_valid():
        return views.form_page(request, form, token=None, template=template, more=more)
    form_token: str = form.cleaned_data["token"]
    try:
        views.register_once(offered, form, form_token, now=now, invitation=invitation)
    except (invited.AlreadyAnswered, invited.NotLive):  # answered in another window meanwhile
        invitation.refresh_from_db()
        return _page(request, invitation, offered, token, DeclineForm(), status=_CONFLICT)
    except services.FormSentBefore as error:
        form.add_error(None, str(error.message))
        form_token = new_token()
    except DomainError as error:
        form.add_error(None, str(error.message))
    else:
        if form.uploads:
            services.answers.release_kept(form_token=form_token, now=now)
        return _received(offered, form_token)
    return views.form_page(request, form, token=form_token, template=template, more=more)


def _was_sent(request: HttpRequest) -> bool:
    sent = request.POST.get("token", "")
    return is_valid_token(sent) and services.find_answer(form_token=sent) is not None


def _received(offered: Offers, form_token: str) -> HttpResponse:
    return private_pages.SeeOther(reverse("registration:received", args=[offered.conference.slug, form_token]))
