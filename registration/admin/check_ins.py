"""Check-ins of a conference for organisers: who was let in where, taking a mistake back, and new codes for the door."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin import actor
from alliance.admin import as_uuid, row_url
from events.admin import pages
from events.models import Conference, Session
from registration.models import CheckIn, Participant
from registration.services import attendance, door

_PEOPLE, _LET_IN, _PERSON = (
    "registration.change_registration",
    "registration.add_checkin",
    "registration.change_participant",
)
_ON_A_PAGE = 100
_ENTRANCE = "entrance"


def check_ins(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Everybody who was let in, the newest first. ?at= names a session or the entrance; those undone stay."""
    may_undo = request.user.has_perm(_LET_IN, conference)
    if request.method == "POST":
        if not may_undo:
            raise PermissionDenied
        _undo(request, conference)
        return HttpResponseRedirect(request.get_full_path())
    chosen = request.GET.get("at", "")
    rows = CheckIn.objects.filter(conference=conference)
    if chosen == _ENTRANCE:
        rows = rows.filter(session__isnull=True)
    elif chosen:
        wanted = as_uuid(chosen)
        rows = rows.filter(session__public_id=wanted) if wanted is not None else rows.none()
    rows = rows.select_related("participant", "session", "room", "by", "undone_by").defer(
        "participant__sealed_identity", "participant__accessibility_needs"
    )
    sessions = Session.objects.filter(conference=conference, check_ins__isnull=False).distinct().in_programme_order()
    context = pages.context(request, conference, "check-ins", _("Check-ins")) | {
        "chosen": chosen,
        "page": Paginator(rows.order_by("-at", "-pk"), _ON_A_PAGE).get_page(request.GET.get("page")),
        "doors": [(_ENTRANCE, _("Entrance")), *((str(one.public_id), str(one.title)) for one in sessions)],
        "may_undo": may_undo,
    }
    return TemplateResponse(request, "admin/registration/check_ins.html", context)


def _undo(request: HttpRequest, conference: Conference) -> None:
    reason = " ".join(request.POST.get("reason", "").split())
    nonce = as_uuid(request.POST.get("entry", ""))
    if nonce is None:
        raise Http404
    if not reason:
        messages.error(request, _("Write why the check-in is undone."))
        return
    undone = attendance.undo(
        conference=conference, nonce=nonce, by=actor(request), now=timezone.now(), reason=reason[:250]
    )
    if undone is None:
        messages.warning(request, _("This check-in was undone already."))
    else:
        messages.success(request, _("The check-in is undone."))


def renew_code(request: HttpRequest, conference: Conference, participant: UUID) -> HttpResponse:
    """A new code for the door for somebody who lost theirs."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    row = Participant.objects.filter(public_id=participant, conference=conference, identity_key__isnull=False).first()
    if row is None:
        raise Http404
    door.renew_code(participant_id=row.pk, by=actor(request), now=timezone.now())
    text = _("The old code for the door is dead. The new one stands on the personal page and on a new badge.")
    messages.success(request, text)
    return HttpResponseRedirect(row_url(row))


pages.register("check-ins", check_ins, permission=_PEOPLE, route="door/check-ins/", of="door")
pages.register("door-code", renew_code, permission=_PERSON, route="door/codes/<uuid:participant>/", of="door")
