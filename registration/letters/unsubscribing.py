"""Reminders, thanks and summaries can be stopped with one click; mails about somebody's own registration cannot.

The link is signed and stored nowhere. Whoever has it can stop these mails and want them again, and learns nothing else.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from outbox.letters import Link
from registration.models import OptOut

Kind = Literal["participant", "user"]
_LETTERS: dict[Kind, str] = {"participant": "p", "user": "u"}
_MAC = 26  # characters of base32


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode("ascii").rstrip("=").lower()


def _mac(named: str) -> str:
    return _base32(salted_hmac("registration.unsubscribing", named, algorithm="sha256").digest())[:_MAC]


def token(kind: Kind, public_id: UUID) -> str:
    """The secret part of the link."""
    named = _LETTERS[kind] + _base32(public_id.bytes)
    return named + _mac(named)


def read_token(text: str) -> tuple[Kind, UUID] | None:
    """Whose link it is; None for anything that we did not make."""
    text = text.lower()
    named, given = text[:-_MAC], text[-_MAC:]
    if not text.isascii() or not constant_time_compare(given, _mac(named)):
        return None
    kinds: dict[str, Kind] = {letter: kind for kind, letter in _LETTERS.items()}
    with suppress(binascii.Error, ValueError, KeyError):
        return kinds[named[0]], UUID(bytes=base64.b32decode(named[1:].upper() + "======"))
    return None


def address(kind: Kind, public_id: UUID) -> Link:
    """The link of a mail."""
    return Link(settings.SITE_URL + reverse("registration:unsubscribe", args=[token(kind, public_id)]))


def headers(kind: Kind, public_id: UUID) -> Mapping[str, str]:
    """What makes the button "unsubscribe" of a mail program work (RFC 2369, RFC 8058)."""
    return {
        "List-Unsubscribe": f"<{address(kind, public_id)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def has_stopped(public_id: UUID) -> bool:
    """Whether somebody wants no such mails."""
    return OptOut.objects.filter(about_id=public_id).exists()


def stop(kind: Kind, public_id: UUID, *, now: datetime) -> None:
    """Send no more of them. Twice is fine, and so is somebody who is not there any more."""
    OptOut.objects.bulk_create([OptOut(about_kind=kind, about_id=public_id, created_at=now)], ignore_conflicts=True)


def go_on(public_id: UUID) -> None:
    """Send them again."""
    OptOut.objects.filter(about_id=public_id).delete()
