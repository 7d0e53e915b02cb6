"""The demo: everything is started in order, watched, and stopped."""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import socket
import time
import urllib.error
import urllib.request

from . import layout
from .environment import demo_environment, given, manage, python
from .layout import servers
from .processes import Child, Servers, Step
from .state import read_state, stop_leftovers, the_lock, write_state
from .static_files import collect_static
from .terminal import StepFailed, Stopped, asked, in_words, say, step

STARTED = float(os.environ.pop("ALLIANCE_RUN_STARTED", time.monotonic()))


def demo(arguments: list[str]) -> int:
    """./run demo: everything, until Ctrl-C; the exit code."""
    parser = argparse.ArgumentParser(prog="./run demo", description="Start Alliance with demo data.")
    parser.add_argument("--port", type=int, default=8000, help="where the web server listens (default: 8000)")
    port: int = parser.parse_args(arguments).port
    if not 1 <= port <= 65535:
        parser.error("--port takes a number from 1 to 65535")
    with the_lock(f"demo, process {os.getpid()}"):
        asked.listen()
        was_killed = bool(read_state())
        stop_leftovers()
        # The web server's own children let the port go a moment after their parent was killed.
        until = time.monotonic() + (10 if was_killed else 0)
        while not port_is_free(port) and time.monotonic() < until:
            time.sleep(0.1)
        if not port_is_free(port):
            say(f"run: port {port} is in use by another program. Choose another one: ./run demo --port {port + 1}")
            return 1
        keep_logs_short()
        ours, children = Servers(), list[Child]()

        def kill() -> None:
            for child in children:
                child.kill()
            ours.kill()
            say("Killed.")

        asked.kill = kill
        code = 0
        try:
            start_all(port, ours, children)
            watch_all(port, ours, children)
        except Stopped:
            pass
        except (StepFailed, servers.ServerError) as error:
            say(f"\nrun: {error}")
            code = 1
        except OSError as error:  # a full disk, or a file of somebody else's
            say(f"\nrun: {in_words(error)}")
            code = 1
        finally:  # whatever it was: nothing of ours is left running
            stop_all(ours, children)
        layout.STATE.unlink(missing_ok=True)
        return code


def port_is_free(port: int) -> bool:
    """Can the web server listen there? Connections of an earlier start that are still closing do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def keep_logs_short() -> None:
    """Put logs of more than 5 MB aside, one generation."""
    layout.LOGS.mkdir(parents=True, exist_ok=True)
    for path in layout.LOGS.glob("*.log"):
        if path.stat().st_size > 5_000_000:
            path.replace(path.with_suffix(".log.1"))


def start_all(port: int, ours: Servers, children: list[Child]) -> None:
    """Bring everything up and print the addresses; what was started is in `ours` and `children`, even on failure."""
    urls = ours.start()
    mail_port = servers.free_port()
    environment = demo_environment(port, mail_port, urls)
    write_state(port, mail_port, urls, [])
    static = collect_static(environment)  # needs no database: it runs beside the migration
    try:
        with step("Migrating the database"):
            Step("migrate", manage("migrate", "--noinput", "--verbosity=0"), environment).finish()
        with step("Loading the demo data"):
            log_in = Step("demo", manage("demo"), environment).finish()
        if static is not None:
            with step("Collecting static files"):
                static[0].finish()
                static[1]()
    finally:
        if static is not None:
            static[0].cancel()
    processes = our_processes(port, mail_port, environment)
    with step("Starting " + ", ".join(child.name for child in processes)):
        for child in processes:
            children.append(child)
            child.start()
        write_state(port, mail_port, urls, children)
        web = next(child for child in children if child.name == "web")
        wait_for_page(f"http://127.0.0.1:{port}/healthz", web)
    site = f"http://127.0.0.1:{port}"
    say(f"\nAlliance is ready after {time.monotonic() - STARTED:.1f} s.\n")
    for name, path in (("Site", "/"), ("Admin", "/admin/"), ("API", "/api/v1/docs/"), ("Mailbox", "/demo/mailbox/")):
        if name != "Mailbox" or not given("EMAIL_URL"):
            say(f"  {name:<8} {site}{path}")
    say()
    for line in log_in.splitlines():
        say(f"  {line}")
    say("\nThe data and the logs are in var/. Ctrl-C stops everything and keeps the data.")


def our_processes(port: int, mail_port: int, environment: dict[str, str]) -> list[Child]:
    """What runs beside the servers, in the order of starting."""
    celery = python("-m", "celery", "--app=alliance", "--quiet")
    children = []
    if not given("EMAIL_URL"):
        mail = python("-m", "alliance.mailbox", "--dir", environment["DEMO_MAILBOX_DIR"], "--port", str(mail_port))
        children.append(Child("mailbox", mail, environment))
    return [
        *children,
        Child(
            "web",
            python(
                "-m", "gunicorn", "alliance.wsgi:application", f"--bind=127.0.0.1:{port}", "--workers=2",
                "--worker-class=gthread", "--threads=8", "--no-control-socket", "--graceful-timeout=5",
                "--log-level=warning",
            ),
            environment,
        ),
        # Threads: a worker with processes takes three times the memory for a demo's few messages.
        Child(
            "worker",
            [*celery, "worker", "--pool=threads", "--concurrency=2", "--loglevel=INFO",
             "--without-gossip", "--without-mingle", "--hostname=demo@localhost"],
            environment,
        ),
        Child(
            "beat",
            [*celery, "beat", "--loglevel=INFO", f"--schedule={layout.VAR / 'run' / 'beat'}", "--pidfile="],
            environment,
        ),
    ]  # fmt: skip


def wait_for_page(url: str, web: Child) -> None:
    """Until the web server answers. Raises StepFailed with the end of its log when it does not."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + 60
    while time.monotonic() < until:
        asked.raise_if()
        if web.process is None or web.process.poll() is not None:
            raise StepFailed(f"The web server ended. The end of {web.log}:\n{servers.tail(web.log, 30)}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            try:
                with opener.open(url, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500:
                    return
        time.sleep(0.05)
    raise StepFailed(f"{url} did not answer within a minute. The end of {web.log}:\n{servers.tail(web.log, 30)}")


def watch_all(port: int, ours: Servers, children: list[Child]) -> None:
    """Keep our processes running until asked to stop. Raises StepFailed when PostgreSQL ends."""
    state = read_state()
    while True:
        asked.raise_if()
        if ours.postgres is not None and ours.postgres.pid is None:
            raise StepFailed(
                f"PostgreSQL ended, so everything stops. The end of its log:\n{servers.tail(ours.postgres.log)}"
            )
        if ours.redis is not None and ours.redis.pid is None:
            say("Valkey ended: starting it again")
            ours.redis.start()
        before = [child.process for child in children]
        for child in children:
            child.watch()
        if before != [child.process for child in children]:
            write_state(port, int(state["mail_port"]), dict(state["urls"]), children)
        time.sleep(0.2)


def stop_all(ours: Servers, children: list[Child]) -> None:
    """Stop in reverse order of starting: first what uses the servers, then the servers."""
    say("\nStopping (Ctrl-C again kills at once) ...")
    started = time.monotonic()
    # All at once, but for the mailbox: the worker may be handing it a message.
    for child in children:
        if child.name != "mailbox":
            child.ask_to_stop()
    for child in reversed(children):
        child.stop()
    ours.stop()
    say(f"Stopped in {time.monotonic() - started:.1f} s.")
