"""Processes: whether one lives, ending one, having it die with its parent, and the end of its log."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


def die_with_parent(sig: int) -> Callable[[], None]:
    """What a child runs before exec so that it gets `sig` when its parent dies, however that dies (Linux only)."""
    parent = os.getpid()

    def before_exec() -> None:
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, sig, 0, 0, 0)
            if os.getppid() != parent:  # it died between fork and here
                os._exit(1)

    return before_exec


def process_state(pid: int) -> str:
    """One letter as in /proc (R, S, Z, T...), or "" when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return ""
    answer = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()[:1]


def process_started(pid: int) -> str:
    """A text that tells this process from a later one with the same id; "" when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return text.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        if Path("/proc/self/stat").exists():
            return ""
    answer = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def is_alive(pid: int) -> bool:
    """Is there such a process, and is it more than a zombie?"""
    return process_state(pid) not in {"", "Z", "X"}


def stop_process(process: subprocess.Popen[Any], sig: int | None = signal.SIGTERM, seconds: float = 10.0) -> None:
    """Ask a child to stop, and kill its whole session when it has not after `seconds`. None: it has been asked."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
            if sig is not None:
                process.send_signal(sig)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()


def living_in(directory: Path) -> list[int]:
    """Processes whose working directory is `directory` (Linux; elsewhere none can be found this way)."""
    found = []
    wanted = str(directory.resolve())
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if str(entry.readlink()) == wanted and is_alive(int(entry.parent.name)):
                found.append(int(entry.parent.name))
    return found


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Until a condition holds; False when it has not after `seconds`."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(0.03)
    return True


def tail(path: Path | None, lines: int = 15) -> str:
    """The end of a log file, for an error message."""
    if path is None:
        return ""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 8000))
            return "\n".join(file.read().decode("utf-8", "replace").splitlines()[-lines:])
    except OSError:
        return ""
