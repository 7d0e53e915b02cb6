"""Who asks: the network address of a request."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The network address of who asks: what our proxy saw, where there is one."""
    if settings.BEHIND_PROXY:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def network_of(request: HttpRequest) -> str:
    """What limits by address count: one IPv4 address, or the /64 that one IPv6 connection usually has to itself."""
    found = address_of(request)
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return found
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:  # IPv4, as a socket for both shows it: else all of them were one network
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
