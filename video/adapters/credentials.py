"""The credentials of a host account: from its encrypted field, else from the environment."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from alliance import crypto
from alliance.environment import env
from video.adapters.errors import OperatorActionNeeded
from video.models import HostAccount, Service

# What each service needs, without the prefix. docs/operations.md explains them.
NEEDED: dict[str, tuple[str, ...]] = {
    Service.ZOOM: ("ACCOUNT_ID", "CLIENT_ID", "CLIENT_SECRET"),
    Service.WEBEX: ("CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"),
    Service.TEAMS: ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN"),
    Service.BIGBLUEBUTTON: ("URL", "SECRET"),
    Service.JITSI: ("URL",),
}
_PREFIX: dict[str, str] = {Service.BIGBLUEBUTTON: "BBB"}


class Credentials:
    """The values of one account. Never shown, compared or logged."""

    def __init__(self, account: HostAccount) -> None:
        self.prefix = account.variables or _PREFIX.get(account.service, account.service.upper())
        try:
            self._rows = dict(_lines(account.credentials))
        except crypto.Unreadable:  # the key of the house was changed: as if nothing had been entered
            self._rows = {}

    def get(self, name: str, default: str = "") -> str:
        """A value; name is without the prefix."""
        return self._rows.get(name) or env.str(f"{self.prefix}_{name}", default=default)

    def __getitem__(self, name: str) -> str:
        """A value that must be there. Raises OperatorActionNeeded with the name of the variable."""
        if value := self.get(name):
            return value
        raise OperatorActionNeeded(_("The variable %(name)s is not set.") % {"name": f"{self.prefix}_{name}"})

    def __repr__(self) -> str:
        return f"Credentials({self.prefix})"


def replace(account: HostAccount, name: str, value: str) -> None:
    """Keep a value that the platform has given us in place of an older one. It wins over the environment."""
    with transaction.atomic():
        row = HostAccount.objects.select_for_update(no_key=True).filter(pk=account.pk).first()
        if row is None:
            return
        try:
            kept = [(key, text) for key, text in _lines(row.credentials) if key != name]
        except crypto.Unreadable:
            kept = []
        row.credentials = "\n".join(f"{key}={text}" for key, text in [*kept, (name, value)])
        row.save(update_fields=["credentials"])
    account.credentials = row.credentials


def missing(account: HostAccount) -> list[str]:
    """The variables that are not set for an account."""
    found = Credentials(account)
    return [f"{found.prefix}_{name}" for name in NEEDED[account.service] if not found.get(name)]


def is_readable(text: str) -> bool:
    """Whether every line is NAME=value."""
    return all("=" in line for line in text.splitlines() if line.strip())


def _lines(text: str) -> list[tuple[str, str]]:
    pairs = (line.partition("=") for line in text.splitlines())
    return [(name.strip().upper(), value.strip()) for name, _equals, value in pairs if name.strip()]
