"""Who uses this checkout: the lock, and the note of what runs."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

from . import layout
from .layout import servers
from .processes import Child
from .terminal import StepFailed, say


@contextlib.contextmanager
def the_lock(holder: str, seconds: float = 0.0) -> Iterator[None]:
    """This checkout's lock: one demo, or one command with the demo's data, at a time."""
    try:
        layout.VAR.mkdir(exist_ok=True)
        (layout.VAR / "run").mkdir(exist_ok=True)
        lock = servers.Lock(layout.VAR / "lock")
        taken = lock.take(seconds)
    except OSError as error:
        raise StepFailed(
            f"cannot write to {layout.VAR} ({error.strerror}). "
            "Start as the user who made it, or make a checkout of your own."
        ) from error
    if not taken:
        other = lock_holder()
        raise StepFailed(
            f"this checkout is in use already ({other}). Stop that first (Ctrl-C in its terminal), "
            "or make a second checkout."
        )
    try:
        (layout.VAR / "lock").write_text(holder, encoding="utf-8")
        yield
    finally:
        lock.release()


def lock_holder() -> str:
    """Who holds the lock, in words."""
    with contextlib.suppress(OSError):
        return (layout.VAR / "lock").read_text(encoding="utf-8").strip() or "another command"
    return "another command"


def lock_is_held() -> bool:
    """Does another process hold this checkout's lock?"""
    lock = servers.Lock(layout.VAR / "lock")
    if lock.take():
        lock.release()
        return False
    return True


def write_state(port: int, mail_port: int, urls: dict[str, str], children: list[Child]) -> None:
    """Note what runs, for ./run manage and for the next start after a kill -9."""
    content = {
        "port": port,
        "mail_port": mail_port,
        "urls": urls,
        "children": [
            [child.name, child.process.pid, servers.process_started(child.process.pid)]
            for child in children
            if child.process is not None
        ],
    }
    draft = layout.STATE.with_suffix(".new")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(layout.STATE)


def read_state() -> dict[str, Any]:
    """What write_state() noted; empty when there is nothing of use."""
    try:
        content = json.loads(layout.STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def stop_leftovers() -> None:
    """Stop processes of ours that outlived a killed supervisor (a moment on Linux, for ever on other systems)."""
    left = [
        (name, pid)
        for name, pid, started in read_state().get("children", [])
        if started and servers.process_started(pid) == started and servers.is_alive(pid)
    ]
    for name, pid in left:
        say(f"Stopping {name} of an earlier start (process {pid})")
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 5
    while any(servers.is_alive(pid) for _, pid in left) and time.monotonic() < until:
        time.sleep(0.05)
    for _, pid in left:
        with contextlib.suppress(OSError):
            if servers.is_alive(pid):
                os.killpg(pid, signal.SIGKILL)
    layout.STATE.unlink(missing_ok=True)
