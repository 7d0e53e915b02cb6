"""Valkey or Redis on a directory and a Unix socket of our own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import IO

from .places import forget_sockets, private_directory, socket_directory
from .processes import die_with_parent, is_alive, living_in, stop_process, tail, wait_for
from .programs import ServerError, find_redis


class Redis:
    """A Valkey (or Redis) server of our own in one directory, on a Unix socket.

    durable: False for tests: nothing is written to the disk.
    """

    def __init__(
        self,
        directory: Path,
        *,
        sockets: Path | None = None,
        log: Path | None = None,
        durable: bool = True,
    ) -> None:
        self.directory = directory.absolute()
        self._wanted_sockets = sockets or self.directory.parent / "run" / "redis"
        self.log = log
        self.durable = durable
        self.process: subprocess.Popen[bytes] | None = None
        self.socket: Path | None = None

    @property
    def url(self) -> str:
        """The REDIS_URL; only after start()."""
        if self.socket is None:
            raise ServerError("Redis has not been started.")
        return f"unix://{self.socket}?db=0"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self.process is None or self.process.poll() is not None else self.process.pid

    def start(self) -> None:
        """Start the server and wait until it answers a PING. Raises ServerError with the end of its log."""
        program = find_redis()
        private_directory(self.directory)
        self.socket = socket_directory(self._wanted_sockets) / "redis.sock"
        self._clear_away_the_dead()
        command = [
            str(program), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.directory), "--daemonize", "no", "--maxmemory-policy", "noeviction", "--save", "",
            "--appendonly", "yes" if self.durable else "no",
        ]  # fmt: skip
        output: IO[bytes] | int = subprocess.DEVNULL
        if self.log is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            output = open(self.log, "ab")  # noqa: SIM115 - closed below, the child has its own copy
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=self.directory,
                start_new_session=True, preexec_fn=die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        except OSError as error:
            raise ServerError(f"{program} cannot be started: {error.strerror}.") from error
        finally:
            if not isinstance(output, int):
                output.close()
        process = self.process
        if not wait_for(lambda: process.poll() is not None or self.answers(), 30) or process.poll() is not None:
            self.stop(2)
            raise ServerError(f"Redis did not start. Its log ({self.log or 'not kept'}) ends:\n{tail(self.log)}")

    def stop(self, seconds: float = 10.0) -> None:
        """Stop in good order; kill after `seconds`."""
        if self.process is not None:
            stop_process(self.process, signal.SIGTERM, seconds)
            self.process = None
            forget_sockets(self.socket.parent if self.socket else None, self._wanted_sockets)

    def answers(self, seconds: float = 1.0) -> bool:
        """Does it answer a PING within `seconds`?"""
        if self.socket is None:
            return False
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(seconds)
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False

    def _clear_away_the_dead(self) -> None:
        """Stop what an earlier start left on this directory: two servers on one append-only file would spoil it."""
        for pid in living_in(self.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
            if not wait_for(lambda pid=pid: not is_alive(pid), 10):  # type: ignore[misc]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                wait_for(lambda pid=pid: not is_alive(pid), 5)  # type: ignore[misc]
