"""PostgreSQL on a directory and a Unix socket of our own."""

from __future__ import annotations

import contextlib
import locale
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from .places import Unprivileged, forget_sockets, private_directory, short_hash, socket_directory
from .processes import die_with_parent, is_alive, living_in, stop_process, tail, wait_for
from .programs import ServerError, find_postgres

DATABASE = USER = "alliance"


class Postgres:
    """A PostgreSQL cluster of our own in one directory.

    directory: where the data lies; made by the first start, kept by later ones.
    sockets: where its socket lies; both move elsewhere when root's data cannot be reached by `nobody`.
    settings: configuration parameters, name to value, over the defaults.
    durable: False for tests: no fsync, so a crash of the machine (not of the server) may lose data.
    say: takes one line for the person at the terminal.
    """

    def __init__(
        self,
        directory: Path,
        *,
        sockets: Path | None = None,
        log: Path | None = None,
        settings: Mapping[str, str] | None = None,
        durable: bool = True,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.directory = directory.absolute()
        self._wanted_sockets = sockets or self.directory.parent / "run" / "postgres"
        self.log = log
        self.settings = {"max_connections": "200", "listen_addresses": "", "timezone": "UTC"}
        # A statement that fails, and the row that made it fail, are full of what people told us: not into its log.
        self.settings |= {"log_min_error_statement": "panic", "log_error_verbosity": "terse"}
        if not durable:
            self.settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self.settings |= settings or {}
        self.durable = durable
        self.say = say
        self.process: subprocess.Popen[bytes] | None = None
        self.sockets: Path | None = None
        self._owner = Unprivileged()
        self._bin: Path | None = None

    @property
    def url(self) -> str:
        """The DATABASE_URL; only after start()."""
        if self.sockets is None:
            raise ServerError("PostgreSQL has not been started.")
        return f"postgres://{USER}@/{DATABASE}?host={self.sockets}"

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return None if self.process is None or self.process.poll() is not None else self.process.pid

    def start(self) -> None:
        """Make the cluster when it is not there yet, start the server and wait until it answers.

        Raises ServerError with the end of the server's own log when it does not.
        """
        self._bin = self._programs()
        self._settle()
        if not (self.directory / "PG_VERSION").exists():
            self._make_cluster()
        self._check_version()
        self._clear_away_the_dead()
        self.sockets = socket_directory(self._wanted_sockets, self._owner.uid, self._owner.gid)
        for attempt in range(20):
            self._launch()
            if self._wait_until_ready():
                return
            # After a kill -9 of the main process its children need a moment to notice and to let the memory go.
            if attempt == 19 or "shared memory block" not in self._log_end():
                where = self.log or "not kept"
                raise ServerError(f"PostgreSQL did not start. Its log ({where}) ends:\n{self._log_end()}")
            time.sleep(0.5)

    def stop(self, seconds: float = 20.0) -> None:
        """Stop in good order (open transactions are rolled back); kill after `seconds`."""
        if self.process is not None:
            stop_process(self.process, signal.SIGINT, seconds)
            self.process = None
            forget_sockets(self.sockets, self._wanted_sockets)

    # -- the steps of start() --

    def _programs(self) -> Path:
        """Our own programs, or a copy of them where `nobody` can run them."""
        found = find_postgres()
        if self._owner.can("-x", found / "postgres"):
            return found
        # The checkout lies below a private directory, such as root's home. Opening that to everybody is not ours to
        # do: copy the programs, with the libraries that the wheel keeps beside its package, to where all may read.
        package = next((p for p in found.parents if (p.parent / f"{p.name}.libs").is_dir()), found.parent)
        libraries = package.parent / f"{package.name}.libs"
        shared = Path("/var/tmp")  # nosec B108 # noqa: S108 - what is copied there is only read
        target = shared / f"alliance-postgres-{short_hash(package)}-{int(package.stat().st_mtime)}"
        if not target.exists():
            self.say(f"  {found} is closed to the user nobody: copying PostgreSQL's programs to {target}")
            draft = Path(tempfile.mkdtemp(prefix="alliance-postgres-", dir=shared))
            shutil.copytree(package, draft / package.name, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, draft / libraries.name, symlinks=True)
            draft.chmod(0o755)
            try:
                draft.rename(target)
            except OSError:  # another start was faster
                shutil.rmtree(draft, ignore_errors=True)
        if target.lstat().st_uid != 0 or target.is_symlink():
            raise ServerError(f"{target} does not belong to root. Remove it and start again.")
        return target / package.name / found.relative_to(package)

    def _settle(self) -> None:
        """Decide where the data lies, and make that directory its user's own."""
        moved = Path("/var/lib") / f"alliance-{short_hash(self.directory)}"
        if self._owner.needed:
            self.directory.parent.mkdir(parents=True, exist_ok=True)
            self._wanted_sockets.parent.mkdir(parents=True, exist_ok=True)
            if not self._owner.can("-x", self.directory.parent):
                moved.mkdir(mode=0o711, exist_ok=True)
                if not (moved / "postgres").exists():
                    closed = self.directory.parent
                    self.say(f"  {closed} is closed to the user nobody: PostgreSQL's data lies in {moved}")
                self.directory = moved / "postgres"
                self._wanted_sockets = moved / "run"
            elif not self._owner.can("-x", self._wanted_sockets.parent):
                self._wanted_sockets = self.directory.parent / "pg-run"
        private_directory(self.directory, self._owner.uid, self._owner.gid)

    def _make_cluster(self) -> None:
        """initdb beside the final place and move it there: an interrupted first start leaves nothing half made."""
        if self._bin is None:
            raise ServerError("PostgreSQL's programs are not known yet.")
        unfinished = self.directory / "new"
        shutil.rmtree(unfinished, ignore_errors=True)
        private_directory(unfinished, self._owner.uid, self._owner.gid)
        locale = (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--lc-collate=C", f"--lc-ctype={_utf8_locale()}"]
            if self._major() >= 17
            else [f"--locale={_utf8_locale()}"]
        )
        # With LC_CTYPE=C pg_trgm finds no trigram in Cyrillic, and search would silently find nothing in Russian.
        command = [
            str(self._bin / "initdb"), "-D", str(unfinished), "-U", USER, "-A", "trust", "-E", "UTF8", *locale,
            *(["--no-instructions"] if self._major() >= 14 else []), *([] if self.durable else ["--no-sync"]),
        ]  # fmt: skip
        self._run(command, "initdb")
        single = [str(self._bin / "postgres"), "--single", "-D", str(unfinished), "-F", "postgres"]
        self._run(single, "CREATE DATABASE", f"CREATE DATABASE {DATABASE};\n")
        # PG_VERSION goes last: it is what tells a complete cluster.
        for entry in sorted(unfinished.iterdir(), key=lambda path: path.name == "PG_VERSION"):
            entry.rename(self.directory / entry.name)
        unfinished.rmdir()

    def _run(self, command: list[str], what: str, text: str | None = None) -> None:
        answer = subprocess.run(
            command, input=text, capture_output=True, text=True, check=False, cwd=self.directory,
            env=self._environment(), start_new_session=True, **self._owner.options(),
        )  # fmt: skip
        if answer.returncode != 0 or (text is not None and ("ERROR:" in answer.stderr or "FATAL:" in answer.stderr)):
            raise ServerError(f"{what} failed:\n{(answer.stdout + answer.stderr).strip()}")

    def _environment(self) -> dict[str, str]:
        """Ours, without PG* variables (a PGPORT or PGDATA of the user's must not reach it) and in plain English."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        return kept | {"LC_ALL": "C", "HOME": str(self.directory)}

    def _major(self) -> int:
        if self._bin is None:
            raise ServerError("PostgreSQL's programs are not known yet.")
        answer = subprocess.run(
            [str(self._bin / "postgres"), "--version"], capture_output=True, text=True, check=False, cwd="/",
            **self._owner.options(),
        )  # fmt: skip
        match = re.search(r"(\d+)", answer.stdout)
        if not match:
            raise ServerError(f"{self._bin}/postgres does not run here: {answer.stderr.strip()}")
        return int(match[1])

    def _check_version(self) -> None:
        made_by = (self.directory / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = self._major()
        if made_by != str(ours):
            raise ServerError(
                f"The data in {self.directory} was made by PostgreSQL {made_by}, and the programs found here are "
                f"version {ours}. Set ALLIANCE_POSTGRES_BIN to version {made_by}'s, or remove the directory "
                "(this deletes the demo's data)."
            )

    def _clear_away_the_dead(self) -> None:
        """Make way for a new start after the last one was killed.

        The caller holds the checkout's lock, so whatever still runs on this directory is left over. A dead server may
        stay a zombie when nobody reaps it (process 1 of many containers does not), and PostgreSQL takes a zombie for a
        living server: only then are its lock files removed.
        """
        pid_file = self.directory / "postmaster.pid"
        try:
            pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
        except (OSError, ValueError):
            pid = 0
        if pid and is_alive(pid) and (pid in living_in(self.directory) or self._is_postgres_by_ps(pid)):
            self.say("  a PostgreSQL of an earlier start still runs: stopping it")
            for sig, seconds in ((signal.SIGINT, 15), (signal.SIGQUIT, 5)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sig)
                if wait_for(lambda: not is_alive(pid), seconds):
                    break
        wait_for(lambda: not living_in(self.directory), 10)
        left = living_in(self.directory)
        if left:
            raise ServerError(f"Processes of an earlier PostgreSQL still run in {self.directory}: {left}.")
        if pid and not is_alive(pid):
            pid_file.unlink(missing_ok=True)
            with contextlib.suppress(OSError, ServerError):
                directory = socket_directory(self._wanted_sockets, self._owner.uid, self._owner.gid)
                (directory / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _is_postgres_by_ps(self, pid: int) -> bool:
        if Path("/proc/self/stat").exists():
            return False
        answer = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return str(self.directory) in answer.stdout

    def _launch(self) -> None:
        if self._bin is None or self.sockets is None:
            raise ServerError("PostgreSQL's programs are not known yet.")
        parameters = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self._bin / "postgres"), "-D", str(self.directory), "-k", str(self.sockets), *parameters]
        # A child of ours and not pg_ctl's daemon, which would be handed to process 1. In a session of its own, so that
        # Ctrl-C reaches the supervisor first, which stops things in order.
        output: IO[bytes] | int = subprocess.DEVNULL
        if self.log is not None:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            output = open(self.log, "ab")  # noqa: SIM115 - closed below, the child has its own copy
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=self.directory,
                env=self._environment(), start_new_session=True, preexec_fn=die_with_parent(signal.SIGINT),
                **self._owner.options(),
            )  # fmt: skip
        except OSError as error:
            raise ServerError(f"{command[0]} cannot be started: {error.strerror}.") from error
        finally:
            if not isinstance(output, int):
                output.close()

    def _wait_until_ready(self, seconds: float = 60.0) -> bool:
        """Until postmaster.pid says `ready` for our own process: a stale file says it too."""
        process = self.process
        if process is None:
            return False
        until = time.monotonic() + seconds
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError, IndexError):
                lines = (self.directory / "postmaster.pid").read_text(encoding="utf-8").splitlines()
                if lines[0] == str(process.pid) and lines[7].strip() == "ready":
                    return True
            time.sleep(0.02)
        self.stop(2)
        return False

    def _log_end(self) -> str:
        return tail(self.log) if self.log is not None else ""


def _utf8_locale() -> str:
    """A locale whose character classes know every script. Linux has C.UTF-8; old macOS has only named ones."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8", "C.utf8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise ServerError("No UTF-8 locale found. Install one (Debian, Ubuntu: apt install locales-all).")
