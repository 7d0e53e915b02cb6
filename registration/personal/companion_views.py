"""Naming somebody who comes along, on the personal page: the second seat is given with it, or nothing happens."""

from __future__ import annotations

from uuid import UUID

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
from registration import private_pages, services
from registration.fields import EmailField, NameField
from registration.models import Admission, Participant, Registration
from registration.personal import views as personal_views
from registration.services import pairs

_UNPROCESSABLE = 422


class CompanionForm(field_errors.ClearErrors, forms.Form):
    """Who comes along. What for is asked by nobody."""

    name = NameField(  # the mail to an address that anybody may type must carry no advertisement
        label=gettext_lazy("Name for the badge and the door"),
        longest=120,
        help_text=gettext_lazy("It need not be the full name."),
        error_messages={"required": gettext_lazy("Enter the name under which the person comes.")},
    )
    email = EmailField(
        label=gettext_lazy("E-mail address of this person"),
        required=False,
        help_text=gettext_lazy("Without one, the mails about the second seat come to you, with its ticket."),
    )


@require_http_methods(private_pages.ALL_METHODS)
@private_pages.private
@same_origin
@private_pages.by_token
def companion(request: HttpRequest, participant: Participant, token: str, public_id: UUID) -> HttpResponse:
    """Name somebody for one registration, or come alone after all."""
    registration = Registration.objects.live().filter(participant=participant, public_id=public_id).first()
    if registration is None or not hasattr(participant, "identity_key"):
        raise Http404
    registration.admission = Admission.objects.with_meeting().get(pk=registration.admission_id)
    along, now = pairs.companion_of(registration), timezone.now()
    if request.method == "POST" and "alone" in request.POST:
        if along is not None:
            services.cancel(registration_id=along.pk, by=actors.PARTICIPANT, now=now)
        return personal_views.back(request, token, done="companion-gone")
    form = CompanionForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        wanted = pairs.Companion(form.cleaned_data["name"], form.cleaned_data["email"])
        try:
            pairs.bring(registration_id=registration.pk, companion=wanted, by=actors.PARTICIPANT, now=now)
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            return personal_views.back(request, token, done="companion")
    context = private_pages.frame(request, participant) | {
        "token": token,
        "form": form,
        "along": along,
        "registration": registration,
    }
    status = _UNPROCESSABLE if form.is_bound else 200
    return render(request, "registration/personal/companion.html", context, status=status)
