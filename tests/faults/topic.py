"""The topic test.mail in the programs that the fault tests start: a short mail to the message's own address."""

from __future__ import annotations

import os
import time
from datetime import datetime

from outbox.models import Message
from outbox.results import Mail

TOPIC = "test.mail"


def address(message: Message) -> str:
    """Whom a message is for; derived, so that the tests know it too."""
    return f"{message.about_id.hex}@people.example"


def handle(message: Message, *, now: datetime) -> Mail:
    """The mail; slowed down by TEST_MAIL_SECONDS, so that there is time to kill its sender."""
    time.sleep(float(os.environ.get("TEST_MAIL_SECONDS", "0")))
    return Mail(to=address(message), subject="Hello", text="Good day.")
