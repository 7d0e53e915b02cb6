"""People who may be in a conference twice, for organisers: groups with the reason, and merging two with a preview."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from alliance.admin import as_uuid, clock_time, row_url
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from registration import duplicates
from registration.admin.admissions import admission_label
from registration.models import Participant
from registration.services import merging

PERMISSION = "registration.merge_participant"


def index(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Groups of people who look alike. Two of a group are compared, or said to be different people."""
    here = pages.url("duplicates", conference)
    if request.method == "POST":
        pair = [_person(conference, as_uuid(request.POST.get(name, ""))) for name in ("stays", "goes")]
        if None in pair or pair[0] == pair[1]:
            messages.warning(request, _("Choose one who stays and another who goes."))
            return HttpResponseRedirect(here)
        stays, goes = [one for one in pair if one is not None]
        if "compare" in request.POST:
            return HttpResponseRedirect(pages.url("duplicate", conference, stays=stays.public_id, goes=goes.public_id))
        merging.tell_apart(
            conference=conference, first_id=stays.pk, second_id=goes.pk, by=actor(request), now=timezone.now()
        )
        messages.success(request, _("Noted: these are two people."))
        return HttpResponseRedirect(here)
    context = pages.context(request, conference, "duplicates", _("Duplicates")) | {
        "groups": [
            {
                "people": [_shown(person, conference) for person in group.people],
                "reasons": [reason.label for reason in group.reasons],
            }
            for group in duplicates.groups(conference)
        ],
    }
    return TemplateResponse(request, "admin/registration/duplicates.html", context)


def _person(conference: Conference, public_id: UUID | None) -> Participant | None:
    """Somebody who may be compared at all. Nobody else is here, whatever address is asked."""
    return duplicates.comparable(conference).filter(public_id=public_id).first() if public_id is not None else None


def _shown(person: Participant, conference: Conference) -> dict[str, Any]:
    return {
        "person": person,
        "url": row_url(person),
        "since": clock_time(person.created_at, conference.zone),
        "live": person.live,  # type: ignore[attr-defined]  # annotated by the finder
    }


def _value(person: Participant, name: str) -> str:
    match name:
        case "category":
            return person.get_category_display()
        case "language":
            return person.get_language_display()
        case "organisation":
            return person.organisation_text or (str(person.organisation.name) if person.organisation else "")
        case "country":
            return str(person.country.name) if person.country else ""
        case _:
            return str(getattr(person, name))


def page(request: HttpRequest, conference: Conference, stays: UUID, goes: UUID) -> HttpResponse:
    """What merging two would do, and doing it."""
    survivor, other = _person(conference, stays), _person(conference, goes)
    if survivor is None or other is None:
        raise Http404
    try:
        if request.method == "POST":
            merged = merging.merge(
                stays_id=survivor.pk,
                goes_id=other.pk,
                seen=request.POST.get("seen", ""),
                from_other={name for name in merging.FIELDS if request.POST.get(name) == "goes"},
                by=actor(request),
                now=timezone.now(),
            )
            messages.success(request, _("The two are one now. The person gets a mail."))
            return HttpResponseRedirect(row_url(merged))
        planned = merging.plan(stays_id=survivor.pk, goes_id=other.pk)
    except merging.PlanChanged as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(request.path)
    except DomainError as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(pages.url("duplicates", conference))
    labels = {
        "category": _("Category"),
        "country": _("Country"),
        "organisation": _("Organisation"),
        "function": _("Function"),
        "language": _("Language"),
        "interpretation_language": _("Interpretation"),
    }
    context = pages.context(request, conference, "duplicate", _("Merge two rows of one person")) | {
        "plan": planned,
        "fields": [
            {
                "name": name,
                "label": labels[name],
                "stays": _value(planned.stays, name) or "–",
                "goes": _value(planned.goes, name) or "–",
                "takes_other": not _value(planned.stays, name),
            }
            for name in merging.FIELDS
            if _value(planned.stays, name) != _value(planned.goes, name)
        ],
        "lines": [
            {
                "what": admission_label(line.kept.admission),
                "status": line.kept.get_status_display(),
                "is_moved": line.kept.participant_id == planned.goes.pk,
                "cancelled": [
                    f"{admission_label(one.admission)} ({one.get_status_display()})" for one in line.cancelled
                ],
            }
            for line in planned.lines
        ],
        "swap_url": pages.url("duplicate", conference, stays=goes, goes=stays),
        "back_url": pages.url("duplicates", conference),
    }
    return TemplateResponse(request, "admin/registration/duplicate.html", context)


pages.register(
    "duplicates",
    index,
    permission=PERMISSION,
    label=gettext_lazy("Duplicates"),
    order=55,
    group=pages.Group.REGISTRATION,
)
pages.register(
    "duplicate",
    page,
    permission=PERMISSION,
    route="duplicates/<uuid:stays>/<uuid:goes>/",
    of="duplicates",
)
