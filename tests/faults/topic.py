"""The topic test.mail in the programs that the fault tests start: a short mail to the message's own address."""

from __future__ import annotations

import os
import signal
import smtplib
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from outbox.models import Message
from outbox.postman import Postman
from outbox.results import Mail

TOPIC = "test.mail"
BEFORE, DURING, AFTER = "before", "during", "after"  # the instants at which a message may kill its sender


def address(message: Message) -> str:
    """Whom a message is for; derived, so that the tests know it too."""
    return f"{message.about_id.hex}@people.example"


def handle(message: Message, *, now: datetime) -> Mail:
    """The mail; slowed down by TEST_MAIL_SECONDS, so that there is time to kill its sender.

    details: kill, one of the instants above; who sends it first does not live to tell.
    """
    time.sleep(float(os.environ.get("TEST_MAIL_SECONDS", "0")))
    if message.details.get("kill") == BEFORE:
        _die(message)
    return Mail(to=address(message), subject="Hello", text="Good day.\n" * 50)


def _die(message: Message) -> None:
    """As `kill -9` at this very instruction, once for each message: the directory TEST_KILLS tells who has done it."""
    note = Path(os.environ["TEST_KILLS"]) / str(message.pk)
    if not note.exists():
        note.touch()
        os.kill(os.getpid(), signal.SIGKILL)


def plant_kills() -> None:
    """In programs that the tests start: die in the middle of a message's data, or right after the server's 250."""
    real_send, real_write = Postman.send, smtplib.SMTP.send
    sending: Message | None = None

    def send(self: Postman, mail: Mail, message: Message) -> None:
        nonlocal sending
        sending = message
        real_send(self, mail, message)
        if message.details.get("kill") == AFTER:
            _die(message)

    def write(self: smtplib.SMTP, data: Any) -> None:
        if sending is not None and sending.details.get("kill") == DURING and len(data) > 300:  # commands are shorter
            real_write(self, data[: len(data) // 2])
            _die(sending)
            data = data[len(data) // 2 :]
        real_write(self, data)

    Postman.send = send  # type: ignore[method-assign]
    smtplib.SMTP.send = write  # type: ignore[method-assign,assignment]
