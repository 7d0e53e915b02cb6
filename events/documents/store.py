"""Made documents, kept by their content: the same content is made once in a process, however many ask at once.

Pages above this are kept by content version and minute (events.page_cache); this memory spares a new document where
only the version has changed, and holds nothing that the content itself does not say.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

_MOST_BYTES = 16 * 1024 * 1024
_PATIENCE = 10.0  # seconds to wait for one's turn; with documents of a second that is a queue of ten

_made: OrderedDict[str, bytes] = OrderedDict()
_making: dict[str, threading.Event] = {}
_lock = threading.Lock()
_turn = threading.Lock()  # one document at a time: making them must not take the machine from the pages


class TooBusy(Exception):
    """Other documents are being made, and one's turn did not come in time."""


def forget() -> None:
    """Empty the memory of this process."""
    with _lock:
        _made.clear()


def made(name: str, make: Callable[[], bytes]) -> bytes:
    """The document of that name, made when it is not there.

    name: says everything the content depends on. Raises TooBusy, and whatever make raises.
    """
    mine = threading.Event()
    while True:
        with _lock:
            if (content := _made.get(name)) is not None:
                _made.move_to_end(name)
                return content
            other = _making.setdefault(name, mine)
        if other is mine:
            break
        # Somebody makes this very document. If it does not come out, the next one tries.
        if not other.wait(_PATIENCE):
            raise TooBusy
    try:
        content = in_turn(make)
        _keep(name, content)
        return content
    finally:
        with _lock:
            del _making[name]
        mine.set()


def in_turn(make: Callable[[], bytes]) -> bytes:
    """A document made in its turn and kept nowhere, as it must be where it is about people.

    Raises TooBusy, and whatever make raises.
    """
    if not _turn.acquire(timeout=_PATIENCE):
        raise TooBusy
    try:
        return make()
    finally:
        _turn.release()


def _keep(name: str, content: bytes) -> None:
    with _lock:
        _made[name] = content
        while sum(map(len, _made.values())) > _MOST_BYTES and len(_made) > 1:
            _made.popitem(last=False)
