"""The admin's page of somebody's second factor: what they have, and the reset that takes two administrators."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from accounts import factor_resets
from accounts.models import User
from alliance.admin import refuse
from alliance.exceptions import DomainError

_DO = {"ask": factor_resets.ask, "confirm": factor_resets.confirm, "withdraw": factor_resets.withdraw}


def page(request: HttpRequest, user: User, context: dict[str, object]) -> HttpResponse:
    """Show it, or do what a button says. For administrators who do not stand below the person.

    context: of every admin page.
    """
    by = request.user
    assert isinstance(by, User)  # noqa: S101 - the admin lets nobody else in
    if by.pk == user.pk or not factor_resets.may_act(by, user):
        refuse(request, "second_factor")
    now = timezone.now()
    refused = ""
    if request.method == "POST":
        action = _DO.get(request.POST.get("do", ""))
        if action is None:
            raise Http404
        try:
            action(user, by=by, now=now)
        except DomainError as error:
            refused = str(error.message)
        else:
            return HttpResponseRedirect(reverse("admin:accounts_user_second_factor", args=[user.pk]))
    factors = Authenticator.objects.filter(user=user)
    waiting = factor_resets.open_reset(user, now=now)
    found = {
        "person": user,
        "has_factor": factors.exists(),
        "kinds": [one.get_type_display() for one in factors.order_by("type")],
        "waiting": waiting,
        "is_mine": waiting is not None and waiting.asked_by_id == by.pk,
        "refused": refused,
        "opts": User._meta,
    }
    return TemplateResponse(request, "admin/accounts/user/second_factor.html", context | found)
