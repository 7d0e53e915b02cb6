"""Handing mails to the mail server: building them, one connection for many, and what its answers mean for us."""

from __future__ import annotations

import base64
import re
import smtplib
from contextlib import suppress
from datetime import datetime
from email.message import Message as Part
from email.mime.base import MIMEBase
from email.utils import format_datetime
from types import TracebackType
from typing import Self

from django.conf import settings
from django.core import mail as django_mail
from django.core.exceptions import ValidationError
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.utils.crypto import salted_hmac

from outbox import bounces
from outbox.models import Message
from outbox.results import Attachment, Mail, Permanent, Temporary, Unreachable

MAILS_PER_CONNECTION = 100  # servers dislike endless ones
FAILURES_UNTIL_OUTAGE = 2  # conversations broken one after the other; one alone may be the mail's fault

_CONTROL = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*\Z")
_OURS = frozenset(
    {
        "from", "to", "cc", "bcc", "subject", "date", "message-id", "sender", "auto-submitted", "content-type",
        "content-transfer-encoding", "content-language", "mime-version", "x-auto-response-suppress", "x-delivery-id",
    }
)  # fmt: skip


class AddressRefused(Permanent):
    """The mail server says that the address does not work. code, status: its answer, such as "550" and "5.1.1"."""

    def __init__(self, code: int, answer: bytes) -> None:
        super().__init__(f"The mail server refuses this address. ({code})")
        found = re.match(rb"[45]\.\d{1,3}\.\d{1,3}\b", answer)
        self.code = str(code)
        self.status = found[0].decode("ascii") if found else ""


class Broken(Temporary):
    """The conversation broke off or timed out after the mail was begun: the server may or may not have kept it."""

    reason = "The mail server broke off; it may have taken the message."


class BrokenAgain(Broken):
    """As Broken, and not for the first time in a row: leave the server alone for a while."""


def message_id(key: str) -> str:
    """The Message-ID of a message: the same at every attempt, so that copies can be told, and it tells nothing."""
    return f"<{salted_hmac('outbox.message-id', key, algorithm='sha256').hexdigest()[:40]}@{settings.SITE_DOMAIN}>"


def build(mail: Mail, message: Message) -> django_mail.EmailMultiAlternatives:
    """The mail as it will stand on the wire but for its MIME boundaries.

    Message-ID and Date are the same at every attempt. Raises Permanent for an address that is none, and for a line
    break where a header could be smuggled in.
    """
    try:
        validate_email(mail.to)
    except ValidationError:
        raise Permanent("The address is not a valid one.") from None
    names = [name.lower() for name in mail.headers]
    if any(not _HEADER_NAME.match(name) or name in _OURS for name in names):
        raise Permanent("The mail has a header that it may not set.")
    texts = [mail.subject, mail.language, *mail.headers.values()]
    texts += [text for attachment in mail.attachments for text in (attachment.name, attachment.mimetype)]
    if any(_CONTROL.search(text) for text in texts):
        raise Permanent("The mail has a line break or control character in a header.")
    built = django_mail.EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=bounces.envelope_sender(message, mail.to) or settings.DEFAULT_FROM_EMAIL,
        to=[mail.to],
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Message-ID": message_id(message.key),
            "Date": _date(max(message.created_at, message.due_at)),
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",  # the same for Exchange, which does not know the standard's header
            "Content-Language": mail.language,
            **({bounces.HEADER: bounces.token(message, mail.to)} if settings.BOUNCE_MAILBOX else {}),
            **mail.headers,
        },
    )
    if mail.html:
        built.attach_alternative(mail.html, "text/html")
    for attachment in mail.attachments:
        built.attach(_part(attachment))
    return built


def _date(instant: datetime) -> str:
    return format_datetime(instant)


def _part(attachment: Attachment) -> MIMEBase:
    """An attachment whose bytes arrive unchanged: calendar programs want their own line ends and UTF-8 declared."""
    declared = Part()
    declared["Content-Type"] = attachment.mimetype
    part = MIMEBase(declared.get_content_maintype(), declared.get_content_subtype())
    for name, value in (declared.get_params() or [])[1:]:
        if name != "charset":
            part.set_param(name, value)
    if declared.get_content_maintype() == "text":
        part.set_param("charset", "utf-8")
    part.set_payload(base64.encodebytes(attachment.content).decode("ascii"))
    part["Content-Transfer-Encoding"] = "base64"
    part.add_header("Content-Disposition", "attachment", filename=_filename(attachment.name))
    return part


def _filename(name: str) -> str | tuple[str, str, str]:
    return name if name.isascii() else ("utf-8", "", name)


class Postman:
    """One connection to the mail server, opened when the first mail is there and used for many.

    Not to be shared between threads.
    """

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None
        self._sent = 0
        self._broken_in_a_row = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def send(self, mail: Mail, message: Message) -> None:
        """Hand one mail over.

        Raises Permanent when the server will never take it, Temporary when it may later, Broken when it cannot be
        known, and Unreachable when no mail can be handed over now. What is raised names no address: servers like to
        quote it in their answers, so those are not kept.
        """
        built = build(mail, message)
        backend = self._open()
        try:
            backend.send_messages([built])
        except smtplib.SMTPRecipientsRefused as error:
            raise self._about_recipient(*next(iter(error.recipients.values()))) from None
        except smtplib.SMTPSenderRefused as error:
            raise self._about_sender(error.smtp_code) from None
        except smtplib.SMTPDataError as error:
            raise self._about_content(error.smtp_code) from None
        except smtplib.SMTPNotSupportedError:
            raise Permanent("The mail server cannot take addresses of this kind.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise self._broke(f"{Broken.reason} ({type(error).__name__})") from None
        self._broken_in_a_row = 0
        self._sent += 1

    def close(self) -> None:
        """Say goodbye; harmless when there is no connection, or a dead one."""
        if self._backend is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._backend.close()
            self._backend = None

    def _open(self) -> BaseEmailBackend:
        if self._sent >= MAILS_PER_CONNECTION:
            self.close()
        if self._backend is None:
            backend = django_mail.get_connection(fail_silently=False)
            self._backend, self._sent = backend, 0
            try:
                backend.open()
                conversation = getattr(backend, "connection", None)
                if isinstance(conversation, smtplib.SMTP):
                    conversation.ehlo_or_helo_if_needed()  # or its silence would look like the mail's fault
            except smtplib.SMTPAuthenticationError as error:
                self.close()
                raise Unreachable(f"The mail server refuses our log-in. ({error.smtp_code})") from None
            except smtplib.SMTPResponseException as error:
                self.close()
                raise Unreachable(f"The mail server turns us away. ({error.smtp_code})") from None
            except (smtplib.SMTPException, OSError) as error:
                self.close()
                raise Unreachable(f"The mail server does not answer. ({type(error).__name__})") from None
        return self._backend

    def _broke(self, reason: str) -> Broken:
        """The conversation is over. The second time in a row it is the server's trouble and not the mail's."""
        self.close()
        self._broken_in_a_row += 1
        if self._broken_in_a_row >= FAILURES_UNTIL_OUTAGE:
            return BrokenAgain(reason)
        return Broken(reason)

    def _about_sender(self, code: int) -> Exception:
        if code == 421:
            return self._broke(f"The mail server closes the connection. ({code})")
        self.close()
        if code == 552:  # it knows the size from this command
            return Permanent(f"The mail server says the message is too large. ({code})")
        if 400 <= code < 500:
            return Temporary(f"The mail server asks to try later. ({code})")
        return Unreachable(f"The mail server refuses our sender address. ({code})")

    def _about_recipient(self, code: int, answer: bytes) -> Exception:
        if code == 421:
            return self._broke(f"The mail server closes the connection. ({code})")
        self._broken_in_a_row = 0
        if 500 <= code < 600:
            return AddressRefused(code, answer)
        return Temporary(f"The mail server asks to try this address later. ({code})")

    def _about_content(self, code: int) -> Exception:
        if code == 421:
            return self._broke(f"The mail server closes the connection. ({code})")
        self._broken_in_a_row = 0
        if 400 <= code < 500:
            return Temporary(f"The mail server asks to try later. ({code})")
        return Permanent(f"The mail server refuses the message. ({code})")
