"""Which handler sends a message of which topic. Apps register theirs in AppConfig.ready(); the outbox knows no app."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outbox.models import Message
from outbox.results import Done, Mail, Superseded

MAIL = "mail"


class Handler(Protocol):
    """What an app gives to the outbox for one topic.

    It gets the message and the present instant, reads the present state by the message's ids, and answers with the Mail
    to send, Superseded when the cause no longer holds, or Done when it has made its own call (to a video platform). It
    raises results.Temporary to be tried again, results.Permanent to be given up, and results.Unreachable when nothing
    can be sent this way at the moment. Any other exception is a crash: tried again, and given up after five.

    It may be called more than once for the same message, and must not open a transaction around a call to the outside.
    """

    def __call__(self, message: Message, *, now: datetime) -> Mail | Superseded | Done: ...


@dataclass(frozen=True)
class Topic:
    """A topic, its handler, and the way out it takes."""

    name: str
    handler: Handler
    group: str


class UnknownTopic(LookupError):
    """No app has registered this topic: a typing error, or an older version of this program."""


_topics: dict[str, Topic] = {}


def register(topic: str, handler: Handler, *, group: str = MAIL) -> None:
    """Let `handler` send the messages of `topic`.

    group: the way out, of at most 12 characters: "mail", or one per platform. Each has its own queue and its own
    outage: when one does not answer, the others go on.
    Raises ValueError when another handler has the topic.
    """
    known = _topics.get(topic)
    if known is not None and known.handler is not handler:
        raise ValueError(f"The topic {topic} has a handler already.")
    _topics[topic] = Topic(topic, handler, group)


def forget(topic: str) -> None:
    """Take a topic out again, for tests."""
    _topics.pop(topic, None)


def get(topic: str) -> Topic:
    """The topic of this name. Raises UnknownTopic."""
    try:
        return _topics[topic]
    except KeyError:
        raise UnknownTopic(topic) from None


def groups() -> Iterable[str]:
    """Every way out there is, mail first."""
    return sorted({MAIL, *(topic.group for topic in _topics.values())}, key=lambda group: (group != MAIL, group))
