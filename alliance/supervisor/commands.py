"""Programs that a person runs with servers: a management command on the demo's data, anything on throw-away ones."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess

from . import layout
from .environment import demo_environment, given, manage
from .layout import servers
from .processes import Servers
from .state import lock_holder, lock_is_held, read_state, stop_leftovers, the_lock


def run_manage(arguments: list[str]) -> int:
    """./run manage: on the running demo's servers, or on its data with servers for as long as the command runs."""
    state = read_state()
    if state.get("urls") is not None and lock_holder().startswith("demo") and lock_is_held():
        environment = demo_environment(int(state["port"]), int(state["mail_port"]), dict(state["urls"]))
        return foreground(manage(*arguments), environment)
    with the_lock(f"manage, process {os.getpid()}", seconds=30):
        stop_leftovers()
        layout.LOGS.mkdir(parents=True, exist_ok=True)
        ours = Servers()
        try:
            environment = demo_environment(8000, 1, ours.start(quiet=True))
            return foreground(manage(*arguments), environment)
        finally:
            ours.stop()


def with_servers(arguments: list[str]) -> int:
    """A program with servers of its own that are thrown away; its exit code.

    --durable: with the demo's settings for safety (fsync and all), for measurements that mean something.
    """
    durable = arguments[:1] == ["--durable"]
    command = arguments[1:] if durable else arguments
    with contextlib.ExitStack() as stack:
        environment = {**servers.trial_environment(), **os.environ}
        directory = stack.enter_context(servers.temporary_directory("alliance-run-"))
        postgres, redis = servers.test_servers(directory)
        if durable:
            postgres = servers.Postgres(
                directory / "postgres", sockets=directory / "pg", log=directory / "postgres.log"
            )
            redis = servers.Redis(directory / "redis", sockets=directory / "rd", log=directory / "redis.log")
        for name, server in (("DATABASE_URL", postgres), ("REDIS_URL", redis)):
            if not given(name):
                stack.callback(server.stop, 10)
                server.start()
                environment[name] = server.url
        return foreground(command, environment)


def foreground(command: list[str], environment: dict[str, str]) -> int:
    """Run a command at the person's terminal; its exit code. Ctrl-C is its own affair, SIGTERM is passed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    before_exec = servers.die_with_parent(signal.SIGTERM)

    def take_signals() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        before_exec()

    process = subprocess.Popen(command, cwd=layout.ROOT, env=environment, preexec_fn=take_signals)
    signal.signal(signal.SIGTERM, lambda sig, frame: process.terminate())
    code = process.wait()
    return 128 - code if code < 0 else code
