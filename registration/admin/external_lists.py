"""Figures from the list of another platform: choose the file, say what its columns are, look at the numbers, keep them.

The file is read and dropped; between the steps a sheet without names and addresses travels through the browser,
encrypted (registration.external_lists).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from events.admin import long_work, pages
from events.models import Conference, Country, JobState, Session, SessionState
from registration import external_lists
from registration.exports import work as exports
from registration.external_lists import ROLES, Counted, Line, ListRefused, Sheet
from registration.models import ImportKind, Measure
from registration.services import external_figures

_PERMISSION = "registration.change_figure"
_UNPROCESSABLE = 422
_MEASURES = (Measure.REGISTERED, Measure.CONFIRMED, Measure.ATTENDED)


class FileForm(forms.Form):
    """The list, and whose it is."""

    session = forms.ChoiceField(label=gettext_lazy("Session"))
    file = forms.FileField(
        label=gettext_lazy("List (.csv, .xlsx)"),
        max_length=200,
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        help_text=gettext_lazy(
            "A Zoom registration or attendee report, the answers of a Google form, or any list with a person a row."
        ),
        error_messages={"required": gettext_lazy("Choose a file.")},
    )

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sessions = list(
            Session.objects.filter(conference=conference).exclude(state=SessionState.CANCELLED).in_programme_order()
        )
        elsewhere = [one for one in sessions if one.has_external_registration]
        others = [one for one in sessions if not one.has_external_registration]
        choices: Any = self.fields["session"]
        choices.choices = [
            (label, [(str(one.public_id), str(one.title)) for one in group])
            for label, group in ((_("Registration elsewhere"), elsewhere), (_("Other sessions"), others))
            if group
        ]


class ColumnsForm(forms.Form):
    """What the columns are, what kind of list it is, and what being on it means."""

    kind = forms.ChoiceField(label=gettext_lazy("Kind of list"), choices=ImportKind.choices)
    measure = forms.ChoiceField(
        label=gettext_lazy("Who is on it"), choices=[(measure.value, measure.label) for measure in _MEASURES]
    )

    def __init__(self, *args: Any, sheet: Sheet, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        columns = [(str(place), heading or f"#{place + 1}") for place, heading in enumerate(sheet.header)]
        for role, label in ROLES.items():
            self.fields[role] = forms.ChoiceField(
                label=label, choices=[("", _("not in the list")), *columns], required=False
            )

    def clean(self) -> dict[str, Any]:
        """Somebody must be known by something."""
        data = super().clean() or self.cleaned_data
        if not any(data.get(role) for role in ("email", "name", "given_name", "family_name")):
            raise forms.ValidationError(_("Say which column holds the address or the name: people are counted by it."))
        return data

    def roles(self) -> dict[str, int]:
        """The column of each role, of a valid form."""
        return {role: int(self.cleaned_data[role]) for role in ROLES if self.cleaned_data[role]}


def _guess(sheet: Sheet) -> dict[str, str]:
    """The form as the headings suggest it."""
    measure = Measure.ATTENDED if sheet.kind == ImportKind.ZOOM_ATTENDEES else Measure.REGISTERED
    return {
        "kind": sheet.kind,
        "measure": measure.value,
        **{role: str(sheet.guessed[role]) if role in sheet.guessed else "" for role in ROLES},
    }


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Choose a file; then its columns, with the numbers beside those kept before; then keep them."""
    if request.method != "POST":
        if "work" in request.GET:
            return _read_by_worker(request, conference)
        return _page(request, conference, FileForm(conference=conference))
    if "sheet" in request.POST:
        return _columns(request, conference)
    form = FileForm(request.POST, request.FILES, conference=conference)
    if not form.is_valid():
        return _page(request, conference, form, status=_UNPROCESSABLE)
    session = _session(conference, form.cleaned_data["session"])
    file = form.cleaned_data["file"]
    try:
        if file.size > external_lists.MOST_BYTES:
            raise ListRefused(_("The file is too large."))
        data = file.read()
        if exports.is_large_list(data):
            order, back = {"session": str(session.public_id)}, pages.url("external-lists", conference)
            return long_work.order_work(request, exports.LIST, conference, order, upload=data, back=back)
        sheet = external_lists.read(data)
        packed = external_lists.pack(sheet, scope=str(session.public_id))
    except ListRefused as error:
        form.add_error("file", str(error.message))
        return _page(request, conference, form, status=_UNPROCESSABLE)
    return _preview(request, conference, session, sheet, packed, ColumnsForm(_guess(sheet), sheet=sheet))


def _session(conference: Conference, public_id: str) -> Session:
    try:
        found = Session.objects.filter(conference=conference, public_id=UUID(public_id)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _read_by_worker(request: HttpRequest, conference: Conference) -> HttpResponse:
    """The columns of a list that was too large to be read in a request."""
    try:
        job = long_work.own_job(request, UUID(request.GET["work"]), whole=True)
    except ValueError:
        raise Http404 from None
    if job.kind != exports.LIST or job.conference_id != conference.pk or job.state != JobState.DONE or not job.result:
        raise Http404
    session = _session(conference, job.order["session"])
    packed = bytes(job.result).decode()
    sheet = external_lists.unpack(packed, scope=str(session.public_id))
    return _preview(request, conference, session, sheet, packed, ColumnsForm(_guess(sheet), sheet=sheet))


def _columns(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Count again with other columns, or keep what the page shows."""
    session = _session(conference, request.POST.get("session", ""))
    packed = request.POST["sheet"]
    try:
        sheet = external_lists.unpack(packed, scope=str(session.public_id))
    except ListRefused as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(pages.url("external-lists", conference))
    form = ColumnsForm(request.POST, sheet=sheet)
    if not form.is_valid() or "keep" not in request.POST:
        return _preview(request, conference, session, sheet, packed, form)
    found = _lines(_counted(sheet, form), form)
    kind = ImportKind(form.cleaned_data["kind"])
    external_figures.store(session=session, kind=kind, found=found, by=actor(request), now=timezone.now())
    messages.success(request, _("The figures are kept; nothing else of the list is."))
    return HttpResponseRedirect(pages.url("figures", conference) + "#imported")


def _counted(sheet: Sheet, form: ColumnsForm) -> Counted:
    return external_lists.count(sheet, form.roles(), external_lists.spellings())


def _lines(counted: Counted, form: ColumnsForm) -> list[Line]:
    with translation.override("en"):
        names = {country.pk: str(country.name) for country in Country.objects.filter(pk__in=list(counted.countries))}
    return external_lists.lines(counted, measure=Measure(form.cleaned_data["measure"]), names=names)


def _preview(
    request: HttpRequest, conference: Conference, session: Session, sheet: Sheet, packed: str, form: ColumnsForm
) -> HttpResponse:
    is_valid = form.is_valid()
    counted = _counted(sheet, form) if is_valid else None
    found = _lines(counted, form) if counted is not None else []
    before = external_figures.earlier(session, form.cleaned_data["kind"]) if is_valid else []
    context = pages.context(request, conference, "external-lists", _("Figures from another platform's list")) | {
        "session": session,
        "sheet": sheet,
        "packed": packed,
        "form": form,
        "counted": counted,
        "changes": _changes(found, {(one.measure, one.group): one.value for one in before}),
        "replaces": before[0].source if before else "",
        "back": pages.url("external-lists", conference),
    }
    template = "admin/registration/external_list_columns.html"
    return TemplateResponse(request, template, context, status=200 if is_valid else _UNPROCESSABLE)


def _changes(found: list[Line], before: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    """Each figure as it was and as it will be; None where there is none."""
    now = {(measure, group): value for measure, group, value in found}
    return [
        {"measure": Measure(key[0]).label, "group": key[1], "before": before.get(key), "now": now.get(key)}
        for key in [*now, *(key for key in before if key not in now)]
    ]


def _page(request: HttpRequest, conference: Conference, form: FileForm, *, status: int = 200) -> HttpResponse:
    context = pages.context(request, conference, "external-lists", _("Figures from another platform's list")) | {
        "form": form,
        "back": pages.url("figures", conference),
    }
    return TemplateResponse(request, "admin/registration/external_list.html", context, status=status)


pages.register("external-lists", page, permission=_PERMISSION, route="figures/lists/", of="figures")
