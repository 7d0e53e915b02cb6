"""Messages that wait although their time has come: an app may keep them back, and have a copy go elsewhere instead.

Asked before every try. What is kept is held under a mark, and let go by services.release_kept() with the same mark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from outbox.models import Message
from outbox.results import Mail

MARK = "kept"  # in the details of a message


@dataclass(frozen=True)
class Kept:
    """That a message waits. mark: whose doing it is. reason: a sentence for organisers, without names.

    copy: makes what goes elsewhere out of the mail, or None for nothing. Messages that are no mails have no copy, and
    their handler is not called.
    """

    mark: str
    reason: str
    copy: Callable[[Mail], Mail | None]


Gate = Callable[[Message, datetime], Kept | None]
_gates: list[Gate] = []


def add(gate: Gate) -> None:
    """Ask this gate, too. Called in AppConfig.ready."""
    _gates.append(gate)


def ask(message: Message, *, now: datetime) -> Kept | None:
    """What the first gate says that keeps the message; None when it may leave."""
    return next((kept for gate in _gates if (kept := gate(message, now)) is not None), None)
