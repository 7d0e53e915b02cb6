"""Mail and upkeep give way to people: worker and beat ask for a smaller share of the processor than the web server."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICENESS = 10  # a tenth of the web server's share while both want the processor; all of it when nobody else does
_SESSION = Path("/proc/self/autogroup")


def give_way() -> None:
    """Lower the priority of this process, of the threads it will start and of its children.

    Linux may share the processor out among sessions first and look at the niceness of a process only inside its own;
    the session then needs one too, and gets it when it is ours alone. In a container neither counts against the
    others: there docker-compose.yml sets the shares. Call it before the first thread is started.
    """
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    if os.getsid(0) == os.getpid():
        with contextlib.suppress(OSError):  # a system without such groups, or one that does not let us
            _SESSION.write_text(f"{NICENESS}\n", encoding="ascii")
