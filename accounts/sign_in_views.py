"""Pages of signing in: the library's steps in our frame, and forgotten passwords.

Asking for a new password answers the same, after the same steps of time, whether an address is known or not
(docs/decisions/0010-neutral-answer.md).
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, cast

from allauth.account import views as account_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn import views as passkey_views
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts import attempts, password_mails, second_factor, sign_in_records
from accounts.adapters import home_of
from accounts.models import User
from accounts.sign_in_forms import ChangePasswordForm, ForgottenForm, NewPasswordForm

_STEP = 0.05  # seconds; more than either answer takes on a machine that is not overloaded
_AFTER = "after_set_up"


def _own_page(request: HttpRequest, path: str) -> str:
    """The path, when it is one of ours; else empty."""
    is_ours = url_has_allowed_host_and_scheme(path, {request.get_host()}, require_https=request.is_secure())
    return path if is_ours else ""


class SignIn(account_views.LoginView):
    """By e-mail address and password. A session whose second factor is missing goes on to set one up."""

    template_name = "account/login.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Lead on who is half signed in."""
        named = getattr(request, "named_user", request.user)
        if second_factor.is_missing(request, named):
            after = _own_page(request, request.GET.get("next", ""))
            return HttpResponseRedirect(reverse("mfa_index") + (f"?{urlencode({'next': after})}" if after else ""))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Whether another house's account works here, too."""
        after = self.request.GET.get("next", "")
        openid = ""
        if settings.OIDC_SERVER_URL:
            openid = reverse("openid_connect_login", args=["house"])
            openid += f"?{urlencode({'next': after})}" if _own_page(self.request, after) else ""
        return super().get_context_data(**kwargs) | {"openid_url": openid, "openid_name": settings.OIDC_NAME}


class Code(mfa_views.AuthenticateView):
    """The second step: a code of an app, a recovery code, or a passkey."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the browser needs to ask for a passkey, for those who have one."""
        context = super().get_context_data(**kwargs)
        user = self.stage.login.user
        options = context["js_data"]["request_options"]
        has_passkey = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists()
        return context | {"has_passkey": has_passkey, "passkey_options": json.dumps(_plain(options))}


class NewApp(totp_views.ActivateTOTPView):
    """An app with codes to set up."""

    def form_valid(self, form: Any) -> HttpResponse:
        """This session has shown it, whatever becomes of the signals that follow the commit."""
        with transaction.atomic():
            response = super().form_valid(form)
            form.spend(self.request.user)
        second_factor.mark(self.request, self.request.user)
        return response


class NewPasskey(passkey_views.AddWebAuthnView):
    """A passkey to add."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the browser needs to make one."""
        context = super().get_context_data(**kwargs)
        return context | {"passkey_options": json.dumps(_plain(context["js_data"]["creation_options"]))}


def _plain(options: Any) -> Any:
    """The library's objects as JSON has them: bytes are base64url there already."""
    if isinstance(options, Mapping):
        return {name: _plain(value) for name, value in dict(options).items()}
    if isinstance(options, list | tuple):
        return [_plain(value) for value in options]
    return options


class Factors(mfa_views.IndexView):
    """One's own second factors; for a session without one, the only page there is."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Remember where somebody wanted to go before they were led here."""
        request = self.request
        asked = _own_page(request, request.GET.get("next", ""))
        if asked:
            request.session[_AFTER] = asked
        user: Any = request.user
        return super().get_context_data(**kwargs) | {
            "is_missing": second_factor.is_missing(request, user),
            "is_needed": second_factor.is_needed_by(user),
            "on_with": request.session.get(_AFTER) or home_of(user),
        }


def _page(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    add_never_cache_headers(response)
    return response


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail."""
    if request.method != "POST":
        return _page(request, "account/password_reset.html", {"form": ForgottenForm()})
    started = time.monotonic()
    form = ForgottenForm(request.POST)
    response: HttpResponse | None = None
    if form.is_valid():
        now = timezone.now()
        try:
            attempts.claim("reset", request, account=form.cleaned_data["email"], now=now)
        except attempts.TooMany as error:
            form.add_error(None, str(error.message))
        else:
            password_mails.queue(form.cleaned_data["email"], language=get_language() or "en", now=now)
            response = HttpResponseRedirect(reverse("account_reset_password_done"))
    if response is None:
        response = _page(request, "account/password_reset.html", {"form": form})
    time.sleep(-(time.monotonic() - started) % _STEP)
    return response


def forgotten_done(request: HttpRequest) -> HttpResponse:
    """The same for everybody."""
    return _page(request, "account/password_reset_done.html", {})


class NewPassword(PasswordResetConfirmView):
    """The page behind the link of the mail. It signs nobody in: the second factor is still asked for."""

    template_name = "account/password_reset_from_key.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("account_reset_password_from_key_done")

    def form_valid(self, form: Any) -> HttpResponse:
        """With a line in the audit trail; other sessions end by themselves."""
        response = super().form_valid(form)
        sign_in_records.record(cast("User", self.user), sign_in_records.PASSWORD_RESET)
        return response


def new_password_done(request: HttpRequest) -> HttpResponse:
    """On to signing in."""
    return _page(request, "account/password_reset_from_key_done.html", {})


@sensitive_post_parameters()
@csrf_protect
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change_password(request: HttpRequest) -> HttpResponse:
    """One's own password. All other sessions end."""
    user = cast("User", request.user)
    form = ChangePasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        update_session_auth_hash(request, user)
        sign_in_records.record(user, sign_in_records.PASSWORD_CHANGED)
        return HttpResponseRedirect(f"{reverse('account_change_password')}?done=1")
    context = {"form": form, "is_done": request.method != "POST" and "done" in request.GET}
    return _page(request, "account/password_change.html", context)


def leave(request: HttpRequest) -> HttpResponse:
    """Sign out; asked for by a form of ours."""
    from django.contrib.auth import logout

    if request.method == "POST":
        logout(request)
        return HttpResponseRedirect(reverse("account_login"))
    return _page(request, "account/logout.html", {})
