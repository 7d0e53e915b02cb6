"""What a handler answers the outbox with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Attachment:
    """A file in a mail.

    mimetype: such as "text/calendar; method=PUBLISH". Text is UTF-8 and is declared so.
    """

    name: str
    content: bytes = field(repr=False)
    mimetype: str


@dataclass(frozen=True)
class Mail:
    """A mail to one person, rendered in their language.

    to: one address, without a name: a name beside it could undo an alias.
    html: empty when there is only text.
    headers: further ones, such as Reply-To. What the outbox sets itself (Message-ID, Date...) cannot be changed here.
    Its repr says nothing of the person or of what they are told.
    """

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(default="", repr=False)
    language: str = "en"
    attachments: tuple[Attachment, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Superseded:
    """There is nothing to send any more: the cause no longer holds, or a later message says it better.

    reason: a sentence for organisers, without names or addresses.
    """

    reason: str = ""


@dataclass(frozen=True)
class Done:
    """The handler has made its call itself, and it worked."""


class Failure(Exception):
    """The message has not left.

    reason: a sentence for organisers, in English, without names or addresses; it is stored with the message.
    """

    reason = "It could not be sent."

    def __init__(self, reason: str = "") -> None:
        if reason:
            self.reason = reason
        super().__init__(self.reason)


class Temporary(Failure):
    """It may work later.

    retry_at: when to try again; by default after a random wait that grows from 30 seconds to 30 minutes.
    """

    reason = "It could not be sent; it will be tried again."

    def __init__(self, reason: str = "", *, retry_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.retry_at = retry_at


class Postponed(Temporary):
    """It was not tried, because its destination has had enough for this minute. It does not count as an attempt."""

    reason = "It waits for its turn: so many leave in a minute."


class Permanent(Failure):
    """It will never work: the message is given up, and organisers see the reason."""


class Unreachable(Failure):
    """Nothing can be sent this way at the moment. It is not this message's fault and does not count as an attempt."""

    reason = "The other side does not answer."
