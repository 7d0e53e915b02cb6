"""Fixtures for the outbox: a topic of the test's own whose handler can be told what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from outbox import doorbell, services, topics
from outbox.models import Message
from outbox.results import Done, Mail, Superseded
from tests.factories import NOW

Answer = Mail | Superseded | Done

TOPIC = "test.mail"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Handler:
    """Sends "Hello" to <about_id>@people.example, or does what `does` says instead."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.does: Callable[[Message, datetime], Answer] = lambda message, now: mail_for(message)

    def __call__(self, message: Message, *, now: datetime) -> Answer:
        self.calls.append(message.pk)
        return self.does(message, now)


def address(about_id: UUID) -> str:
    """The address that the test's handler writes to."""
    return f"{about_id.hex}@people.example"


def mail_for(message: Message) -> Mail:
    """The test's mail for a message."""
    return Mail(to=address(message.about_id), subject="Hello", text="Good day.", html="<p>Good day.</p>")


def queued(count: int = 1, *, order_key: str = "", topic: str = TOPIC, now: datetime = NOW) -> list[Message]:
    """Queue messages about nobody in particular; as they are in the database, in the order of queueing."""
    messages = []
    for _ in range(count):
        about = uuid4()
        messages.append(
            services.message(
                topic=topic, about_kind="test", about_id=about, key=f"{topic}:{about}", now=now, order_key=order_key
            )
        )
    services.queue(messages)
    return list(Message.objects.filter(key__in=[message.key for message in messages]).order_by("pk"))


def row(**values: Any) -> Message:
    """A message in the table, with these values, that no service made."""
    message = unsaved(**values)
    message.save(force_insert=True)
    return message


def unsaved(**values: Any) -> Message:
    """A message that is not in the table."""
    about = uuid4()
    plain = {
        "topic": TOPIC, "key": f"row:{about}", "about_kind": "test", "about_id": about, "created_at": NOW,
        "due_at": NOW, "next_attempt_at": NOW, "deadline_at": NOW + timedelta(days=7),
    }  # fmt: skip
    return Message(**(plain | values))


def state_of(message: Message) -> str:
    """Its state in the database."""
    return str(Message.objects.values_list("state", flat=True).get(pk=message.pk))


def reread(message: Message) -> Message:
    """The message as it is in the database."""
    return Message.objects.get(pk=message.pk)


@pytest.fixture(autouse=True)
def silent_doorbell(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """No test of the outbox rings by accident; the rings are counted."""
    rings: list[int] = []
    monkeypatch.setattr(doorbell, "ring", lambda: rings.append(1))
    return rings


@pytest.fixture
def handler() -> Iterator[Handler]:
    """The handler of the topic test.mail."""
    handler = Handler()
    topics.register(TOPIC, handler)
    yield handler
    topics.forget(TOPIC)
