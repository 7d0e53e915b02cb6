"""Pages on which webhooks are set up and looked after: by focal points, and by organisers for partners.

A secret is shown once, on the page that answers. Organisers see the webhooks of delegations too, and can stop them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts.actors import Actor
from accounts.admin import actor
from alliance.exceptions import DomainError
from events.admin import pages
from events.models import Conference
from registration import private_pages
from registration.delegations.views import by_focal_point, crumbs_of, focal_points_only
from registration.models import Delegation, DeliveryState, WebhookEvent, WebhookState, WebhookSubscription
from registration.models.webhook import OF_MEMBERS, OF_PROGRAMME, PauseReason, WebhookDelivery
from registration.services import webhooks

_UNPROCESSABLE = 422
_SHOWN = 15  # deliveries of each webhook

_DONE: dict[str, str | Promise] = {
    "drop": gettext_lazy("The secret before counts no more."),
    "pause": gettext_lazy("The webhook is paused. Nothing is sent."),
    "resume": gettext_lazy("The webhook goes on."),
    "remove": gettext_lazy("The webhook is removed."),
    "test": gettext_lazy("A test is on its way. Load this page again in a moment to see the answer."),
    "again": gettext_lazy("It is sent again."),
}
_PROBLEMS: dict[str, str | Promise] = {
    "unknown-name": gettext_lazy("The name of the server is not known."),
    "not-public": gettext_lazy("The server has an address inside a private network."),
    "too-slow": gettext_lazy("No answer within ten seconds."),
    "no-connection": gettext_lazy("No connection, or a certificate that is not valid."),
    "broken-off": gettext_lazy("The connection broke off."),
    "too-big": gettext_lazy("The answer was too long."),
}


class WebhookForm(forms.Form):
    """Where to tell what."""

    label = forms.CharField(
        label=gettext_lazy("What is it for?"),
        max_length=100,
        help_text=gettext_lazy("Such as the name of the program or of the partner."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        help_text=gettext_lazy("Begins with https:// and can be reached from the internet."),
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("What shall it be told?"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, with_members: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["events"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101 - it is declared above
        known = (*OF_MEMBERS, *OF_PROGRAMME) if with_members else OF_PROGRAMME
        field.choices = [(event.value, event.label) for event in known]


def _rows(subscriptions: QuerySet[WebhookSubscription], *, now: datetime) -> list[dict[str, Any]]:
    """Webhooks as both pages list them, each with the newest lines of its log."""
    related = ("delegation__country", "delegation__organisation", "made_by")
    return [
        {
            "webhook": one,
            "host": urlsplit(one.url).hostname,
            "whose": one.delegation.name if one.delegation else _("Partner"),
            "events": [str(WebhookEvent(event).label) for event in one.events],
            "is_active": one.state == WebhookState.ACTIVE,
            "reason": PauseReason(one.pause_reason).label if one.pause_reason else "",
            "waits": one.not_before if one.not_before and one.not_before > now else None,
            "deliveries": [_line(each) for each in one.deliveries.newest_first()[:_SHOWN]],
        }
        for one in subscriptions.select_related(*related).order_by("made_at", "pk")
    ]


def _line(delivery: WebhookDelivery) -> dict[str, Any]:
    return {
        "delivery": delivery,
        "event": WebhookEvent(delivery.event).label,
        "state": DeliveryState(delivery.state).label,
        "problem": _PROBLEMS.get(delivery.problem, delivery.problem),
        "may_repeat": delivery.state != DeliveryState.WAITING,
    }


def _found(request: HttpRequest, subscriptions: QuerySet[WebhookSubscription]) -> WebhookSubscription:
    """The webhook that the form names. Raises Http404 for those of others."""
    related = ("delegation__conference", "conference")
    found = subscriptions.select_related(*related).filter(public_id=_id(request, "webhook")).first()
    if found is None:
        raise Http404
    return found


def _id(request: HttpRequest, name: str) -> UUID:
    try:
        return UUID(request.POST.get(name, ""))
    except ValueError:
        raise Http404 from None


def _rotate(subscription: WebhookSubscription, by: Actor, now: datetime) -> webhooks.Made | None:
    """A new secret; None when the one before still counts, as a second click finds it."""
    try:
        return webhooks.rotate(subscription, by=by, now=now)
    except webhooks.StillRotating:
        return None


_ACTIONS: dict[str, Callable[..., object]] = {
    "drop": webhooks.drop_old_secret,
    "pause": webhooks.pause,
    "resume": webhooks.resume,
    "remove": webhooks.remove,
}


def _act(request: HttpRequest, subscriptions: QuerySet[WebhookSubscription], *, by: Actor, now: datetime) -> str:
    """Do what a button says; its name. Raises Http404."""
    action = request.POST.get("action", "")
    subscription = _found(request, subscriptions)
    if action in _ACTIONS:
        _ACTIONS[action](subscription, by=by, now=now)
    elif action == "test":
        webhooks.send_test(subscription, now=now)
    elif action == "again":
        delivery = subscription.deliveries.filter(public_id=_id(request, "delivery")).first()
        if delivery is None:
            raise Http404
        webhooks.send_again(delivery, now=now)
    else:
        raise Http404
    return action


def _make(
    form: WebhookForm, conference: Conference, delegation: Delegation | None, *, by: Actor, now: datetime
) -> webhooks.Made | None:
    """A webhook, or the reason among the form's errors."""
    try:
        return webhooks.make(conference=conference, delegation=delegation, by=by, now=now, **form.cleaned_data)
    except webhooks.AddressRefused as error:
        form.add_error("url", str(error.message))
    except DomainError as error:
        form.add_error(None, str(error.message))
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@focal_points_only
def of_delegation(request: HttpRequest, delegation: Delegation) -> HttpResponse:
    """The webhooks of my delegation."""
    now, by = timezone.now(), by_focal_point(request) if request.method == "POST" else None
    subscriptions = WebhookSubscription.objects.filter(delegation=delegation)
    form, made, status = WebhookForm(with_members=True), None, 200
    if by is not None and request.POST.get("action") == "rotate":
        made = _rotate(_found(request, subscriptions), by, now)
    elif by is not None and "action" in request.POST:
        done = _act(request, subscriptions, by=by, now=now)
        address = reverse("registration:delegation-webhooks", args=[delegation.public_id])
        return private_pages.SeeOther(f"{address}?done={done}")
    elif by is not None:
        form = WebhookForm(request.POST, with_members=True)
        made = _make(form, delegation.conference, delegation, by=by, now=now) if form.is_valid() else None
        status = 200 if made else _UNPROCESSABLE
    context = {
        "delegation": delegation,
        "crumbs": crumbs_of(delegation),
        "form": WebhookForm(with_members=True) if made else form,
        "made": made,
        "rows": _rows(subscriptions, now=now),
        "zone": delegation.conference.zone,
        "done": _DONE.get(request.GET.get("done", ""), ""),
    }
    return render(request, "registration/delegations/webhooks.html", context, status=status)


def of_conference(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All webhooks of a conference, for organisers; those that are set up here are of partners."""
    now = timezone.now()
    subscriptions = WebhookSubscription.objects.filter(conference=conference)
    form, made, status = WebhookForm(with_members=False), None, 200
    if request.method == "POST" and request.POST.get("action") == "rotate":
        made = _rotate(_found(request, subscriptions), actor(request), now)
    elif request.method == "POST" and "action" in request.POST:
        done = _act(request, subscriptions, by=actor(request), now=now)
        messages.success(request, str(_DONE[done]))
        return HttpResponseRedirect(pages.url("webhooks", conference))
    elif request.method == "POST":
        form = WebhookForm(request.POST, with_members=False)
        made = _make(form, conference, None, by=actor(request), now=now) if form.is_valid() else None
        status = 200 if made else _UNPROCESSABLE
    context = pages.context(request, conference, "webhooks", _("Webhooks")) | {
        "form": WebhookForm(with_members=False) if made else form,
        "made": made,
        "rows": _rows(subscriptions, now=now),
        "zone": conference.zone,
    }
    response = TemplateResponse(request, "admin/registration/webhooks.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response


pages.register(
    "webhooks",
    of_conference,
    permission=webhooks.RIGHT,
    label=gettext_lazy("Webhooks"),
    order=60,
    group=pages.Group.CONFERENCE,
)
