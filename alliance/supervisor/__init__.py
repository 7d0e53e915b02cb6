"""The demo's supervisor: starts the servers and Alliance's own processes in order, watches them, and stops them.

./run runs it by its path (__main__.py): only the standard library is used and nothing of this project is imported but
the servers, by their path, because the settings exist only in the environment that this makes for its children.

    demo [--port N]                  everything, in the foreground, until Ctrl-C
    manage COMMAND ...               a management command on the running demo's servers, or on its own while it runs
    with-servers [--durable] CMD ... a program with throw-away servers
"""

from __future__ import annotations

import sys

from .commands import run_manage, with_servers
from .layout import servers
from .lifecycle import demo
from .terminal import StepFailed, in_words, say


def main(arguments: list[str]) -> int:
    """Do what is asked; the exit code."""
    actions = {"demo": demo, "manage": run_manage, "with-servers": with_servers}
    action = actions.get(arguments[0] if arguments else "")
    if action is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return action(arguments[1:])
    except (StepFailed, servers.ServerError) as error:
        say(f"run: {error}")
        return 1
    except OSError as error:
        say(f"run: {in_words(error)}")
        return 1
    except KeyboardInterrupt:
        return 130
