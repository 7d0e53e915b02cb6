"""One token for all workers.

Fetching a second token can make the first worthless (Zoom does so), and twenty workers that each fetch their own stop
each other. The row in the database says who fetches; the others wait for it, and nobody holds a lock or a transaction
while the network is asked.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from video.adapters.errors import AuthExpired, OperatorActionNeeded, Unavailable, VideoError
from video.models import AccessToken

MARGIN = timedelta(seconds=60)  # a token is not used in its last minute
FETCHING = timedelta(seconds=15)  # longer than a call may take: then somebody else fetches
PAUSE = timedelta(seconds=5)  # after a refusal nobody asks again for so long
_LOOK = 0.05  # seconds between looks

_Answer = TypeVar("_Answer")


class CredentialsRefused(OperatorActionNeeded):
    """The platform does not know our application or account any more: nothing can be done there at all."""

    code = "video_credentials_refused"
    message = _("The video platform refuses our credentials.")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A new token. seconds: how long it lives. api_url: where it is good, if the platform says so."""

    value: str = field(repr=False)
    seconds: int
    api_url: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """The token that all workers use. version: says which one it was when the platform refuses it."""

    value: str = field(repr=False)
    version: int
    api_url: str = ""


def name_of(*parts: str) -> str:
    """The name of the row of somebody's token: a hash of service, account and client."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def get(name: str, fetch: Callable[[], Fetched], *, refused: int | None = None, seconds: float = 10.0) -> Token:
    """The token under a name, fetched when there is none that lives.

    fetch: asks the platform; called by one worker at a time, outside of locks. refused: the version the platform has
    just refused. seconds: how long to wait for somebody else who fetches.
    Raises CredentialsRefused, Unavailable, and what fetch raises.
    """
    until = time.monotonic() + seconds
    AccessToken.objects.bulk_create([AccessToken(name=name)], ignore_conflicts=True)
    while True:
        now = timezone.now()
        row = AccessToken.objects.defer("value").get(name=name)
        if row.version != refused and row.expires_at is not None and row.expires_at > now + MARGIN:
            try:
                return Token(AccessToken.objects.only("value").get(name=name).value, row.version, row.api_url)
            except crypto.Unreadable:  # the key of the house was changed: as if there were none
                refused = row.version
        if row.failed_until is not None and row.failed_until > now:
            raise CredentialsRefused
        mine = AccessToken.objects.filter(name=name, version=row.version).filter(
            Q(fetching_until=None) | Q(fetching_until__lte=now)
        )
        if mine.update(fetching_until=now + FETCHING):
            return _fetch(name, fetch)
        if time.monotonic() >= until:
            raise Unavailable
        time.sleep(_LOOK)


def use(current: Callable[..., Token], ask: Callable[[Token], _Answer]) -> _Answer:
    """Ask with the token of all; refused, once more with a new one.

    current: gives the token; refused= says which version the platform has just refused. Raises AuthExpired when the new
    one is refused, too.
    """
    token = current()
    try:
        return ask(token)
    except AuthExpired:
        return ask(current(refused=token.version))


def _fetch(name: str, fetch: Callable[[], Fetched]) -> Token:
    row = AccessToken.objects.filter(name=name)
    try:
        fetched = fetch()
    except (AuthExpired, OperatorActionNeeded):
        row.update(fetching_until=None, failed_until=timezone.now() + PAUSE)
        raise CredentialsRefused from None
    except VideoError:
        row.update(fetching_until=None)
        raise
    row.update(
        value=fetched.value,
        api_url=fetched.api_url,
        expires_at=timezone.now() + timedelta(seconds=fetched.seconds),
        version=F("version") + 1,
        fetching_until=None,
        failed_until=None,
    )
    found = AccessToken.objects.defer("value").get(name=name)
    return Token(fetched.value, found.version, fetched.api_url)
