"""Tokens, as far as public reads have to do with them. The app that knows tokens says how when Django is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rest_framework.request import Request

# Closed without a token. They find out by themselves who asks, and count it.
CLOSED = frozenset({"delegations", "participants", "registrations"})


@dataclass(slots=True)
class Known:
    """What the app brings. reader: by what somebody is counted who sends this Authorization header; None: by the
    address. refuse_in_address: raises where a token stands in an address.
    """

    reader: Callable[[str], str | None]
    refuse_in_address: Callable[[Request], None]


_known: list[Known] = []


def register(*, reader: Callable[[str], str | None], refuse_in_address: Callable[[Request], None]) -> None:
    """Called by the app that knows tokens."""
    _known[:] = [Known(reader, refuse_in_address)]


def reader(header: str) -> str | None:
    """By what somebody is counted who reads the programme with a token; None: by the address, like everybody."""
    return _known[0].reader(header) if _known and header else None


def refuse_in_address(request: Request) -> None:
    """Raises alliance.problems.Refused where a token stands in the address."""
    if _known:
        _known[0].refuse_in_address(request)
