"""Pages of focal points, who sign in, and the page by which a nominated person answers, who does not.

A focal point's page finds every row through delegations_of(user): somebody else's is 404, as is one that is not.
Nominating answers after a whole number of steps of time like the public form (docs/decisions/0010-neutral-answer.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language, gettext_lazy, pgettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.actors import Actor
from accounts.models import ActorKind, User
from alliance import field_errors
from alliance.exceptions import DomainError
from alliance.same_origin import same_origin
from events.programme_file.problems import InvalidFile
from events.programme_file.workbook import guard
from registration import private_pages
from registration.api import member_places
from registration.api.member_places import Place
from registration.delegations import lists as delegation_lists
from registration.delegations.access import delegations_of
from registration.delegations.lists import COLUMNS, NomineeForm, ReplaceForm
from registration.models import CredentialLetter, Delegation, Membership, MemberState
from registration.services import credentials, delegations
from registration.services.delegations import Nominee, Problem

View = Callable[..., HttpResponse]

_METHODS = ["GET", "HEAD", "POST"]
_UNPROCESSABLE, _CONFLICT = 422, 409
_FILES = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def _kept_nowhere(view: View) -> View:
    """For pages of people who signed in. With no referrer at all browsers would send "Origin: null" with our forms,
    and the check of their token refuses that; so the policy of the house stays.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["Cache-Control"] = "no-store"
        response["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return guarded


def focal_points_only(view: View) -> View:
    """Ask strangers to sign in; users who speak for no delegation find no such page."""

    @wraps(view)
    @_kept_nowhere
    def guarded(request: HttpRequest, **captured: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        mine = delegations_of(request.user)
        if "public_id" not in captured:
            found = list(mine)
            if not found:
                raise Http404
            return view(request, found)
        delegation = mine.filter(public_id=captured.pop("public_id")).first()
        if delegation is None:
            raise Http404
        return view(request, delegation, **captured)

    return guarded


def by_focal_point(request: HttpRequest) -> Actor:
    """Who acts, for services."""
    return Actor(ActorKind.DELEGATION, cast("User", request.user))


def crumbs_of(delegation: Delegation | None = None) -> list[tuple[str, str]]:
    """The way from the list of delegations to a page below one."""
    crumbs = [(_("Delegations"), reverse("registration:delegations"))]
    if delegation is not None:
        crumbs.append((delegation.name, _address(delegation)))
    return crumbs


def _address(delegation: Delegation, done: str = "") -> str:
    return reverse("registration:delegation", args=[delegation.public_id]) + (f"?done={done}" if done else "")


# --- seeing -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One member as the delegation sees them: what it said itself, the answer, and whether there is a place."""

    membership: Membership
    name: str
    function: str
    place: str
    has_place: bool


def rows_of(*found: Delegation) -> dict[int, list[Row]]:
    """The members that stand, and those who declined, by delegation. Three queries, whatever the number."""
    shown = Membership.objects.filter(delegation__in=found).shown()
    members = list(shown.select_related("participant__identity_key").in_rank())
    seats = member_places.seats_of(members)
    rows: dict[int, list[Row]] = {delegation.pk: [] for delegation in found}
    for membership in members:
        seat = seats[membership.pk]
        written = membership.as_written
        rows[membership.delegation_id].append(
            Row(membership, written.shown, written.function, _place(seat), seat.place == Place.HELD)
        )
    return rows


def _place(seat: member_places.Seat) -> str:
    if seat.place == Place.WAITING:
        return _("Number %(position)d in line") % {"position": seat.rank}
    return str(seat.place.label)


@require_safe
@focal_points_only
def mine(request: HttpRequest, found: list[Delegation]) -> HttpResponse:
    """The delegations I speak for."""
    return render(request, "registration/delegations/mine.html", {"delegations": found})


@require_safe
@focal_points_only
def one(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """A delegation with its members."""
    return _page(request, delegation)


def _page(request: HttpRequest, delegation: Delegation, **more: Any) -> HttpResponse:
    rows = rows_of(delegation)[delegation.pk]
    active = [row for row in rows if row.membership.is_active]
    context = {
        "delegation": delegation,
        "conference": delegation.conference,
        "crumbs": crumbs_of(),
        "rows": rows,
        "active": len(active),
        "confirmed": sum(row.membership.state == MemberState.CONFIRMED for row in active),
        "done": request.GET.get("done", ""),
        "form": NomineeForm(),
        "letters": delegation.letters.count(),
    }
    status = more.pop("status", 200)
    return render(request, "registration/delegations/one.html", context | more, status=status)


@require_safe
@focal_points_only
def export(request: HttpRequest, delegation: Delegation, kind: str) -> HttpResponse:
    """My own members as a file."""
    if kind not in _FILES:
        raise Http404
    capacity = pgettext("in a delegation", "Capacity")
    rows = [[_("Name"), _("Function"), capacity, _("Attendance"), _("Answer"), _("Place")]]
    for row in rows_of(delegation)[delegation.pk]:
        member = row.membership
        rows.append(
            [
                row.name,
                row.function,
                str(member.get_capacity_display()),
                str(member.get_mode_display()),
                str(member.get_state_display()),
                row.place,
            ]
        )
    content = delegation_lists.as_csv(rows) if kind == "csv" else delegation_lists.as_workbook(rows, title="Members")
    response = HttpResponse(content, content_type=_FILES[kind])
    response["Content-Disposition"] = f'attachment; filename="members.{kind}"'
    return response


# --- nominating -------------------------------------------------------------------------------------------------------


@require_http_methods(["POST"])
@private_pages.in_even_time
@focal_points_only
def nominate(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """Nominate one person."""
    form = NomineeForm(request.POST)
    if form.is_valid():
        nominee = form.nominee(language=get_language() or "en")
        try:
            delegations.nominate(
                delegation_id=delegation.pk, nominees=[nominee], by=by_focal_point(request), now=timezone.now()
            )
        except delegations.NominationRefused as error:
            for problem in error.problems:
                form.add_error(None, problem.text)
        else:
            return private_pages.SeeOther(_address(delegation, "nominated"))
    return _page(request, delegation, form=form, status=_UNPROCESSABLE)


class ListForm(field_errors.ClearErrors, forms.Form):
    """A list, pasted or as a file."""

    text = forms.CharField(
        label=gettext_lazy("List"),
        required=False,
        max_length=delegation_lists.MOST_LETTERS,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a workbook (.xlsx)"),
        required=False,
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ".xlsx"}),
    )

    def clean_file(self) -> Any:
        """Not larger than a workbook may be; the rest is the guard's business."""
        file = self.cleaned_data.get("file")
        if file is not None and file.size > guard.MOST_BYTES:
            raise forms.ValidationError(_("The file is too large."))
        return file


@require_http_methods(_METHODS)
@private_pages.in_even_time
@focal_points_only
def nominate_list(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """Nominate many: send a list, look at what was understood, then nominate all of them or nobody."""
    if request.method != "POST":
        return _list_page(request, delegation, ListForm())
    if "rows" in request.POST:
        return _nominate_seen(request, delegation)
    form = ListForm(request.POST, request.FILES)
    if not form.is_valid():
        return _list_page(request, delegation, form, status=_UNPROCESSABLE)
    file = form.cleaned_data["file"]
    try:
        grid = delegation_lists.workbook(file.read()) if file else delegation_lists.pasted(form.cleaned_data["text"])
    except InvalidFile:
        form.add_error("file", _("This is no workbook that can be read. Save it as .xlsx, without formulas or macros."))
        return _list_page(request, delegation, form, status=_UNPROCESSABLE)
    return _preview(request, delegation, grid, form)


def _preview(request: HttpRequest, delegation: Delegation, grid: delegation_lists.Grid, form: ListForm) -> HttpResponse:
    """What was understood, or what is wrong by row. Nothing is changed."""
    found = delegation_lists.read(grid, language=get_language() or "en")
    problems: list[Problem] = list(found.problems)
    problems += delegations.problems_of(delegation, found.nominees, now=timezone.now()) if found.nominees else []
    if problems:
        return _list_page(request, delegation, form, problems=problems, status=_UNPROCESSABLE)
    rows = [
        [one.row, one.given_name, one.family_name, one.email, one.capacity, one.mode, one.function]
        for one in found.nominees
    ]
    return _list_page(request, delegation, form, seen=_seen(found.nominees), rows=json.dumps(rows))


def _seen(nominees: Sequence[Nominee]) -> list[dict[str, Any]]:
    forms_of = NomineeForm()
    choices = {
        name: dict(cast("forms.ChoiceField", forms_of.fields[name]).choices)  # type: ignore[arg-type]
        for name in ("capacity", "mode")
    }
    return [
        {"nominee": one, "capacity": choices["capacity"][one.capacity], "mode": choices["mode"][one.mode]}
        for one in nominees
    ]


def _nominate_seen(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """Nominate what the preview showed; it is checked anew, for it came back through the browser."""
    try:
        rows = json.loads(request.POST["rows"])
        grid = [(int(number), [str(cell) for cell in cells]) for number, *cells in rows]
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise Http404 from None
    found = delegation_lists.read(grid, language=get_language() or "en")
    problems: Sequence[Problem] = found.problems
    if not problems:
        try:
            delegations.nominate(
                delegation_id=delegation.pk, nominees=found.nominees, by=by_focal_point(request), now=timezone.now()
            )
        except delegations.NominationRefused as error:
            problems = error.problems
        else:
            return private_pages.SeeOther(_address(delegation, "nominated"))
    return _list_page(request, delegation, ListForm(), problems=problems, status=_UNPROCESSABLE)


def _list_page(
    request: HttpRequest, delegation: Delegation, form: ListForm, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        "delegation": delegation,
        "conference": delegation.conference,
        "crumbs": crumbs_of(delegation),
        "form": form,
        "columns": ", ".join(str(label) for label in COLUMNS.values()),
    }
    return render(request, "registration/delegations/list.html", context | more, status=status)


@require_http_methods(["POST"])
@focal_points_only
def letter(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """Hand in a credential letter; only organisers can read it afterwards."""
    file = request.FILES.get("letter")
    try:
        if file is None or (file.size or 0) > CredentialLetter.MOST_BYTES:
            raise credentials.LetterRefused
        credentials.add_letter(
            delegation_id=delegation.pk, data=file.read(), by=by_focal_point(request), now=timezone.now()
        )
    except credentials.LetterRefused as error:
        return _page(request, delegation, refusal=str(error.message), status=_UNPROCESSABLE)
    return private_pages.SeeOther(_address(delegation, "letter"))


# --- one member -------------------------------------------------------------------------------------------------------


@require_http_methods(_METHODS)
@private_pages.in_even_time
@focal_points_only
def member(request: HttpRequest, delegation: Delegation, member_id: UUID) -> HttpResponse:
    """Replace, withdraw or remind one member."""
    membership = (
        Membership.objects.active()
        .select_related("participant__identity_key")
        .filter(delegation=delegation, public_id=member_id)
        .first()
    )
    if membership is None:
        raise Http404
    form = ReplaceForm()
    if request.method != "POST":
        return _member_page(request, delegation, membership, form)
    action = request.POST.get("action", "")
    try:
        if action == "withdraw":
            delegations.withdraw(membership_id=membership.pk, by=by_focal_point(request), now=timezone.now())
            return private_pages.SeeOther(_address(delegation, "withdrawn"))
        if action == "remind":
            delegations.remind(membership_id=membership.pk, now=timezone.now())
            return private_pages.SeeOther(_address(delegation, "reminded"))
        form = ReplaceForm(request.POST)
        if not form.is_valid():
            return _member_page(request, delegation, membership, form, status=_UNPROCESSABLE)
        nominee = Nominee(
            **form.cleaned_data,
            capacity=membership.capacity,
            mode=membership.mode,
            language=get_language() or "en",
        )
        delegations.replace(
            membership_id=membership.pk, nominee=nominee, by=by_focal_point(request), now=timezone.now()
        )
    except delegations.NominationRefused as error:
        for problem in error.problems:
            form.add_error(None, problem.text)
        return _member_page(request, delegation, membership, form, status=_UNPROCESSABLE)
    except DomainError as error:
        return _member_page(request, delegation, membership, form, refusal=str(error.message), status=_CONFLICT)
    return private_pages.SeeOther(_address(delegation, "replaced"))


def _member_page(
    request: HttpRequest,
    delegation: Delegation,
    membership: Membership,
    form: ReplaceForm,
    *,
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "delegation": delegation,
        "conference": delegation.conference,
        "crumbs": crumbs_of(delegation),
        "membership": membership,
        "name": membership.as_written.shown,
        "form": form,
        "refusal": refusal,
    }
    return render(request, "registration/delegations/member.html", context, status=status)


# --- the nominated person's answer ------------------------------------------------------------------------------------


@require_http_methods(_METHODS)
@same_origin
@private_pages.private
def answer(request: HttpRequest, token: str) -> HttpResponse:
    """Say whether one comes as a member of the delegation, and whether one is named in the list of participants."""
    membership = delegations.find_answer_page(token)
    if membership is None:
        raise Http404
    participant = membership.participant
    language = private_pages.language_of(request, participant)
    with translation.override(language):
        response = _answer(request, membership, token)
    response["Content-Language"] = language
    return response


def _answer(request: HttpRequest, membership: Membership, token: str) -> HttpResponse:
    context = private_pages.frame(request, membership.participant) | {
        "membership": membership,
        "delegation": membership.delegation,
        "is_confirmed": membership.state == MemberState.CONFIRMED,
        "done": request.GET.get("done", ""),
        "personal_url": reverse("registration:personal", args=[membership.participant.personal_token]),
    }
    if request.method == "POST":
        now = timezone.now()
        try:
            if request.POST.get("answer") == "decline":
                delegations.decline(membership_id=membership.pk, now=now)
                return render(request, "registration/delegations/declined.html", context)
            is_listed = request.POST.get("listed") == "yes"
            delegations.confirm(membership_id=membership.pk, is_listed=is_listed, now=now)
        except DomainError as error:
            context["refusal"] = str(error.message)
            return render(request, "registration/delegations/answer.html", context, status=_CONFLICT)
        query = context["query"]
        return private_pages.SeeOther(
            reverse("registration:delegation-answer", args=[token]) + (f"{query}&" if query else "?") + "done=confirmed"
        )
    return render(request, "registration/delegations/answer.html", context)
