"""Worker and beat step back: niceness for the process, and for the session where Linux shares by session."""

from __future__ import annotations

import subprocess
import sys

import pytest

from alliance import priority

_GIVE_WAY = """
from alliance import priority
priority.give_way()
priority.give_way()
"""

_ASK = """
import os, pathlib, threading
found = []
thread = threading.Thread(target=lambda: found.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start(); thread.join()
group = pathlib.Path("/proc/self/autogroup")
words = group.read_text().split() if group.exists() else []
print(os.getpriority(os.PRIO_PROCESS, 0), found[0], words[-1] if words else "none")
"""


def _asked(code: str, own_session: bool) -> list[str]:
    """The niceness of a new process, of a thread of it, and of its session: "none" where the kernel names no group."""
    answer = subprocess.run(
        [sys.executable, "-c", code], start_new_session=own_session, capture_output=True, text=True, check=True
    )
    return answer.stdout.split()


@pytest.mark.parametrize("own_session", [True, False])
def test_give_way_lowers_the_process_and_the_session_when_it_is_its_own(own_session: bool) -> None:
    # A session may have a group although ours has none, and the other way round: ask a process that gives nothing way.
    _, _, before = _asked(_ASK, own_session)

    own, thread, session = _asked(_GIVE_WAY + _ASK, own_session)

    assert own == thread == str(priority.NICENESS)
    assert session == (str(priority.NICENESS) if own_session and before != "none" else before)
