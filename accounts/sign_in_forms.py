"""Forms of signing in: the library's, in our words, counted by accounts.attempts."""

from __future__ import annotations

import hmac
import time
from typing import Any, cast

from allauth.account.forms import LoginForm, ReauthenticateForm
from allauth.core import context
from allauth.mfa import app_settings
from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.totp.internal import auth as totp_auth
from allauth.mfa.utils import decrypt
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import attempts
from accounts.models import User
from alliance.field_errors import ClearErrors

_LAST_STEP = "last_step"


def claimed(kind: str, user: Any) -> attempts.Claim:
    """Count an attempt of a user of the present request. Raises ValidationError when it is one too many."""
    try:
        return attempts.claim(kind, context.request, account=user.email)
    except attempts.TooMany as error:
        raise ValidationError(str(error.message), code=error.code) from error


def code_field() -> forms.CharField:
    """A code from an app, or a recovery code: password managers know what to put in."""
    widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"})
    missing = {"required": _("Enter the code.")}
    return forms.CharField(label=_("Code"), max_length=20, widget=widget, error_messages=missing)


class SignInForm(ClearErrors, LoginForm):
    """E-mail address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.EmailField(
            label=_("E-mail address"),
            max_length=254,
            # With mistakes in it, the focus goes to the summary of them.
            widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": not self.is_bound}),
            error_messages={"required": _("Enter your e-mail address.")},
        )
        self.fields["password"] = password_field(_("Password"))
        self.order_fields(["login", "password"])


def password_field(label: Any) -> forms.CharField:
    """The password somebody has. Pasting is welcome."""
    return forms.CharField(
        label=label,
        strip=False,
        max_length=4096,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        error_messages={"required": _("Enter your password.")},
    )


class PasswordAgainForm(ClearErrors, ReauthenticateForm):
    """Before factors are changed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"] = password_field(_("Your password"))


class _Coded(ClearErrors, forms.Form):
    """A code of an app or of the list of recovery codes; each counts once.

    The library keeps used codes in the cache, which may be away; here the last step of time that was used stays with
    the factor (RFC 6238, section 5.2), under a lock.
    """

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        """Try it."""
        claim = claimed("code", self.user)
        code = str(self.cleaned_data["code"])
        found = self._matching(code)
        if found is None:
            raise base.get_adapter().validation_error("incorrect_code")
        claim.give_back()
        found.user = self.user
        self.authenticator = found
        return code

    @transaction.atomic
    def _matching(self, code: str) -> Authenticator | None:
        known = Authenticator.objects.select_for_update().filter(user=self.user).exclude(type="webauthn").order_by("pk")
        for one in known:
            if one.type == Authenticator.Type.RECOVERY_CODES:
                if one.wrap().validate_code(code):
                    return cast("Authenticator", one)
                continue
            step = step_of(decrypt(one.data["secret"]), code, after=one.data.get(_LAST_STEP, 0))
            if step is not None:
                one.data[_LAST_STEP] = step
                one.save(update_fields=["data"])
                return cast("Authenticator", one)
        return None


def step_of(secret: str, code: str, *, after: int = 0) -> int | None:
    """The step of time that a code belongs to: the present one or a neighbour, later than the last that was used."""
    typed = "".join(code.split())
    now = int(time.time()) // app_settings.TOTP_PERIOD
    for step in range(now - app_settings.TOTP_TOLERANCE, now + app_settings.TOTP_TOLERANCE + 1):
        expected = totp_auth.format_hotp_value(totp_auth.hotp_value(secret, step))
        if step > after and hmac.compare_digest(expected.encode(), typed.encode()):
            return step
    return None


class CodeForm(_Coded, base.AuthenticateForm):
    """The second step of signing in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = code_field()


class CodeAgainForm(_Coded, base.ReauthenticateForm):
    """Before factors are changed, for those without a password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = code_field()


class FirstCodeForm(ClearErrors, totp.ActivateTOTPForm):
    """Shows that the app on the telephone has understood."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"] = code_field()

    def clean_code(self) -> str:
        """Try it."""
        claim = claimed("code", self.user)
        code = str(self.cleaned_data["code"])
        step = step_of(self.secret, code)
        if step is None:
            raise base.get_adapter().validation_error("incorrect_code")
        claim.give_back()
        self.step = step
        return code

    def spend(self, user: User) -> None:
        """The code has set up the app: it signs nobody in afterwards."""
        for one in Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP):
            one.data[_LAST_STEP] = self.step
            one.save(update_fields=["data"])


class PasskeyForm(webauthn.AuthenticateWebAuthnForm):
    """The answer of a passkey in the second step."""

    def clean_credential(self) -> Authenticator:
        """Try it."""
        claim = claimed("code", self.user)
        found = super().clean_credential()
        claim.give_back()
        return cast("Authenticator", found)


class NewPasskeyForm(ClearErrors, webauthn.AddWebAuthnForm):
    """A passkey to add."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"] = forms.CharField(
            label=_("Name of the passkey"),
            help_text=_("So that you know later which one it is, such as “work laptop”."),
            required=False,
            max_length=60,
            initial="",
        )
        self.initial["name"] = ""


class ForgottenForm(ClearErrors, forms.Form):
    """Whose password is to be set anew."""

    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username"}),
        error_messages={"required": _("Enter your e-mail address.")},
    )


_MISSING_PASSWORDS = {
    "old_password": _("Enter your present password."),
    "new_password1": _("Enter a new password."),
    "new_password2": _("Enter the new password once more."),
}


class _NewPassword(ClearErrors):
    """Says which of the passwords is missing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.error_messages["required"] = _MISSING_PASSWORDS[name]


class ChangePasswordForm(_NewPassword, PasswordChangeForm):
    """The present password is tried as often as in signing in, and no more."""

    def clean_old_password(self) -> str:
        """Try it."""
        claim = claimed("password", self.user)
        found = super().clean_old_password()
        claim.give_back()
        return found


class NewPasswordForm(_NewPassword, SetPasswordForm):  # type: ignore[type-arg]
    """A new password, by the link of a mail."""
