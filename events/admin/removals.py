"""Taking down in the admin: find, one plain page to confirm, and the list of what had left the house, to tick off.

Everything works by keyboard and without JavaScript. The page stands in the bar of every page of a conference, and the
forms of persons, participants and sessions lead to the confirmation at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from events.admin import pages
from events.models import Conference, Removal
from events.removals import services, subjects
from outbox import catalogue

_TAKE_DOWN = "events.change_removal"
_LIFT = "events.delete_removal"


def listed(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Find somebody or something; and what was taken down here."""
    text = request.GET.get("q", "").strip()[:200]
    found = [
        {"subject": subject, "kind": kind.label, "url": _confirm_url(conference, subject.kind, subject.public_id)}
        for kind in subjects.kinds().values()
        for subject in (kind.find(conference, text) if text else ())
    ]
    rows = Removal.objects.filter(conference=conference).prefetch_related("steps").newest_first()
    context = _context(request, conference, _("Take down at once")) | {
        "q": text,
        "found": found,
        "rows": [_row(removal) for removal in rows[:100]],
    }
    return TemplateResponse(request, "admin/events/removals/page.html", context)


def confirm(request: HttpRequest, conference: Conference, kind: str, public_id: UUID) -> HttpResponse:
    """One plain page; the button does it."""
    subject = subjects.get(kind, public_id, conference=conference)
    if subject is None:
        raise Http404
    if request.method == "POST":
        removal = services.take_down(
            subject,
            conference=conference,
            reason=request.POST.get("reason", "").strip()[:2000],
            by=actor(request),
            now=timezone.now(),
        )
        if removal.conference_id != conference.pk:  # its list is not for the organisers of this one
            messages.success(request, _("It was taken down already, at another conference or on the server."))
            return HttpResponseRedirect(pages.url("removals", conference))
        messages.success(request, _("It is taken down. This is what had already gone out."))
        return HttpResponseRedirect(pages.url("removal", conference, removal=removal.public_id))
    context = _context(request, conference, _("Take down at once")) | {
        "subject": subject,
        "kind": subjects.kinds()[kind].label,
        "back_url": pages.url("removals", conference),
    }
    return TemplateResponse(request, "admin/events/removals/confirm.html", context)


def one(request: HttpRequest, conference: Conference, removal: UUID) -> HttpResponse:
    """What had left the house, to tick off; and the way back, with a reason."""
    found = Removal.objects.filter(conference=conference, public_id=removal).select_related("taken_down_by").first()
    if found is None:
        raise Http404
    may_lift = request.user.has_perm(_LIFT, conference)
    if request.method == "POST":
        return _act(request, conference, found, may_lift=may_lift)
    context = _context(request, conference, _("What had already gone out")) | {
        "row": _row(found),
        "removal": found,
        "lines": [(line, _facts(line.step.details)) for line in services.lines(found)],
        "may_lift": may_lift,
        "back_url": pages.url("removals", conference),
    }
    return TemplateResponse(request, "admin/events/removals/one.html", context)


def _act(request: HttpRequest, conference: Conference, removal: Removal, *, may_lift: bool) -> HttpResponse:
    now, by = timezone.now(), actor(request)
    what = request.POST.get("act", "")
    back = HttpResponseRedirect(pages.url("removal", conference, removal=removal.public_id))
    if what in {"done", "open"}:
        step = request.POST.get("step", "")
        wanted = removal.steps.filter(pk=int(step)).first() if step.isdecimal() and len(step) < 19 else None
        if wanted is None:
            raise Http404
        services.tick(step_id=wanted.pk, is_done=what == "done", by=by, now=now)
    elif what == "again" and removal.listed_at is None:
        services.list_traces(removal, now=now)
    elif what == "lift" and may_lift:
        try:
            services.lift(removal_id=removal.pk, reason=request.POST.get("reason", "")[:2000], by=by, now=now)
        except services.NeedsReason as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("It is shown again."))
    else:
        raise Http404
    return back


def links(request: HttpRequest, kind: str, public_id: UUID, conferences: Iterable[Conference]) -> list[dict[str, str]]:
    """The link on the form of a row that can be taken down, for whoever may do it at one of its conferences."""
    for conference in conferences:
        if request.user.has_perm(_TAKE_DOWN, conference):
            return [{"label": str(_("Take down at once")), "url": _confirm_url(conference, kind, public_id)}]
    return []


def _confirm_url(conference: Conference, kind: str, public_id: UUID) -> str:
    return pages.url("removal-confirm", conference, kind=kind, public_id=public_id)


def _row(removal: Removal) -> dict[str, Any]:
    subject = subjects.get(removal.kind, removal.subject_id)
    known = subjects.kinds().get(removal.kind)
    steps = list(removal.steps.all())
    return {
        "removal": removal,
        "kind": known.label if known is not None else removal.kind,
        "label": subject.label if subject is not None else _("deleted since"),
        "done": sum(step.done_at is not None for step in steps),
        "steps": len(steps),
        "url": pages.url("removal", cast("Conference", removal.conference), removal=removal.public_id),
    }


def _facts(details: dict[str, Any]) -> dict[str, Any]:
    """The details of a step as the page shows them."""
    times: dict[str, datetime | None] = {key: parse_datetime(details.get(key, "")) for key in ("since", "until")}
    named = details.get("releases") or [_kind(kind) for kind in details.get("kinds", [])]
    return {"number": details.get("number"), "named": ", ".join(str(one) for one in named if one), **times}


def _kind(name: str) -> str:
    """A kind of document as it is called, and of a mail by its title; nothing for one that has no title of its own."""
    if "." not in name:
        return name
    titles = {kind.name: str(kind.title) for kind in catalogue.kinds()}
    return titles.get(name.rpartition(".")[2], "")


def _context(request: HttpRequest, conference: Conference, title: str) -> dict[str, Any]:
    return pages.context(request, conference, "removals", title)


pages.register(
    "removals",
    listed,
    permission=_TAKE_DOWN,
    label=gettext_lazy("Take down at once"),
    route="take-down/",
    order=10,
    group=pages.Group.SAFETY,
)
pages.register(
    "removal-confirm",
    confirm,
    permission=_TAKE_DOWN,
    route="take-down/<slug:kind>/<uuid:public_id>/",
    of="removals",
)
pages.register("removal", one, permission=_TAKE_DOWN, route="take-down/<uuid:removal>/", of="removals")
