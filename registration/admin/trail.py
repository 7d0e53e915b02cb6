"""Who did what to a registration or a person, and when: two pages of the admin, in words, without personal data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from accounts import trail_words
from accounts.models import AuditEntry
from alliance.admin import clock_time, row_url
from events.admin import pages
from events.models import Conference
from registration.models import Participant, Registration, RegistrationStatus

_MOST = 500  # the newest lines; more than that never happened to one person

# What of the details may be shown, and how; the rest are ids.
_STATUS = dict(RegistrationStatus.choices)
_DETAILS: dict[str, Callable[[Any], str]] = {
    "reason": lambda value: _("Reason: %(reason)s") % {"reason": value},
    "override": lambda value: _("Outside the audience, admitted because: %(reason)s") % {"reason": value},
    "by_hand": lambda _value: _("Entered by hand, as the person asked"),
    "status_before": lambda value: _("Before: %(status)s") % {"status": _STATUS.get(value, value)},
    "status_after": lambda value: _("Since then: %(status)s") % {"status": _STATUS.get(value, value)},
    "place_before": lambda value: _("Place in line before: %(place)s") % {"place": value},
}


def words(entry: AuditEntry) -> tuple[str, list[str]]:
    """What happened, and what is known about it, in the active language."""
    details = [tell(entry.details[name]) for name, tell in _DETAILS.items() if entry.details.get(name)]
    return trail_words.action(entry.action), details


def _page(request: HttpRequest, conference: Conference, name: str, title: str, ids: list[UUID], back: Any) -> Any:
    entries = AuditEntry.objects.filter(Q(about_id__in=ids)).select_related("actor_user").order_by("-at", "-pk")
    lines = []
    for entry in entries[:_MOST]:
        what, details = words(entry)
        lines.append(
            {
                "at": clock_time(entry.at, conference.zone),
                "kind": entry.get_actor_kind_display(),
                "user": (entry.actor_user.name or entry.actor_user.email) if entry.actor_user is not None else "",
                "what": what,
                "details": details,
            }
        )
    context = pages.context(request, conference, name, title) | {"lines": lines, "back": back}
    return TemplateResponse(request, "admin/registration/trail.html", context)


def of_registration(request: HttpRequest, conference: Conference, registration: UUID) -> HttpResponse:
    """What happened to one registration."""
    found = Registration.objects.select_related("participant").filter(
        public_id=registration, admission__conference=conference
    )
    row = found.first()
    if row is None:
        raise Http404
    back = {"label": row.participant.display_name, "url": row_url(row)}
    response: HttpResponse = _page(
        request, conference, "registration-trail", _("What happened to the registration"), [row.public_id], back
    )
    return response


def of_participant(request: HttpRequest, conference: Conference, participant: UUID) -> HttpResponse:
    """What happened to one person and to all their registrations, also under a row that was merged into this one."""
    row = Participant.objects.filter(public_id=participant, conference=conference).first()
    if row is None:
        raise Http404
    ids = [row.public_id, *row.registrations.values_list("public_id", flat=True)]
    merges = AuditEntry.objects.filter(about_id=row.public_id, action="participant.merged")
    ids += [UUID(entry.details["other"]) for entry in merges]
    back = {"label": row.display_name, "url": row_url(row)}
    response: HttpResponse = _page(
        request, conference, "participant-trail", _("What happened to the person’s rows"), ids, back
    )
    return response


def url_of_registration(registration: Registration) -> str:
    """The page of a registration. Needs its admission's conference loaded."""
    return pages.url("registration-trail", registration.admission.conference, registration=registration.public_id)


def url_of_participant(participant: Participant) -> str:
    """The page of a person. Needs the conference loaded."""
    return pages.url("participant-trail", participant.conference, participant=participant.public_id)


pages.register(
    "registration-trail",
    of_registration,
    permission="registration.change_registration",
    route="registrations/<uuid:registration>/trail/",
)
pages.register(
    "participant-trail",
    of_participant,
    permission="registration.change_participant",
    route="people/<uuid:participant>/trail/",
)
