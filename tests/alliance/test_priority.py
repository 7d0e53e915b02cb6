"""Worker and beat step back: niceness for the process, and for the session where Linux shares by session."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from alliance import priority

_ASK = """
import os, pathlib, threading
from alliance import priority
priority.give_way()
priority.give_way()
found = []
thread = threading.Thread(target=lambda: found.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start(); thread.join()
group = pathlib.Path("/proc/self/autogroup")
words = group.read_text().split() if group.exists() else []
print(os.getpriority(os.PRIO_PROCESS, 0), found[0], words[-1] if words else "none")
"""


@pytest.mark.parametrize("own_session", [True, False])
def test_give_way_lowers_the_process_and_the_session_when_it_is_its_own(own_session: bool) -> None:
    group = Path("/proc/self/autogroup")
    words = group.read_text().split() if group.exists() else []
    before = words[-1] if words else "none"  # a kernel without such groups has no file, or an empty one

    answer = subprocess.run(
        [sys.executable, "-c", _ASK], start_new_session=own_session, capture_output=True, text=True, check=True
    )

    own, thread, session = answer.stdout.split()
    assert own == thread == str(priority.NICENESS)
    assert session == ("none" if before == "none" else str(priority.NICENESS) if own_session else before)
