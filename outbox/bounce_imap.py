"""The bounce mailbox on a server elsewhere, read by IMAP (RFC 3501).

BOUNCE_MAILBOX is imaps://user:password@host/folder. With imap:// the connection is encrypted by STARTTLS before the
password is said; only a server on this machine is spoken to in clear. Read is what nobody has read yet: a report that
was acted upon is deleted, every other mail stays, marked as seen, for people to look at.
"""

from __future__ import annotations

import imaplib
import logging
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote

from django.core.exceptions import ImproperlyConfigured

logger = logging.getLogger(__name__)

SECONDS = 20  # for each answer of the server
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_WRITTEN = "BOUNCE_MAILBOX is written imaps://user:password@host/folder."
_UNSAFE = re.compile(r'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where to read. folder: INBOX unless the address names another."""

    host: str
    port: int
    is_encrypted: bool
    user: str = field(repr=False)
    password: str = field(repr=False)
    folder: str = "INBOX"


def mailbox(parts: SplitResult) -> Mailbox:
    """The mailbox that an address names. Raises ImproperlyConfigured, without the address: it holds a password."""
    try:
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(_WRITTEN) from None
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    is_encrypted = parts.scheme == "imaps"
    if not parts.hostname or not user or not password or parts.query or parts.fragment or not folder.isascii():
        raise ImproperlyConfigured(_WRITTEN)
    if _UNSAFE.search(folder):
        raise ImproperlyConfigured(_WRITTEN)
    return Mailbox(parts.hostname, port or (993 if is_encrypted else 143), is_encrypted, user, password, folder)


def read(where: Mailbox, take: Callable[[bytes], bool], *, most: int, most_bytes: int) -> int:
    """Hand every unread mail to take(); how many it took. Those are deleted, the others marked as seen.

    most: mails at once. most_bytes: of each. A server that is away, refuses us or breaks off is logged by the kind of
    the error alone, and asked again the next time; what was taken and not deleted then is read again.
    """
    taken = 0
    try:
        with _opened(where) as server:
            for number in _unread(server)[:most]:
                raw = _mail(server, number, most_bytes)
                is_ours = raw is not None and take(raw)
                server.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen \Deleted)" if is_ours else r"(\Seen)")
                taken += is_ours
                if is_ours and "UIDPLUS" in server.capabilities:
                    server.uid("EXPUNGE", number)
            if taken and "UIDPLUS" not in server.capabilities:
                server.expunge()
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        logger.error("The mailbox of BOUNCE_MAILBOX cannot be read (%s)", type(error).__name__)
    return taken


@contextmanager
def _opened(where: Mailbox) -> Iterator[imaplib.IMAP4]:
    """The server, with the folder chosen."""
    context = ssl.create_default_context()
    server: imaplib.IMAP4
    if where.is_encrypted:
        server = imaplib.IMAP4_SSL(where.host, where.port, ssl_context=context, timeout=SECONDS)
    else:
        server = imaplib.IMAP4(where.host, where.port, timeout=SECONDS)
    try:
        if not where.is_encrypted and where.host not in _LOOPBACK:
            server.starttls(ssl_context=context)
        server.login(where.user, where.password)
        if server.select(f'"{where.folder}"')[0] != "OK":
            raise imaplib.IMAP4.error("folder")
        yield server
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            server.logout()
        with suppress(OSError):  # who broke off is not said goodbye to, and the socket stays open
            server.shutdown()


def _unread(server: imaplib.IMAP4) -> list[str]:
    kind, data = server.uid("SEARCH", "UNSEEN")
    if kind != "OK":
        raise imaplib.IMAP4.error("search")
    return data[0].decode("ascii").split() if data and data[0] else []


def _mail(server: imaplib.IMAP4, number: str, most_bytes: int) -> bytes | None:
    """The beginning of a mail, not marked as seen yet; None when somebody has taken it away meanwhile."""
    kind, data = server.uid("FETCH", number, f"(BODY.PEEK[]<0.{most_bytes}>)")
    if kind != "OK":
        raise imaplib.IMAP4.error("fetch")
    return next((part[1] for part in data if isinstance(part, tuple)), None)
