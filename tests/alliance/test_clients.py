"""Whom limits by address count as one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from alliance import clients


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("", ""),
        ("somewhere", "somewhere"),
    ],
)
def test_one_connection_counts_once(address: str, network: str, rf: RequestFactory) -> None:
    """Guard: ipv4_mapped; on a socket for both kinds, all of IPv4 was one network."""
    assert clients.network_of(rf.get("/", REMOTE_ADDR=address)) == network


def test_only_what_our_proxy_saw_counts(rf: RequestFactory, settings: Any) -> None:
    request = rf.get("/", REMOTE_ADDR="10.0.0.2", headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.4"})

    assert clients.address_of(request) == "10.0.0.2"
    settings.BEHIND_PROXY = True
    assert clients.address_of(request) == "198.51.100.4"
