"""Directories, sockets and locks, and the user that may enter them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from .programs import ServerError

SOCKET_SAFE = re.compile(r"[A-Za-z0-9/._-]+\Z")  # a space breaks the URL as well as libpq's own strings
_SOCKET_DIRECTORY_BYTES = 85  # sun_path holds 104 (macOS) to 108 bytes, and ".s.PGSQL.5432.lock" is added


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


def short_hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def socket_directory(wanted: Path, uid: int | None = None, gid: int | None = None) -> Path:
    """A private directory for sockets: `wanted`, or one in the temporary directory when its path will not do.

    A socket's path may have 104 bytes, and neither our URLs nor libpq take a space in it.
    """
    wanted = wanted.absolute()
    if len(os.fsencode(wanted)) <= _SOCKET_DIRECTORY_BYTES and SOCKET_SAFE.match(str(wanted)):
        return private_directory(wanted, uid, gid)
    owner = os.geteuid() if uid is None else uid
    for base in (Path(tempfile.gettempdir()), Path("/tmp")):  # nosec B108 # noqa: S108 - private_directory checks the owner
        short = base / f"alliance-{owner}-{short_hash(wanted)}"
        if len(os.fsencode(short)) <= _SOCKET_DIRECTORY_BYTES and SOCKET_SAFE.match(str(short)):
            return private_directory(short, uid, gid)
    raise ServerError(f"No directory with a short plain path for sockets. Set TMPDIR to one. ({wanted})")


def forget_sockets(used: Path | None, wanted: Path) -> None:
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


@contextlib.contextmanager
def temporary_directory(prefix: str) -> Iterator[Path]:
    """A temporary directory that PostgreSQL's user may pass through but not list, with a path short enough."""
    base = tempfile.gettempdir()
    if len(os.fsencode(base)) > 50 or not SOCKET_SAFE.match(base):
        base = "/tmp"  # nosec B108 # noqa: S108 - mkdtemp makes it private
    directory = Path(tempfile.mkdtemp(prefix=prefix, dir=base))
    try:
        if os.geteuid() == 0:
            directory.chmod(0o711)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
