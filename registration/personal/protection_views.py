"""Asking for protection on the personal page, in plain words. It counts at once; nobody is asked why."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import actors
from alliance import field_errors
from alliance.exceptions import DomainError
from alliance.same_origin import same_origin
from registration import private_pages
from registration.fields import NameField
from registration.models import Participant, ProtectedParticipant
from registration.personal import views as personal_views
from registration.services import own_corrections, protection

_UNPROCESSABLE = 422


class ProtectionForm(field_errors.ClearErrors, forms.Form):
    """What somebody asks for. The words say what follows, and nothing about why."""

    alias = NameField(
        label=gettext_lazy("Show me under another name"),
        longest=120,
        required=False,
        help_text=gettext_lazy("Everybody sees this name only: lists, badge, video meeting. It may be made up."),
    )
    hides_country = forms.BooleanField(label=gettext_lazy("Show my country nowhere"), required=False)
    hides_organisation = forms.BooleanField(
        label=gettext_lazy("Show my organisation and function nowhere"), required=False
    )
    no_photo = forms.BooleanField(label=gettext_lazy("I do not want to be photographed"), required=False)
    no_recording = forms.BooleanField(
        label=gettext_lazy("I do not want to be recorded"),
        required=False,
        help_text=gettext_lazy("Where you have a place on-line, our meetings are made with recording off."),
    )

    def wanted(self, seen: frozenset[str] | None) -> protection.Wanted:
        """Of a valid form. seen: what was ticked when it was opened."""
        return protection.Wanted(**self.cleaned_data, seen=seen)


def withheld(participant: Participant) -> list[str]:
    """The fields of other forms that a protected person does not fill in. One query."""
    found = protection.of(participant)
    if found is None:
        return []
    return [
        *(["country"] if found.hides_country else []),
        *(["organisation", "function"] if found.hides_organisation else []),
    ]


def _initial(participant: Participant, found: ProtectedParticipant | None) -> dict[str, Any]:
    ticked = protection.flags(found)
    return {
        "alias": participant.display_name if participant.has_alias else "",
        **{name: name in ticked for name in protection.FLAGS},
    }


def _seen(request: HttpRequest) -> frozenset[str] | None:
    """What was ticked when the form was opened; None where it does not say."""
    sent = request.POST.get("seen")
    return None if sent is None else frozenset(sent.split())


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.by_token
def protection_page(request: HttpRequest, participant: Participant, token: str) -> HttpResponse:
    """Ask for protection, change it, or end it."""
    if not hasattr(participant, "identity_key"):
        raise Http404
    found, now = protection.of(participant), timezone.now()
    notice, status = "", 200
    form = ProtectionForm(request.POST if "save" in request.POST else None, initial=_initial(participant, found))
    try:
        if request.method == "POST" and "end" in request.POST:
            protection.lift(participant_id=participant.pk, by=actors.PARTICIPANT, now=now, seen=_seen(request))
            return personal_views.back(request, token, done="corrected")
        if form.is_bound and form.is_valid():
            wanted = form.wanted(_seen(request))
            protection.protect(participant_id=participant.pk, wanted=wanted, by=actors.PARTICIPANT, now=now)
            return personal_views.back(request, token, done="protected")
    except protection.Erased as error:
        raise Http404 from error
    except protection.ProtectionChanged as error:
        # The form as it stands now, but for the name that was typed; nothing of it is saved yet.
        found, status = protection.of(participant), _UNPROCESSABLE
        participant.refresh_from_db(fields=["display_name", "has_alias"])
        typed = {"alias": request.POST["alias"]} if "alias" in request.POST else {}
        form = ProtectionForm(initial=_initial(participant, found) | typed)
        notice = str(error.message)
    except protection.AliasMissing as error:
        form.add_error("alias", str(error.message))
    except DomainError as error:
        form.add_error(None, str(error.message))
    context = private_pages.frame(request, participant) | {
        "token": token,
        "form": form,
        "notice": notice,
        "seen": " ".join(sorted(protection.flags(found))),
        "is_protected": found is not None,
        "is_member": own_corrections.is_member(participant),
    }
    status = _UNPROCESSABLE if form.is_bound else status
    return render(request, "registration/personal/protection.html", context, status=status)
