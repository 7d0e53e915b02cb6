"""Who has no link: the board of a conference and of each admission; a new link for somebody; rehearsals."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from accounts.models import User
from alliance.admin import clock_time, row_url
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from registration.joining import boards, rehearsals
from registration.models import Admission, AttendanceMode, Registration, Rehearsal
from registration.services import links
from video.models import Meeting
from video.services.rooms import SECRETS

_SEE, _CHANGE = "registration.view_registration", "registration.change_registration"
_REHEARSE = "registration.change_admission"
PER_PAGE = 100
_SHOWN = {"unmailed": "is_unmailed", "failed": "is_failed", "flagged": "is_flagged"}


class RehearsalForm(forms.Form):
    """How long it may last."""

    hours = forms.IntegerField(
        label=gettext_lazy("Hours"),
        min_value=1,
        max_value=24,
        initial=2,
        help_text=gettext_lazy("It ends by itself then, at the latest."),
    )


def _admissions(conference: Conference) -> list[Admission]:
    found = Admission.objects.filter(conference=conference, mode=AttendanceMode.ONLINE)
    return list(found.select_related("session", "conference").in_form_order())


def _title(admission: Admission) -> str:
    return str(admission.session.title if admission.session is not None else admission.conference.title)


def _meeting(admission: Admission) -> Meeting | None:
    """The meeting without its secrets."""
    found = Meeting.objects.for_admission(conference_id=admission.conference_id, session_id=admission.session_id)
    return found.defer(*SECRETS).first()


def board(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Every on-line admission of a conference with its figures."""
    shown = []
    for admission in _admissions(conference):
        meeting = _meeting(admission)
        shown.append(
            {
                "title": _title(admission),
                "url": pages.url("joining-of", conference, admission=admission.public_id),
                "figures": boards.figures(admission, meeting),
                "meeting": meeting,
            }
        )
    context = pages.context(request, conference, "joining", _("Who has no link")) | {"rows": shown}
    return TemplateResponse(request, "admin/registration/joining.html", context)


def board_of(request: HttpRequest, conference: Conference, admission: UUID) -> HttpResponse:
    """One admission: figures, people, and what can be done."""
    row = Admission.objects.filter(conference=conference, public_id=admission, mode=AttendanceMode.ONLINE)
    chosen = row.select_related("session", "conference").first()
    if chosen is None:
        raise Http404
    meeting = _meeting(chosen)
    may_change = request.user.has_perm(_CHANGE, conference)
    if request.method == "POST":
        if not may_change:
            raise Http404
        _act(request, chosen, meeting)
        return HttpResponseRedirect(request.get_full_path())
    only = request.GET.get("only", "")
    found = boards.people(chosen, meeting)
    if only in _SHOWN:
        found = found.filter(**{_SHOWN[only]: True})
    figures = boards.figures(chosen, meeting)
    paginator = Paginator(boards.order(found), PER_PAGE)
    if only not in _SHOWN:
        paginator.count = figures.confirmed
    page = paginator.get_page(request.GET.get("page"))
    context = pages.context(request, conference, "joining-of", _title(chosen)) | {
        "figures": figures,
        "meeting": meeting,
        "page": page,
        "people": [
            {
                "row": one,
                "url": row_url(one.registration),
                "clicked_at": clock_time(one.clicked_at, conference.zone) if one.clicked_at else "",
                "joined_at": clock_time(one.joined_at, conference.zone) if one.joined_at else "",
            }
            for one in boards.rows(cast("Any", page.object_list), meeting)
        ],
        "only": only,
        "shown": [
            ("unmailed", _("No mail yet")),
            ("failed", _("Failed")),
            ("flagged", _("Used from many networks")),
        ],
        "may_change": may_change,
        "back": pages.url("joining", conference),
    }
    return TemplateResponse(request, "admin/registration/joining_of.html", context)


def _act(request: HttpRequest, admission: Admission, meeting: Meeting | None) -> None:
    now = timezone.now()
    if "replace" in request.POST:
        try:
            wanted = UUID(request.POST["replace"])
        except ValueError as error:
            raise Http404 from error
        found = Registration.objects.filter(admission=admission, public_id=wanted).first()
        if found is None:
            raise Http404
        try:
            links.replace(registration_id=found.pk, by=actor(request), now=now)
        except DomainError as error:
            messages.error(request, str(error.message))
        else:
            messages.success(request, _("The old link is worthless now. The new one goes out by mail in its time."))
        return
    count = boards.try_again(admission, meeting, by=actor(request), now=now)
    text = ngettext("%(count)s was queued again.", "%(count)s were queued again.", count)
    messages.success(request, text % {"count": count} if count else _("Nothing has to be queued again."))


def rehearsal(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Begin or end a rehearsal, and what it has kept back."""
    now = timezone.now()
    running = Rehearsal.objects.running(now).filter(conference=conference).select_related("organiser").first()
    form = RehearsalForm(request.POST if request.method == "POST" and "begin" in request.POST else None)
    if request.method == "POST":
        if "end" in request.POST and running is not None:
            count = rehearsals.end(running, by=actor(request), now=now)
            text = ngettext(
                "The rehearsal is over. %(count)s message leaves now.",
                "The rehearsal is over. %(count)s messages leave now.",
                count,
            )
            messages.success(request, text % {"count": count})
            return HttpResponseRedirect(pages.url("rehearsal", conference))
        if "begin" in request.POST and form.is_valid():
            try:
                rehearsals.begin(
                    conference=conference,
                    organiser=cast("User", request.user),
                    hours=form.cleaned_data["hours"],
                    by=actor(request),
                    now=now,
                )
            except DomainError as error:
                messages.error(request, str(error.message))
            return HttpResponseRedirect(pages.url("rehearsal", conference))
    context = pages.context(request, conference, "rehearsal", _("Rehearsal")) | {"form": form, "running": running}
    if running is not None:
        context |= {
            "until": clock_time(running.until, conference.zone),
            "held": rehearsals.held(running),
            "links": [
                {"title": _title(one), "url": rehearsals.address_of(running, one)}
                for one in rehearsals.admissions_of(conference.pk)
                if running.organiser_id == request.user.pk
            ],
        }
    return TemplateResponse(request, "admin/registration/rehearsal.html", context)


pages.register(
    "joining",
    board,
    permission=_SEE,
    label=gettext_lazy("Who has no link"),
    order=20,
    group=pages.Group.DAY,
)
pages.register("joining-of", board_of, permission=_SEE, route="joining/<uuid:admission>/", of="joining")
pages.register(
    "rehearsal",
    rehearsal,
    permission=_REHEARSE,
    label=gettext_lazy("Rehearsal"),
    order=30,
    group=pages.Group.DAY,
)
