"""Pages on which tokens for programs are made, looked through and revoked: by focal points, and by organisers.

A new token is shown once, on the page that answers; it is stored nowhere, so a reader who loses it makes another one.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.admin import actor
from alliance import field_errors
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference, Session
from registration import private_pages
from registration.delegations.views import by_focal_point, crumbs_of, focal_points_only
from registration.models import ApiGrant, Delegation, Scope
from registration.models.api_grant import OF_SESSIONS
from registration.services import api_tokens

_USUAL_DAYS = 90
_UNPROCESSABLE = 422


class TokenForm(field_errors.ClearErrors, forms.Form):
    """What a new token is for."""

    label = forms.CharField(
        label=gettext_lazy("What is it for?"),
        max_length=100,
        help_text=gettext_lazy("Such as the name of the program, so that you know later which token to revoke."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": gettext_lazy("Enter what the token is for.")},
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What may it do?"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose what the token may do.")},
    )
    expires_on = forms.DateField(
        label=gettext_lazy("Last day"),
        help_text=gettext_lazy("At most a year from today."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": gettext_lazy("Enter the last day on which the token works.")},
    )

    def __init__(self, *args: Any, zone: ZoneInfo, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone, self.now = zone, now
        today = now.astimezone(zone).date()
        field = self.fields["expires_on"]
        field.initial = today + timedelta(days=_USUAL_DAYS)
        field.widget.attrs |= {"min": today.isoformat(), "max": (today + timedelta(days=365)).isoformat()}

    def clean_expires_on(self) -> datetime:
        """The end of that day on the venue's clock, within a year."""
        day = self.cleaned_data["expires_on"]
        today = self.now.astimezone(self.zone).date()
        if not today <= day <= today + timedelta(days=365):
            raise forms.ValidationError(_("Choose a day from today to a year from today."))
        return datetime.combine(day, time(23, 59, 59), tzinfo=self.zone)


class AnyTokenForm(TokenForm):
    """With what the token reaches, for organisers."""

    target = forms.ChoiceField(
        label=gettext_lazy("Whose data?"),
        error_messages={"required": gettext_lazy("Choose whose data the token reaches.")},
    )
    field_order = ("target", "label", "scopes", "expires_on")

    def __init__(self, *args: Any, conference: Conference, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        delegations = Delegation.objects.filter(conference=conference).select_related("country", "organisation")
        sessions = Session.objects.filter(conference=conference, admissions__isnull=False).distinct()
        self.targets: dict[str, Delegation | Session] = {f"d{one.public_id}": one for one in delegations}
        self.targets |= {f"s{one.public_id}": one for one in sessions.order_by("position", "pk")}
        field = self.fields["target"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - it is declared above
        field.choices = [
            (label, [(key, _named(one)) for key, one in self.targets.items() if key.startswith(kind)])
            for label, kind in ((_("Delegations"), "d"), (_("Side events"), "s"))
        ]

    def clean(self) -> dict[str, Any]:
        """A side event has no members."""
        data = super().clean() or self.cleaned_data
        target = self.targets.get(data.get("target", ""))
        if isinstance(target, Session) and set(data.get("scopes", [])) - set(OF_SESSIONS):
            self.add_error(
                "scopes", _("For a side event a token reads registrations and the programme, and nothing else.")
            )
        return data


def _named(target: Delegation | Session) -> str:
    return target.name if isinstance(target, Delegation) else str(target.title)


def _rows(grants: QuerySet[ApiGrant], *, now: datetime) -> list[dict[str, Any]]:
    """Tokens as both pages list them: those that work first, the newest first."""
    rows = []
    related = ("token__owner", "delegation__country", "delegation__organisation", "session")
    for grant in grants.select_related(*related).order_by("-token__created_at", "-pk"):
        token = grant.token
        state = "revoked" if token.revoked_at else "expired" if token.expires_at <= now else "works"
        if state == "works" and not api_tokens.still_stands(grant):
            state = "orphaned"
        names = [str(Scope(scope).label) for scope in token.scopes]
        target = grant.delegation or grant.session
        rows.append(
            {"grant": grant, "token": token, "state": state, "scopes": names, "whose": _named(target) if target else ""}
        )
    return sorted(rows, key=lambda row: row["state"] != "works")


def _revoke(request: HttpRequest, grants: QuerySet[ApiGrant], *, by: Actor) -> None:
    """The token that the form names. Raises Http404 for those of others."""
    try:
        public_id = UUID(request.POST.get("token", ""))
    except ValueError:
        raise Http404 from None
    grant = grants.select_related("token", "delegation", "session").filter(token__public_id=public_id).first()
    if grant is None:
        raise Http404
    api_tokens.revoke(grant=grant, by=by, now=timezone.now())


def _make(form: TokenForm, target: Delegation | Session, *, by: Actor) -> api_tokens.Made | None:
    """A token, or the reason among the form's errors."""
    try:
        return api_tokens.make(
            target=target,
            label=form.cleaned_data["label"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.cleaned_data["expires_on"],
            by=by,
            now=form.now,
        )
    except DomainError as error:
        form.add_error(None, str(error.message))
        return None


@require_http_methods(["GET", "HEAD", "POST"])
@focal_points_only
def of_delegation(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """The tokens of my delegation."""
    now = timezone.now()
    zone = delegation.conference.zone
    grants = ApiGrant.objects.filter(delegation=delegation)
    form, made, status = TokenForm(zone=zone, now=now), None, 200
    if request.method == "POST" and request.POST.get("action") == "revoke":
        _revoke(request, grants, by=by_focal_point(request))
        return private_pages.SeeOther(
            reverse("registration:delegation-tokens", args=[delegation.public_id]) + "?done=revoked"
        )
    if request.method == "POST":
        form = TokenForm(request.POST, zone=zone, now=now)
        made = _make(form, delegation, by=by_focal_point(request)) if form.is_valid() else None
        status = 200 if made else _UNPROCESSABLE
    context = {
        "delegation": delegation,
        "crumbs": crumbs_of(delegation),
        "form": TokenForm(zone=zone, now=now) if made else form,
        "made": made,
        "rows": _rows(grants, now=now),
        "zone": zone,
        "done": request.GET.get("done", ""),
    }
    return render(request, "registration/delegations/tokens.html", context, status=status)


def of_conference(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All tokens for delegations and side events of a conference, for organisers."""
    now = timezone.now()
    grants = ApiGrant.objects.filter(Q(delegation__conference=conference) | Q(session__conference=conference))
    form, made, status = AnyTokenForm(zone=conference.zone, now=now, conference=conference), None, 200
    if request.method == "POST" and request.POST.get("action") == "revoke":
        _revoke(request, grants, by=actor(request))
        messages.success(request, _("The token is revoked. It works no more."))
        return HttpResponseRedirect(pages.url("api-tokens", conference))
    if request.method == "POST":
        form = AnyTokenForm(request.POST, zone=conference.zone, now=now, conference=conference)
        made = _make(form, form.targets[form.cleaned_data["target"]], by=actor(request)) if form.is_valid() else None
        status = 200 if made else _UNPROCESSABLE
    context = pages.context(request, conference, "api-tokens", _("API tokens")) | {
        "form": AnyTokenForm(zone=conference.zone, now=now, conference=conference) if made else form,
        "made": made,
        "rows": _rows(grants, now=now),
    }
    response = TemplateResponse(request, "admin/registration/api_tokens.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


pages.register(
    "api-tokens",
    of_conference,
    permission="registration.change_delegation",
    label=gettext_lazy("API tokens"),
    order=50,
    group=pages.Group.CONFERENCE,
)
