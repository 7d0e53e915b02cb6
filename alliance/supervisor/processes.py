"""What the supervisor starts: the servers, the processes that keep running, and the steps of the start."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

from . import layout
from .environment import given
from .layout import servers
from .terminal import StepFailed, Stopped, asked, say, step


class Servers:
    """The demo's PostgreSQL and Redis in var/, or the ones that DATABASE_URL and REDIS_URL name."""

    def __init__(self) -> None:
        self.postgres = (
            None
            if given("DATABASE_URL")
            else servers.Postgres(layout.VAR / "postgres", log=layout.LOGS / "postgres.log", say=say)
        )
        self.redis = None if given("REDIS_URL") else servers.Redis(layout.VAR / "redis", log=layout.LOGS / "redis.log")

    def start(self, quiet: bool = False) -> dict[str, str]:
        """Start what is ours; the addresses, as settings. Raises servers.ServerError."""
        urls = {}
        for title, name, server in (
            ("Starting PostgreSQL", "DATABASE_URL", self.postgres),
            ("Starting Valkey", "REDIS_URL", self.redis),
        ):
            if server is not None:
                with contextlib.nullcontext() if quiet else step(title):
                    server.start()
                urls[name] = server.url
            elif not quiet:
                say(f"{title}: no, {name} is set")
            asked.raise_if()
        return urls

    def stop(self) -> None:
        """Stop what is ours."""
        if self.redis is not None:
            self.redis.stop()
        if self.postgres is not None:
            self.postgres.stop()

    def kill(self) -> None:
        """Stop what is ours now. PostgreSQL gets its own emergency stop: its processes all end, its data is safe."""
        for server, sig in ((self.redis, signal.SIGKILL), (self.postgres, signal.SIGQUIT)):
            if server is not None and server.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(server.pid, sig)


class Child:
    """One long-running process of ours, started again when it ends by itself."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], stop_seconds: float = 10) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.stop_seconds = stop_seconds
        self.log = layout.LOGS / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.quick_ends = 0
        self.asked_to_stop = False

    def start(self) -> None:
        """Start it, in a session of its own so that Ctrl-C reaches only the supervisor."""
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=layout.ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=servers.die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Start it again when it has ended, ever more slowly. Raises StepFailed when that does not help."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_again_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self.quick_ends = self.quick_ends + 1 if now - self.started_at < 20 else 1
        if self.quick_ends >= 6:
            raise StepFailed(f"{self.name} keeps ending. The end of {self.log}:\n{servers.tail(self.log)}")
        wait = 0.5 * 2 ** (self.quick_ends - 1)
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        say(f"{self.name} {how}: starting it again (its log: {self.log})")
        self.process = None
        self.start_again_at = now + wait

    def ask_to_stop(self) -> None:
        """Ask it to end, without waiting."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.asked_to_stop = True

    def stop(self) -> None:
        """Ask it to end, kill it when it does not."""
        if self.process is not None:
            servers.stop_process(self.process, None if self.asked_to_stop else signal.SIGTERM, self.stop_seconds)

    def kill(self) -> None:
        """End it now."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Step:
    """A command of the start, begun at once; what it prints goes to a log of its own."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self.command = command
        self.log = layout.LOGS / f"start-{name}.log"
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=layout.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, preexec_fn=servers.die_with_parent(signal.SIGTERM),
            )  # fmt: skip

    def finish(self) -> str:
        """Wait for its end; what it printed.

        Raises StepFailed with what it said, and Stopped when the person asks to stop meanwhile.
        """
        while self.process.poll() is None:
            if asked.times:
                self.cancel()
                raise Stopped
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)
        text = self.log.read_text(encoding="utf-8", errors="replace").strip()
        if self.process.returncode != 0:
            end = "\n".join(text.splitlines()[-12:])
            raise StepFailed(f"{' '.join(self.command[2:])} failed. It said (all of it is in {self.log}):\n{end}")
        return text

    def cancel(self) -> None:
        """Stop it if it still runs."""
        servers.stop_process(self.process, signal.SIGTERM, 5)
