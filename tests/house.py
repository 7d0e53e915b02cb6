"""A whole house for tests and measurements: PostgreSQL, Redis, mail sink, web server, worker and beat, as processes.

Used by the fault suite and the bench, which must be able to freeze and kill every part of it. Needs no Django.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.services import ROOT, servers

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class House:
    """A running house. environment is what its programs get; stop() and start() take single parts down and up."""

    directory: Path
    postgres: Any
    redis: Any
    environment: dict[str, str]
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    logs: list[IO[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the web server listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def mail_directory(self) -> Path:
        """Where the mail sink keeps each message as a file."""
        return self.directory / "mail"

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a program of the house under a name, in a process group of its own."""
        log = (self.directory / f"{name}.log").open("ab")
        self.logs.append(log)
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=servers.die_with_parent(signal.SIGTERM),
        )
        self.processes[name] = process
        return process

    def start_web(self, *, workers: int = 2, threads: int = 8, application: str = "alliance.wsgi:application") -> None:
        """Start gunicorn as production does, and wait until it answers."""
        self.start(
            "web", "gunicorn", application, "--bind", f"127.0.0.1:{self.port}", "--workers", str(workers),
            "--worker-class", "gthread", "--threads", str(threads), "--no-control-socket", "--keep-alive", "30",
            "--backlog", "1024",
        )  # fmt: skip
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                if time.monotonic() > deadline or self.processes["web"].poll() is not None:
                    raise RuntimeError(f"the web server does not start:\n{self.log('web')}") from None
                time.sleep(0.1)

    def start_worker(self, name: str = "worker") -> None:
        """Start a Celery worker."""
        self.start(
            name, "celery", "-A", "alliance.celery:app", "worker", "--pool=threads", "--concurrency=2",
            "--without-gossip", "--without-mingle", "-n", f"{name}@house", "--loglevel=INFO",
        )  # fmt: skip

    def wait_for_worker(self, name: str = "worker") -> None:
        """Until a worker takes tasks: loading takes seconds of the processor that a rush would wait for."""
        deadline = time.monotonic() + 60
        while f"{name}@house ready." not in self.log(name):
            if time.monotonic() > deadline or self.processes[name].poll() is not None:
                raise RuntimeError(f"the worker does not start:\n{self.log(name)}")
            time.sleep(0.1)

    def start_beat(self) -> None:
        """Start the clock."""
        self.start("beat", "celery", "-A", "alliance.celery:app", "beat", "-s", str(self.directory / "beat"))

    def kill(self, name: str, sig: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to a program and all its children; wait for it when it is meant to end."""
        process = self.processes[name]
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sig)
        if sig in {signal.SIGKILL, signal.SIGTERM, signal.SIGINT}:
            process.wait(30)

    def log(self, name: str) -> str:
        """The end of what a program printed."""
        path = self.directory / f"{name}.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def mails(self) -> list[Path]:
        """The messages that have arrived, oldest first."""
        return sorted(self.mail_directory.glob("**/*.eml"))

    def cpu_seconds(self, name: str) -> float:
        """Processor time a program and its children have used so far, in seconds."""
        root = self.processes[name].pid
        return sum(_cpu_seconds(pid) for pid in _family(root))

    def most_memory(self, name: str) -> int:
        """What a program and its children have had in memory at most, in bytes."""
        return sum(_most_memory(pid) for pid in _family(self.processes[name].pid))

    def postgres_cpu_seconds(self) -> float:
        """Processor time of PostgreSQL and its living children, in seconds."""
        return sum(_cpu_seconds(pid) for pid in _family(self.postgres.pid))


def _family(root: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, queue = [], [root]
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += parents.get(pid, [])
    return found


def _cpu_seconds(pid: int) -> float:
    """utime, stime, and those of children that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(value) for value in fields[11:15]) / _TICKS


def _most_memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


@contextlib.contextmanager
def house(*, database_url: str = "", more: Mapping[str, str] | None = None) -> Iterator[House]:
    """A house with its own Redis and mail sink; the caller starts web server, worker and beat.

    database_url: a migrated database to work on; without one the house starts a PostgreSQL of its own, with fsync as in
    production, and migrates it. more: further environment.
    """
    with servers.temporary_directory("alliance-house-") as directory, contextlib.ExitStack() as running:
        postgres, made_url = None, ""
        if not database_url:
            settings = {"max_connections": "200", "shared_buffers": "256MB"}
            sockets, log = directory / "pg", directory / "postgres.log"
            postgres = servers.Postgres(directory / "postgres", sockets=sockets, log=log, settings=settings)
            running.callback(postgres.stop, 5)
            postgres.start()
            made_url = postgres.url
        redis = servers.Redis(directory / "redis", sockets=directory / "rd", log=directory / "redis.log", durable=True)
        running.callback(redis.stop, 5)
        redis.start()
        mail_port, port = servers.free_port(), servers.free_port()
        environment = {
            **os.environ,
            **servers.trial_environment(),
            "DATABASE_URL": database_url or made_url,
            "REDIS_URL": redis.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "SITE_URL": f"http://127.0.0.1:{port}",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "STATICFILES_BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
            "LOG_FORMAT": "json",
            **(more or {}),
        }
        made = House(directory, postgres, redis, environment, port)
        try:
            made.mail_directory.mkdir()
            made.start("mail", "alliance.mailbox", "--dir", str(made.mail_directory), "--port", str(mail_port))
            if not database_url:
                migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
                subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
            yield made
        finally:
            for name in reversed(made.processes):
                made.kill(name, signal.SIGCONT)
                made.kill(name)
            for log in made.logs:
                log.close()
