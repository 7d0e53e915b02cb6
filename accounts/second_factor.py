"""Who needs a second factor, and whether a session has shown one.

A session whose user needs one and has not shown it counts as signed in on the pages that set one up, and nowhere else
(accounts.middleware). It is marked when a code or passkey was right, and when a factor was set up in it; a factor that
is set up in another session does not make this one whole.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

_MARK = "second_factor_of"

# Pages for a session without its factor: setting one up, the password again, leaving.
SET_UP = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "account_reauthenticate",
        "account_logout",
    }
)


def is_needed_by(user: Any) -> bool:
    """Whether the user may open the admin or looks after a side event, in a house that asks for second factors."""
    return bool(settings.SECOND_FACTOR_REQUIRED and (user.is_staff or user.is_superuser or user.roles.exists()))


def is_shown(request: HttpRequest, user: Any) -> bool:
    """Whether this session has seen a second factor of this user."""
    return bool(request.session.get(_MARK) == str(user.public_id))


def is_missing(request: HttpRequest, user: Any) -> bool:
    """Whether the user of a session must set up a factor before anything else."""
    return bool(user.is_authenticated and not is_shown(request, user) and is_needed_by(user))


def mark(request: HttpRequest, user: Any) -> None:
    """This session has seen the factor of this user."""
    request.session[_MARK] = str(user.public_id)


def unmark(request: HttpRequest) -> None:
    """The factor has gone."""
    request.session.pop(_MARK, None)
