"""What the person at the terminal is told, and what they ask for."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from types import FrameType


class Stopped(Exception):
    """The person asked to stop while a step was under way."""


class StepFailed(Exception):
    """A step of the start failed; the text is for the person at the terminal."""


def in_words(error: OSError) -> str:
    """What the system refuses, and where: "No space left on device (var/log/web.log)"."""
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or type(error).__name__}{where}"


class Asked:
    """Has the person asked to stop (Ctrl-C, SIGTERM, a closed terminal)? The second time kills at once."""

    def __init__(self) -> None:
        self.times = 0
        self.kill: Callable[[], None] = lambda: None

    def listen(self) -> None:
        """Take the signals from now on."""
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._heard)

    def _heard(self, sig: int, frame: FrameType | None) -> None:
        self.times += 1
        if self.times > 1:
            self.kill()
            os._exit(130)

    def raise_if(self) -> None:
        """Raise Stopped when asked."""
        if self.times:
            raise Stopped


asked = Asked()
_line_is_open = False


def say(line: str = "") -> None:
    """One line for the person at the terminal; a closed terminal is no reason to leave servers running."""
    global _line_is_open
    with contextlib.suppress(OSError):
        print(f"\n{line}" if _line_is_open else line, flush=True)
    _line_is_open = False


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    global _line_is_open
    started = time.monotonic()
    with contextlib.suppress(OSError):
        print(f"{title} ...", end=" ", flush=True)
    _line_is_open = True
    result = "failed"
    try:
        yield
        result = f"{time.monotonic() - started:.1f} s"
    except Stopped:
        result = "stopped"
        raise
    finally:
        with contextlib.suppress(OSError):
            print(result if _line_is_open else f"  {result}", flush=True)
        _line_is_open = False
