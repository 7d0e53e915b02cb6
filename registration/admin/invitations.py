"""Invitations of a conference, for organisers: invite one or many, see the answers, send again, remind, withdraw.

The list shows initials. Names, addresses and what somebody wrote when declining are shown when they are asked for, and
each such look is on the record.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.admin import actor
from alliance import crypto
from alliance.admin import clock_time
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from events.programme_file.problems import InvalidFile
from registration.admin.admissions import admission_label
from registration.delegations import lists as delegation_lists
from registration.invitations import lists as invitation_lists
from registration.invitations.lists import InviteeForm
from registration.models import Admission, Invitation, InvitationState
from registration.models.invitation import ANSWERABLE, EXPIRED, EXPIRED_LABEL
from registration.models.participant import Identity
from registration.services import invitations
from registration.services.delegations import Problem

_PERMISSION = "registration.change_invitation"
_ON_A_PAGE = 100
_USUAL_TIME = timedelta(days=14)
_UNPROCESSABLE = 422

STANDINGS: dict[str, Any] = {
    InvitationState.SENT.value: InvitationState.SENT.label,
    InvitationState.ACCEPTED.value: InvitationState.ACCEPTED.label,
    InvitationState.DECLINED.value: InvitationState.DECLINED.label,
    EXPIRED: EXPIRED_LABEL,
    InvitationState.WITHDRAWN.value: InvitationState.WITHDRAWN.label,
}


class ToWhatForm(forms.Form):
    """What people are invited to, and until when they can answer."""

    admissions = forms.MultipleChoiceField(
        label=gettext_lazy("Invited to"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose what they are invited to.")},
    )
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Answer until"),
        help_text=gettext_lazy(
            "On the venue's clock. Three days before, those who have not answered are reminded once."
        ),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
    )

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ways = {
            str(admission.public_id): admission
            for admission in Admission.objects.filter(conference=conference)
            .select_related("session", "conference")
            .in_form_order()
        }
        choices: Any = self.fields["admissions"]
        choices.choices = [(key, admission_label(admission)) for key, admission in self.ways.items()]
        self.fields["expires_at"].initial = _usual_deadline(conference)

    def chosen(self) -> list[Admission]:
        """What was chosen, of a valid form."""
        return [self.ways[key] for key in self.cleaned_data["admissions"]]


class OneForm(InviteeForm, ToWhatForm):
    """Invite one person."""

    field_order = ["given_name", "family_name", "email", "language", "admissions", "expires_at"]


class ManyForm(ToWhatForm):
    """Invite many: a list, pasted or as a file."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language of those without one in the list"), choices=settings.LANGUAGES, initial="en"
    )
    text = forms.CharField(
        label=gettext_lazy("List"),
        required=False,
        max_length=delegation_lists.MOST_LETTERS,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file (.csv, .xlsx)"),
        required=False,
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    field_order = ["text", "file", "language", "admissions", "expires_at"]

    def clean_file(self) -> Any:
        """Not larger than a list may be."""
        file = self.cleaned_data.get("file")
        if file is not None and file.size > invitation_lists.MOST_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return file


def _usual_deadline(conference: Conference) -> datetime:
    """Two weeks from now, at the end of the day; the eve of the conference when that is sooner and still to come."""
    today = timezone.localdate(timezone=conference.zone)
    day = today + _USUAL_TIME
    if conference.starts_on is not None and today < conference.starts_on <= day:
        day = conference.starts_on - timedelta(days=1)
    return datetime.combine(max(day, today), time(23, 59), conference.zone)


# --- the list ---------------------------------------------------------------------------------------------------------


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All invitations with their answers; the form for one more; what can be done to each."""
    action = request.POST.get("action", "")
    if request.method == "POST" and action == "invite":
        return _invite_one(request, conference)
    if request.method == "POST" and action != "names":
        _change(request, conference, action)
        return HttpResponseRedirect(_here(request, conference))
    return _page(request, conference, OneForm(conference=conference), named=action == "names")


def _here(request: HttpRequest, conference: Conference) -> str:
    query = {key: request.GET[key] for key in ("state", "p") if key in request.GET}
    return pages.url("invitations", conference) + (f"?{urlencode(query)}" if query else "")


def _of(conference: Conference) -> QuerySet[Invitation]:
    return Invitation.objects.filter(conference=conference)


def _standing_filter(standing: str, now: datetime) -> Q:
    late = Q(state__in=sorted(ANSWERABLE), expires_at__lte=now)
    return late if standing == EXPIRED else Q(state=standing) & ~late


def _page(
    request: HttpRequest,
    conference: Conference,
    form: OneForm,
    *,
    named: bool = False,
    problems: Sequence[Problem] = (),
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    chosen = request.GET.get("state", "")
    chosen = chosen if chosen in STANDINGS else ""
    counts: Counter[str] = Counter()
    for state, expires_at in _of(conference).values_list("state", "expires_at"):
        counts[Invitation(state=state, expires_at=expires_at).standing(now)] += 1
    rows = (
        _of(conference)
        .select_related("conference", "invitation_key")
        .prefetch_related("admissions__session", "admissions__conference")
    )
    if chosen:
        rows = rows.filter(_standing_filter(chosen, now))
    number = request.GET.get("p", "1")
    found = Paginator(rows.order_by("-pk"), _ON_A_PAGE).get_page(number)
    read = invitations.open_names(list(found), by=actor(request), now=now) if named else {}
    address = pages.url("invitations", conference)
    context = pages.context(request, conference, "invitations", _("Invitations")) | {
        "form": form,
        "problems": problems,
        "is_named": named,
        "rows": [_row(invitation, read.get(invitation.pk), conference, now) for invitation in found],
        "found": found,
        "counts": [
            {
                "label": label,
                "number": counts[standing],
                "url": f"{address}?{urlencode({'state': standing})}",
                "is_current": standing == chosen,
            }
            for standing, label in STANDINGS.items()
        ],
        "total": counts.total(),
        "chosen": chosen,
        "here": _here(request, conference),
        "all_url": address,
        "many_url": pages.url("invitations-many", conference),
        "again_until": _usual_deadline(conference),
    }
    return TemplateResponse(request, "admin/registration/invitations.html", context, status=status)


def _row(invitation: Invitation, read: Identity | None, conference: Conference, now: datetime) -> dict[str, Any]:
    """One line. read: name and address, when they were opened on the record."""
    standing = invitation.standing(now)
    is_forgotten = not hasattr(invitation, "invitation_key")
    return {
        "invitation": invitation,
        "who": read.full_name if read is not None else _initials(invitation),
        "email": read.email if read is not None else "",
        "word": invitation.word if read is not None else "",
        "has_word": bool(invitation.word),
        "standing": standing,
        "label": STANDINGS[standing],
        "things": [admission_label(admission) for admission in invitation.admissions.all()],
        "sent": clock_time(invitation.sent_at, conference.zone),
        "until": clock_time(invitation.expires_at, conference.zone),
        "is_forgotten": is_forgotten,
        "may_remind": standing == InvitationState.SENT and invitation.reminded_at is None and not is_forgotten,
        "may_send": invitation.state in ANSWERABLE and not is_forgotten,
        "may_withdraw": invitation.state in ANSWERABLE,
    }


def _initials(invitation: Invitation) -> str:
    try:
        name = invitation.open_identity().full_name
    except crypto.Unreadable:
        return _("forgotten")
    return " ".join(f"{part[0].upper()}." for part in name.split()[:3])


# --- changing ---------------------------------------------------------------------------------------------------------


def _change(request: HttpRequest, conference: Conference, action: str) -> None:
    try:
        public_id = UUID(request.POST.get("invitation", ""))
    except ValueError:
        raise Http404 from None
    invitation = _of(conference).filter(public_id=public_id).first()
    if invitation is None:
        raise Http404
    by, now = actor(request), timezone.now()
    try:
        if action == "withdraw":
            invitations.withdraw(invitation_id=invitation.pk, by=by, now=now)
            messages.success(request, _("The invitation is withdrawn."))
        elif action == "again":
            until = max(invitation.expires_at, _usual_deadline(conference))
            invitations.send_again(invitation_id=invitation.pk, expires_at=until, by=by, now=now)
            messages.success(request, _("The invitation is sent again, with a new link. The old link does not work."))
        elif action == "remind":
            invitations.remind(invitation_id=invitation.pk, by=by, now=now)
            messages.success(request, _("The reminder is on its way."))
        else:
            raise Http404
    except DomainError as error:
        messages.error(request, str(error.message))


def _told(request: HttpRequest, number: int) -> None:
    text = ngettext("%(count)s invitation is on its way.", "%(count)s invitations are on their way.", number)
    messages.success(request, text % {"count": number})


def _invite_one(request: HttpRequest, conference: Conference) -> HttpResponse:
    form = OneForm(request.POST, conference=conference)
    if form.is_valid():
        data = form.cleaned_data
        invitee = invitations.Invitee(data["given_name"], data["family_name"], data["email"], data["language"])
        try:
            invitations.invite(
                conference=conference,
                admissions=form.chosen(),
                invitees=[invitee],
                expires_at=data["expires_at"],
                by=actor(request),
                now=timezone.now(),
            )
        except invitations.InvitingRefused as error:
            for problem in error.problems:
                form.add_error(None, problem.text)
        else:
            _told(request, 1)
            return HttpResponseRedirect(pages.url("invitations", conference))
    return _page(request, conference, form, status=_UNPROCESSABLE)


# --- many at once -----------------------------------------------------------------------------------------------------


def many(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Invite many: send a list, look at what was understood, then invite all of them or nobody."""
    if request.method != "POST":
        return _many_page(request, conference, ManyForm(conference=conference))
    form = ManyForm(request.POST, request.FILES, conference=conference)
    if not form.is_valid():
        return _many_page(request, conference, form, status=_UNPROCESSABLE)
    if "rows" in request.POST:
        return _invite_seen(request, conference, form)
    file = form.cleaned_data["file"]
    try:
        text = form.cleaned_data["text"]
        grid = invitation_lists.grid_of(file.read()) if file else delegation_lists.pasted(text)
    except InvalidFile:
        form.add_error("file", _("This file cannot be read. Save it as .csv or .xlsx, without formulas or macros."))
        return _many_page(request, conference, form, status=_UNPROCESSABLE)
    found = invitation_lists.read(grid, language=form.cleaned_data["language"])
    problems = [*found.problems]
    problems += invitations.problems_of(conference, found.invitees) if found.invitees else []
    if form.cleaned_data["expires_at"] <= timezone.now():
        problems.append(Problem(0, _("The time to answer lies in the past.")))
    if problems:
        problems.sort(key=lambda problem: problem.row)
        return _many_page(request, conference, form, problems=problems, status=_UNPROCESSABLE)
    rows = [[one.row, one.given_name, one.family_name, one.email, one.language] for one in found.invitees]
    names = dict(settings.LANGUAGES)
    seen = [{"invitee": one, "language": _(str(names[one.language]))} for one in found.invitees]
    return _many_page(request, conference, form, seen=seen, rows=json.dumps(rows))


def _invite_seen(request: HttpRequest, conference: Conference, form: ManyForm) -> HttpResponse:
    """Invite what the preview showed; it is checked anew, for it came back through the browser."""
    try:
        rows = json.loads(request.POST["rows"])
        grid = [(int(number), [str(cell) for cell in cells]) for number, *cells in rows]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Http404 from None
    found = invitation_lists.read(grid, language=get_language() or "en")
    problems: Sequence[Problem] = found.problems
    if not problems:
        try:
            made = invitations.invite(
                conference=conference,
                admissions=form.chosen(),
                invitees=found.invitees,
                expires_at=form.cleaned_data["expires_at"],
                by=actor(request),
                now=timezone.now(),
            )
        except invitations.InvitingRefused as error:
            problems = error.problems
        else:
            _told(request, len(made))
            return HttpResponseRedirect(pages.url("invitations", conference))
    return _many_page(request, conference, form, problems=problems, status=_UNPROCESSABLE)


def _many_page(
    request: HttpRequest, conference: Conference, form: ManyForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = pages.context(request, conference, "invitations-many", _("Invite many at once")) | {
        "form": form,
        "columns": ", ".join(str(label) for label in invitation_lists.COLUMNS.values()),
        "back": pages.url("invitations", conference),
    }
    return TemplateResponse(request, "admin/registration/invitations_many.html", context | more, status=status)


pages.register(
    "invitations",
    page,
    permission=_PERMISSION,
    label=gettext_lazy("Invitations"),
    order=40,
    group=pages.Group.REGISTRATION,
)
pages.register("invitations-many", many, permission=_PERMISSION, route="invitations/many/", of="invitations")
