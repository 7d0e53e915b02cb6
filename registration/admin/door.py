"""At the door, for organisers: a tab of the conference with the way to the doors and the badges; badges of a selection.

Stewards see the tab without the badges: lists of people are not theirs.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import errors
from events.admin import long_work, pages
from events.documents import DocumentNotMade
from events.models import Conference
from registration.door import badges
from registration.door import views as door_views
from registration.door.badges import Sheet
from registration.exports import registrations
from registration.exports import work as exports
from registration.models import CheckIn, Participant, Registration

_SEE_DOOR = "registration.view_checkin"
_SEE_PEOPLE = "registration.view_registration"
_CHANGE_PEOPLE = "registration.change_registration"
_SHEETS = {Sheet.A6: gettext_lazy("A6 sheets"), Sheet.A4: gettext_lazy("Four on A4")}


def door(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Where stewards let people in, and the badges of everybody who holds a place in a room."""
    may_see_people = request.user.has_perm(_SEE_PEOPLE, conference)
    people = badges.of_conference(conference).count() if may_see_people else 0
    parts = [
        {
            "first": first + 1,
            "last": min(first + badges.MOST, people),
            "files": [
                (label, pages.url("badges", conference, sheet=str(sheet), part=number))
                for sheet, label in _SHEETS.items()
            ],
        }
        for number, first in enumerate(range(0, people, badges.MOST), start=1)
    ]
    context = pages.context(request, conference, "door", _("At the door"))
    may_change_people = request.user.has_perm(_CHANGE_PEOPLE, conference)
    context |= {
        "check_ins_url": pages.url("check-ins", conference) if may_change_people else "",
        "door_url": reverse("registration:doors", args=[conference.slug]),
        "may_check_in": request.user.has_perm(door_views.PERMISSION, conference),
        "may_see_people": may_see_people,
        "parts": parts,
        "entries": CheckIn.objects.standing().filter(conference=conference).count(),
    }
    return TemplateResponse(request, "admin/registration/door.html", context)


def badge_file(request: HttpRequest, conference: Conference, sheet: str, part: int) -> HttpResponse:
    """One file of badges of the conference."""
    first = (part - 1) * badges.MOST
    if sheet not in list(Sheet) or not 0 <= first < 1_000_000:
        raise Http404
    people = badges.of_conference(conference)[first : first + badges.MOST].count()
    if not people:
        raise Http404
    return _file(request, conference, {"sheet": sheet, "part": part}, people)


def _file(request: HttpRequest, conference: Conference, order: dict[str, Any], people: int) -> HttpResponse:
    try:
        return long_work.now_or_later(
            request,
            exports.BADGES,
            conference,
            order,
            is_large=people > exports.LARGE_BADGES,
            back=pages.url("door", conference),
        )
    except DocumentNotMade:
        return errors.unavailable(request)


@admin.action(description=gettext_lazy("Badges (PDF)"), permissions=["view"])
def badges_of_selected(
    modeladmin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration]
) -> HttpResponse | None:
    """Four badges on each A4 sheet for the people behind the chosen registrations, of one conference."""
    chosen = Participant.objects.filter(registrations__in=queryset.order_by(), identity_key__isnull=False)
    people = list(badges.with_affiliation(chosen.distinct().order_by("display_name", "pk"))[: badges.MOST + 1])
    conferences = {person.conference_id for person in people}
    if len(conferences) != 1:
        modeladmin.message_user(request, _("Choose registrations of one conference."), messages.WARNING)
        return None
    if len(people) > badges.MOST:
        text = _("Choose at most %(count)s people at once.") % {"count": badges.MOST}
        modeladmin.message_user(request, text, messages.WARNING)
        return None
    conference = Conference.objects.get(pk=conferences.pop())
    return _file(request, conference, {"people": [person.pk for person in people]}, len(people))


def _table_of_selected(
    modeladmin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration], kind: str
) -> HttpResponse | None:
    chosen = list(queryset.order_by().values_list("pk", "admission__conference")[: registrations.MOST + 1])
    conferences = {conference_id for _pk, conference_id in chosen}
    if len(conferences) != 1:
        modeladmin.message_user(request, _("Choose registrations of one conference."), messages.WARNING)
        return None
    if len(chosen) > registrations.MOST:
        text = _("Choose at most %(count)s people at once.") % {"count": registrations.MOST}
        modeladmin.message_user(request, text, messages.WARNING)
        return None
    conference = Conference.objects.get(pk=conferences.pop())
    return long_work.now_or_later(
        request,
        exports.REGISTRATIONS,
        conference,
        {"kind": kind, "ids": [pk for pk, _conference in chosen]},
        is_large=len(chosen) > exports.LARGE_REGISTRATIONS,
        back=request.get_full_path(),
    )


@admin.action(description=gettext_lazy("Table (.xlsx)"), permissions=["view"])
def workbook_of_selected(
    modeladmin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration]
) -> HttpResponse | None:
    """The chosen registrations as a workbook, by display name."""
    return _table_of_selected(modeladmin, request, queryset, "xlsx")


@admin.action(description=gettext_lazy("Table (.csv)"), permissions=["view"])
def csv_of_selected(
    modeladmin: admin.ModelAdmin[Registration], request: HttpRequest, queryset: QuerySet[Registration]
) -> HttpResponse | None:
    """The chosen registrations as text for spreadsheets, by display name."""
    return _table_of_selected(modeladmin, request, queryset, "csv-mark")


pages.register("door", door, permission=_SEE_DOOR, label=gettext_lazy("At the door"), order=10, group=pages.Group.DAY)
pages.register("badges", badge_file, permission=_SEE_PEOPLE, route="door/badges/<slug:sheet>/<int:part>.pdf", of="door")
