"""Mails that came back: reports of mail servers (RFC 3464) from a Maildir or by IMAP, and what refuses an address.

Every mail carries a token, in its envelope sender (VERP) and in a header that reports quote. It names the message and a
keyed mark of the address, and is signed: nobody who has not got that very mail can make one. So a forged report flags
nobody else, and one about an address that was corrected since flags nobody.

Nothing of a report is kept but the kind and the numbers of the answer: servers like to quote names and addresses.
"""

from __future__ import annotations

import base64
import binascii
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message as Part
from enum import StrEnum
from functools import partial
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError
from django.utils.crypto import constant_time_compare, salted_hmac

from outbox import bounce_imap
from outbox.models import Message

logger = logging.getLogger(__name__)

HEADER = "X-Delivery-Id"
MOST_BYTES = 1_000_000  # of a report; the original mail behind it may be cut off
MOST_AT_ONCE = 500
_ID, _TAG, _MAC = 26, 8, 12  # characters of base32
_TOKEN = re.compile(rf"\b([a-z2-7]{{{_ID + _TAG + _MAC}}})\b", re.IGNORECASE)
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_REPLY = re.compile(r"\b([45]\d\d)\b")
# The address is fine and the mail was not wanted, or not now: mailbox full, too large, a rule or a filter.
_NOT_THE_ADDRESS = ("5.2.2", "5.2.3", "5.3.", "5.4.", "5.5.", "5.6.", "5.7.")


class Kind(StrEnum):
    """HARD: the address does not work. SOFT: this mail did not arrive; the next one may."""

    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True)
class Bounce:
    """A mail that did not arrive. code: numbers such as "550 5.1.1". mark: of the address it went to, see mark()."""

    message: Message
    kind: Kind
    code: str
    mark: str
    at: datetime


Listener = Callable[[Bounce], None]
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Be told of every bounce; called once for each, in a transaction of the listener's own making."""
    if listener not in _listeners:
        _listeners.append(listener)


# --- the token -------------------------------------------------------------------------------------------------------


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode("ascii").rstrip("=").lower()


def mark(address: str) -> str:
    """A keyed mark of an address, too short to be traced back: tells whether two addresses are the same."""
    return _base32(salted_hmac("outbox.bounce-mark", address.casefold(), algorithm="sha256").digest())[:_TAG]


def _mac(named: str) -> str:
    return _base32(salted_hmac("outbox.bounce-token", named, algorithm="sha256").digest())[:_MAC]


def token(message: Message, address: str) -> str:
    """What a mail carries to be found again."""
    named = _base32(message.public_id.bytes) + mark(address)
    return named + _mac(named)


def read_token(text: str) -> tuple[UUID, str] | None:
    """Public id of the message and mark of the address; None for anything that we did not make."""
    text = text.lower()
    named, given = text[: _ID + _TAG], text[_ID + _TAG :]
    if not constant_time_compare(given, _mac(named)):
        return None
    with suppress(binascii.Error, ValueError):
        return UUID(bytes=base64.b32decode(named[:_ID].upper() + "======")), named[_ID:]
    return None


def envelope_sender(message: Message, address: str) -> str:
    """The address that a mail comes back to: of its own, when BOUNCE_ADDRESS is set; else empty."""
    local, at, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{token(message, address)}@{domain}" if at else ""


# --- reading a report ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Report:
    """What a delivery report says. tokens: everything in it that looks like one, not verified."""

    kind: Kind
    code: str
    tokens: tuple[str, ...]


def parse(raw: bytes) -> Report | None:
    """Read a mail as a delivery report about failure or delay; None for every other mail, however broken."""
    try:
        mail = message_from_bytes(raw)
        if mail.get_content_type() != "multipart/report":
            return None
        parts = list(mail.walk())
        statuses = [part for part in parts if part.get_content_type() in _STATUS_TYPES]
        failed = [group for part in statuses for group in _groups(part)]
        if not failed:
            return None
        tokens = [match for name in _RECIPIENT_HEADERS for text in mail.get_all(name, []) for match in _found(text)]
        for part in parts:
            if part.get_content_type() in _ORIGINAL_TYPES:
                tokens += _found(_headers_of(part))
    except (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError) as error:
        logger.warning("A mail in the bounce mailbox cannot be read (%s)", type(error).__name__)
        return None
    hard = [code for kind, code in failed if kind is Kind.HARD]
    return Report(Kind.HARD if hard else Kind.SOFT, hard[0] if hard else failed[0][1], tuple(dict.fromkeys(tokens)))


_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_ORIGINAL_TYPES = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})
_RECIPIENT_HEADERS = ("To", "Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To")


def _groups(part: Part) -> Iterator[tuple[Kind, str]]:
    """Kind and code of each recipient that a report says has not got the mail."""
    payload = part.get_payload()
    for group in payload if isinstance(payload, list) else []:
        if not isinstance(group, Part):
            continue
        action = str(group.get("Action", "")).strip().lower().partition(" ")[0]  # some explain it in brackets
        status = _STATUS.search(str(group.get("Status", "")))
        if action not in {"failed", "failure", "delayed"}:
            continue
        reply = _REPLY.search(str(group.get("Diagnostic-Code", "")))
        code = " ".join(found[1] for found in (reply, status) if found)
        yield kind_of(status[1] if status else "", is_final=action != "delayed"), code


def kind_of(status: str, *, is_final: bool = True) -> Kind:
    """What an enhanced status (RFC 3463) means for the address. Without one, a final failure counts as hard."""
    if not is_final or status.startswith(("4.", "2.")) or status.startswith(_NOT_THE_ADDRESS):
        return Kind.SOFT
    return Kind.HARD


def _found(text: object) -> list[str]:
    return [match.lower() for match in _TOKEN.findall(str(text))]


def _headers_of(part: Part) -> str:
    """Our header of the mail that came back, wherever the report quotes it."""
    payload = part.get_payload()
    if isinstance(payload, list):
        return " ".join(str(inner.get(HEADER, "")) for inner in payload if isinstance(inner, Part))
    decoded = part.get_payload(decode=True)
    text = decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else str(payload)
    return " ".join(line for line in text.splitlines() if line.lower().startswith(HEADER.lower()))


# --- acting on it ----------------------------------------------------------------------------------------------------


def take(raw: bytes, *, now: datetime) -> bool:
    """Act on one mail of the bounce mailbox. True when it was a report about a mail of ours."""
    report = parse(raw)
    if report is None:
        return False
    for text in report.tokens:
        named = read_token(text)
        if named is None:
            continue
        message = Message.objects.filter(public_id=named[0]).first()
        if message is not None:
            logger.warning("Message %s came back (%s, %s)", message.pk, report.kind, report.code)
            tell(Bounce(message, report.kind, report.code, named[1], now))
            return True
    return False


def take_each(raw: bytes, *, now: datetime) -> bool:
    """As take(); a report that nobody can act upon is logged and left, so that it does not stop those behind it.

    Raises OperationalError, InterfaceError: without the database there is nothing to be done for now.
    """
    try:
        return take(raw, now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # whatever a listener does
        logger.error("A report in the bounce mailbox cannot be acted upon (%s)", type(error).__name__)
        return False


def refused(message: Message, address: str, *, code: str, status: str, now: datetime) -> None:
    """The mail server refused the address while we handed the mail over."""
    numbers = " ".join(part for part in (code, status) if part)
    tell(Bounce(message, kind_of(status), numbers, mark(address), now))


def tell(bounce: Bounce) -> None:
    """Pass a bounce on to whoever listens."""
    for listener in _listeners:
        listener(bounce)


# --- the mailbox -----------------------------------------------------------------------------------------------------


def _directory(parts: SplitResult) -> Path:
    """The Maildir named by BOUNCE_MAILBOX."""
    if parts.scheme != "maildir" or parts.netloc or not parts.path.startswith("/"):
        raise ImproperlyConfigured(
            "BOUNCE_MAILBOX is written maildir:///path/to/a/Maildir or imaps://user:password@host/folder."
        )
    return Path(unquote(parts.path))


def read_mailbox(*, now: datetime) -> int:
    """Read what is new in the mailbox; how many reports were about mails of ours. Nothing when there is no mailbox.

    Those are deleted once they are acted upon; every other mail stays, marked as seen, for people to look at. Killed in
    between, it reads the same report again, which changes nothing.
    """
    if not settings.BOUNCE_MAILBOX:
        return 0
    parts = urlsplit(settings.BOUNCE_MAILBOX)
    if parts.scheme in {"imap", "imaps"}:
        where = bounce_imap.mailbox(parts)
        return bounce_imap.read(where, partial(take_each, now=now), most=MOST_AT_ONCE, most_bytes=MOST_BYTES)
    directory = _directory(parts)
    try:
        new = sorted(path for path in (directory / "new").iterdir() if path.is_file())[:MOST_AT_ONCE]
    except OSError as error:
        logger.error("The Maildir of BOUNCE_MAILBOX cannot be read (%s)", type(error).__name__)
        return 0
    taken = 0
    for path in new:
        with suppress(FileNotFoundError):  # another worker has it
            with path.open("rb") as file:
                raw = file.read(MOST_BYTES)
            if take_each(raw, now=now):
                path.unlink()
                taken += 1
            else:
                path.rename(directory / "cur" / f"{path.name.partition(':')[0]}:2,S")
    return taken
