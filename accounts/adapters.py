"""What the library of signing in (django-allauth) asks our house: who may, how often, what is stored, where to next."""

from __future__ import annotations

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import attempts, qr
from accounts.models import RoleKind, User
from alliance import clients, crypto

_JUST_NOW = 600  # seconds


class AccountAdapter(DefaultAccountAdapter):
    """Signing in by password. Nobody signs up; nothing is counted in the cache."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy("The e-mail address and the password do not belong together."),
        "incorrect_password": gettext_lazy("This is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Accounts are made in the admin."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count before looking: too many is said without trying the password."""
        try:
            self._claim = attempts.claim("password", request, account=str(credentials.get("email", "")))
        except attempts.TooMany as error:
            raise ValidationError(str(error.message), code=error.code) from error

    def _rollback_login_failed_rl_usage(self) -> None:
        """It was the right password."""
        self._claim.give_back()

    def reauthenticate(self, user: Any, password: str) -> bool:
        """The password of whoever is signed in, once more."""
        found = self.authenticate(self.request, email=user.email, password=password)
        return found is not None and found.pk == user.pk

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """By password; by code for those who have none."""
        flows = {flow["id"] for flow in get_reauthentication_flows(user)} if user.is_authenticated else set()
        return [
            {"id": name, "description": "", "url": reverse(address)}
            for name, address in (
                ("reauthenticate", "account_reauthenticate"),
                ("mfa_reauthenticate", "mfa_reauthenticate"),
            )
            if name in flows
        ]

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Once more, unless whoever sits there has shown their password or factor just now."""
        shown = get_authentication_records(self.request, self.request.user)
        return not shown or time.time() - shown[-1]["at"] > _JUST_NOW

    def is_safe_url(self, url: str | None) -> bool:
        """Only our own pages: a log-in leads nowhere else."""
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={self.request.get_host()}, require_https=self.request.is_secure()
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        """What our proxy saw."""
        return clients.address_of(request) or "0.0.0.0"  # nosec B104 # noqa: S104 - stands for an address that is not known

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """To where somebody works: the admin, their side event, their delegation."""
        return home_of(request.user)

    def add_message(self, *arguments: Any, **more: Any) -> None:
        """Pages say themselves what has happened."""

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The library sends nothing: mail goes through the outbox."""
        raise NotImplementedError(template_prefix)

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Like a stranger."""
        return HttpResponseRedirect(reverse("account_login"))


def home_of(user: Any) -> str:
    """The page where a user's work begins."""
    if user.may_open_admin():
        return reverse("admin:index")
    if user.roles.filter(kind=RoleKind.CONVENOR).exists():
        return reverse("registration:convenor")
    if apps.get_model("registration.focalpoint").objects.filter(user=user).exists():
        return reverse("registration:delegations")
    return reverse("home")


class FactorAdapter(DefaultMFAAdapter):
    """Second factors: encrypted with the key of the house. Who needs one and removes it sets up another at once."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy("This code is not right, or was used already."),
    }

    def encrypt(self, text: str) -> str:
        """Seeds of codes."""
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Behind encrypt()."""
        return crypto.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """A code to scan, without inline styles."""
        return qr.svg(url)

    def get_totp_issuer(self) -> str:
        """What stands in the app on somebody's telephone."""
        return settings.SITE_DOMAIN

    def generate_authenticator_name(self, user: Any, type: Authenticator.Type) -> str:  # noqa: A002
        """For those who give none."""
        count = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return _("Passkey %(number)d") % {"number": count + 1}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The domain that passkeys belong to: never what a Host header says."""
        return {"id": settings.SITE_DOMAIN, "name": settings.SITE_DOMAIN}


class OpenIdAdapter(DefaultSocialAccountAdapter):
    """Signing in with another house's account, for people who have one here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Nobody gets an account this way."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Join the other account to ours, when the provider has verified the address; else say that it does not work.

        The library would wipe the password here; ours was set by somebody who had a mail at this address.
        """
        if not sociallogin.is_existing:
            verified = [one.email for one in sociallogin.email_addresses if one.verified is True]
            user = User.objects.filter(email__iexact=verified[0], is_active=True).first() if verified else None
            if user is None:
                raise ImmediateHttpResponse(refused(request))
            account = sociallogin.account
            SocialAccount.objects.create(user=user, provider=account.provider, uid=account.uid, extra_data={})
            sociallogin.lookup()
        if not getattr(sociallogin.user, "is_active", False):
            raise ImmediateHttpResponse(refused(request))

    def on_authentication_error(self, request: HttpRequest, *arguments: Any, **more: Any) -> None:
        """The provider refused, or somebody turned back."""
        raise ImmediateHttpResponse(refused(request))


def refused(request: HttpRequest) -> HttpResponse:
    """One answer for all reasons."""
    return render(request, "account/openid_refused.html", status=403)
