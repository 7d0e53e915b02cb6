"""Waiting lists for organisers: who stands in line, why somebody was passed over, open offers, and reserves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from alliance.admin import clock_time, row_url
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from registration import services
from registration.admin.admissions import admission_label
from registration.models import Admission, Category, Reserve
from registration.seating import lines
from registration.services import reserves as reserve_services

_SEE, _CHANGE = "registration.view_registration", "registration.change_admission"
_MINUTES = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]


class ReserveForm(forms.Form):
    """Seats kept for some categories."""

    categories = forms.MultipleChoiceField(
        label=gettext_lazy("Reserved for"), choices=Category.choices, widget=forms.CheckboxSelectMultiple
    )
    places = forms.IntegerField(label=gettext_lazy("Places"), min_value=1, max_value=1_000_000)
    returns_at = forms.DateTimeField(
        label=gettext_lazy("Returns at"),
        required=False,
        help_text=gettext_lazy("On the venue's clock. From then on everybody may have what is left. Empty: never."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=_MINUTES,
    )


def _admissions(conference: Conference) -> list[Admission]:
    found = Admission.objects.filter(conference=conference).select_related("session", "conference", "places")
    return list(found.in_form_order())


def waiting_lists(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All admissions of a conference with how many wait, and what is kept for some."""
    rows = [
        {
            "label": admission_label(one),
            "places": one.places,
            "url": pages.url("waiting-list", conference, admission=one.public_id),
        }
        for one in _admissions(conference)
    ]
    context = pages.context(request, conference, "waiting-lists", _("Waiting lists")) | {"rows": rows}
    return TemplateResponse(request, "admin/registration/waiting_lists.html", context)


def _found(conference: Conference, public_id: UUID) -> Admission:
    for admission in _admissions(conference):
        if admission.public_id == public_id:
            return admission
    raise Http404


def waiting_list(request: HttpRequest, conference: Conference, admission: UUID) -> HttpResponse:
    """One line, in order, with the reason for each skip; offers that are open; reserves."""
    row = _found(conference, admission)
    line = lines.read(row, now=timezone.now())
    may_change = request.user.has_perm(_CHANGE, conference)
    context = pages.context(request, conference, "waiting-list", admission_label(row)) | {
        "line": line,
        "may_change": may_change,
        "back": pages.url("waiting-lists", conference),
        "offers": [
            {
                "name": offer.registration.participant.display_name,
                "url": row_url(offer.registration),
                "until": clock_time(offer.registration.offer_expires_at, conference.zone),
                "in_the_way": [admission_label(seat.admission) for seat in offer.in_the_way],
            }
            for offer in line.offers
        ],
        "waiting": [
            {
                "rank": one.rank,
                "name": one.registration.participant.display_name,
                "url": row_url(one.registration),
                "category": one.registration.participant.get_category_display(),
                "since": clock_time(one.registration.created_at, conference.zone),
                "why": one.why,
            }
            for one in line.waiting
        ],
        "reserves": [_shown(reserve, conference) for reserve in line.reserves],
        "reserve_url": pages.url("reserves", conference, admission=row.public_id),
    }
    return TemplateResponse(request, "admin/registration/waiting_list.html", context)


def _shown(reserve: Reserve, conference: Conference) -> dict[str, Any]:
    return {
        "row": reserve,
        "returns_at": clock_time(reserve.returns_at, conference.zone) if reserve.returns_at is not None else "",
        "released_at": clock_time(reserve.released_at, conference.zone) if reserve.released_at is not None else "",
    }


def reserves(request: HttpRequest, conference: Conference, admission: UUID) -> HttpResponse:
    """Set up, change or remove a reserve of an admission. ?reserve= names the one to change."""
    row = _found(conference, admission)
    back = pages.url("waiting-list", conference, admission=row.public_id)
    reserve = _chosen(request, row)
    values = (
        None
        if reserve is None
        else {"categories": reserve.categories, "places": reserve.places, "returns_at": reserve.returns_at}
    )
    form = ReserveForm(request.POST if request.method == "POST" else None, initial=values)
    if request.method == "POST" and request.POST.get("action") == "remove" and reserve is not None:
        services.remove_reserve(reserve_id=reserve.pk, by=actor(request), now=timezone.now())
        messages.success(request, _("The places of the reserve have gone back to everybody."))
        return HttpResponseRedirect(back)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_reserve(
                admission_id=row.pk,
                reserve_id=None if reserve is None else reserve.pk,
                by=actor(request),
                now=timezone.now(),
                seen=request.POST.get("seen"),
                **form.cleaned_data,
            )
        except reserve_services.ReserveChanged as error:
            messages.error(request, str(error.message))
            return HttpResponseRedirect(request.get_full_path())
        except DomainError as error:
            form.add_error(None, str(error.message))
        else:
            messages.success(request, _("The reserve is saved, and the waiting list has moved."))
            return HttpResponseRedirect(back)
    context = pages.context(request, conference, "reserves", admission_label(row)) | {
        "form": form,
        "reserve": reserve,
        "seen": reserve_services.as_seen(reserve) if reserve is not None else "",
        "back": back,
        "here": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/registration/reserve.html", context)


def _chosen(request: HttpRequest, admission: Admission) -> Reserve | None:
    value = request.GET.get("reserve", "")
    if not value:
        return None
    try:
        return Reserve.objects.holding().get(admission=admission, public_id=UUID(value))
    except (ValueError, Reserve.DoesNotExist) as error:
        raise Http404 from error


pages.register(
    "waiting-lists",
    waiting_lists,
    permission=_SEE,
    label=gettext_lazy("Waiting lists"),
    order=20,
    group=pages.Group.REGISTRATION,
)
pages.register(
    "waiting-list", waiting_list, permission=_SEE, route="waiting-lists/<uuid:admission>/", of="waiting-lists"
)
pages.register(
    "reserves", reserves, permission=_CHANGE, route="waiting-lists/<uuid:admission>/reserve/", of="waiting-lists"
)
