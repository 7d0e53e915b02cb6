"""The containers' health checks, with the standard library only: a check each 15 s must not cost a Django start.

python deploy/healthcheck.py web    the process answers (/healthz; whether its servers do is /readyz's affair)
python deploy/healthcheck.py beat   the scheduler has written its schedule within ten minutes
"""

import os
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

BEAT_SCHEDULE = Path("/tmp/beat")  # noqa: S108 - the container's own tmpfs
WORKER_IS_LATE = 180  # seconds; a worker writes its heartbeat every five, also while Redis is away
BEAT_IS_LATE = 600  # seconds; beat saves its schedule every three minutes


def web() -> str:
    """What is wrong with the web process, or nothing."""
    host = urlsplit(os.environ.get("SITE_URL", "")).hostname or "localhost"
    request = urllib.request.Request("http://127.0.0.1:8000/healthz", headers={"Host": host})
    try:
        with urllib.request.urlopen(request, timeout=4):  # noqa: S310 - the address is ours
            return ""
    except (urllib.error.URLError, OSError) as error:
        return str(error)


def worker() -> str:
    """What is wrong with this container's worker, or nothing. Its signs of life stand in PostgreSQL."""
    import psycopg

    secret = os.environ.get("DATABASE_URL_FILE")
    url = Path(secret).read_text(encoding="utf-8").strip() if secret else os.environ.get("DATABASE_URL", "")
    query = "SELECT extract(epoch FROM now() - max(seen_at)) FROM outbox_workerheartbeat WHERE starts_with(name, %s)"
    try:
        with psycopg.connect(url, connect_timeout=4) as connection:
            row = connection.execute(query, [f"celery@{socket.gethostname()}/"]).fetchone()
    except psycopg.Error as error:
        return f"the database does not answer ({type(error).__name__})"
    age = row[0] if row else None
    if age is None:
        return "never seen"
    return f"last seen {age:.0f} s ago" if age > WORKER_IS_LATE else ""


def beat() -> str:
    """What is wrong with the scheduler, or nothing."""
    newest = max((path.stat().st_mtime for path in BEAT_SCHEDULE.parent.glob(f"{BEAT_SCHEDULE.name}*")), default=0.0)
    age = time.time() - newest
    return f"the schedule was last written {age:.0f} s ago" if age > BEAT_IS_LATE else ""


def main(arguments: list[str]) -> int:
    """0 when healthy; otherwise 1 and a line saying why."""
    checks = {"web": web, "worker": worker, "beat": beat}
    check = checks.get(arguments[0] if arguments else "")
    if check is None:
        print(__doc__)
        return 2
    trouble = check()
    if trouble:
        print(trouble)
    return 1 if trouble else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
