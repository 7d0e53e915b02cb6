"""Which handler sends a message of which topic. Apps register theirs in AppConfig.ready(); the outbox knows no app."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from outbox import catalogue
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
    """A topic, its handler, the way out it takes, and what organisers read in its place."""

    name: str
    handler: Handler
    group: str
    words: catalogue.Words = ""
    letter: str = ""

    @property
    def title(self) -> catalogue.Words:
        """Its own words, or the title of its letter; the name where it has neither."""
        return catalogue.get(self.letter).title if self.letter else self.words or self.name


class UnknownTopic(LookupError):
    """No app has registered this topic: a typing error, or an older version of this program."""


_topics: dict[str, Topic] = {}


def register(topic: str, handler: Handler, *, title: catalogue.Words = "", letter: str = "", group: str = MAIL) -> None:
    """Let `handler` send the messages of `topic`.

    title: what organisers read in lists, in one or two words of their language; no two topics share one.
    letter: instead, the letter of the catalogue whose title it bears.

    group: the way out, of at most 12 characters: "mail", or one per platform. Each has its own queue and its own
    outage: when one does not answer, the others go on.
    Raises ValueError when another handler has the topic.
    """
    known = _topics.get(topic)
    if known is not None and known.handler is not handler:
        raise ValueError(f"The topic {topic} has a handler already.")
    _topics[topic] = Topic(topic, handler, group, title, letter)


def forget(topic: str) -> None:
    """Take a topic out again, for tests."""
    _topics.pop(topic, None)


def get(topic: str) -> Topic:
    """The topic of this name. Raises UnknownTopic."""
    try:
        return _topics[topic]
    except KeyError:
        raise UnknownTopic(topic) from None


def title_of(name: str) -> str:
    """What organisers read, in the active language; the name itself for a topic of an older version of this program."""
    known = _topics.get(name)
    return name if known is None else str(known.title)


def names() -> Iterable[str]:
    """All topics, in the order of registering."""
    return _topics.keys()


def groups() -> Iterable[str]:
    """Every way out there is, mail first."""
    return sorted({MAIL, *(topic.group for topic in _topics.values())}, key=lambda group: (group != MAIL, group))
