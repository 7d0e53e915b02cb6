"""A fixed address: a link that an organiser was given, the same for everybody. No calls, no registrants."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from video.adapters.base import Attendee, Plain
from video.adapters.errors import Misconfigured
from video.models import Meeting

LONGEST_ADDRESS = 2000  # characters
# Controls, blanks and backslashes: browsers drop or turn them, so that they would go elsewhere than we checked.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\\]")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


class UnsafeAddress(Misconfigured):
    """An address we do not redirect people to. The message says why and never repeats the address."""

    code = "meeting_address_unsafe"

    def __init__(self, message: str | Promise) -> None:
        super().__init__()
        self.message = message


def address_host(address: str) -> str:
    """The host of a meeting address, in lower case, after everything but the allow list has been checked.

    https only; http for loopback hosts in a demo or with DEBUG. Raises UnsafeAddress.
    """
    if not address or len(address) > LONGEST_ADDRESS:
        raise UnsafeAddress(_("Give the address of the meeting, at most 2000 characters."))
    if _FORBIDDEN.search(address):
        raise UnsafeAddress(_("The address holds blanks, backslashes or control characters."))
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").rstrip(".")
        # Reading the port is what checks it.
        port_is_zero = parts.port == 0
    except ValueError:
        raise UnsafeAddress(_("This is not an address of a web page.")) from None
    if "@" in parts.netloc:
        raise UnsafeAddress(_("The address holds a user name or password before the host."))
    is_loopback = _is_loopback(host)
    if port_is_zero or not (is_loopback or _HOST.fullmatch(host)):
        raise UnsafeAddress(_("The address has no readable host. Write hosts in other scripts in their xn-- form."))
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback and (settings.DEMO or settings.DEBUG)):
        raise UnsafeAddress(_("The address must start with https://."))
    return host


def check_address(address: str, *, allowed_hosts: Sequence[str]) -> str:
    """The host of an address we may redirect to. Raises UnsafeAddress.

    allowed_hosts: the meeting's list; while it is empty, the host of the address itself as saved is the only one.
    """
    host = address_host(address)
    if allowed_hosts and host not in {allowed.lower().rstrip(".") for allowed in allowed_hosts}:
        raise UnsafeAddress(_("The host of the address is not among the hosts we may redirect to."))
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class StaticLink(Plain):
    """The configured address, checked at every click. Everything else is Unsupported."""

    def join_url(self, meeting: Meeting, attendee: Attendee, *, now: datetime) -> str:
        """The address as configured. Raises UnsafeAddress."""
        check_address(meeting.address, allowed_hosts=meeting.allowed_hosts)
        return meeting.address
