"""The demo's supervisor: starts the servers and Alliance's own processes in order, watches them, and stops them.

Run by ./run with `python -P alliance/supervisor.py`; only the standard library is used, because the settings exist only
in the environment that this makes for its children.

    demo [--port N]                  everything, in the foreground, until Ctrl-C
    manage COMMAND ...               a management command on the running demo's servers, or on its own while it runs
    with-servers [--durable] CMD ... a program with throw-away servers
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import importlib.util
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).resolve().parent.parent
VAR = ROOT / "var"
LOGS = VAR / "log"
STATE = VAR / "run" / "demo.json"
STARTED = float(os.environ.pop("ALLIANCE_RUN_STARTED", time.monotonic()))

if TYPE_CHECKING:
    from alliance import servers
else:
    _spec = importlib.util.spec_from_file_location("alliance_servers", ROOT / "alliance" / "servers" / "__init__.py")
    servers = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = servers
    _spec.loader.exec_module(servers)


class Stopped(Exception):
    """The person asked to stop while a step was under way."""


class StepFailed(Exception):
    """A step of the start failed; the text is for the person at the terminal."""


class Asked:
    """Has the person asked to stop (Ctrl-C, SIGTERM, a closed terminal)? The second time kills at once."""

    def __init__(self) -> None:
        self.times = 0
        self.kill: Callable[[], None] = lambda: None

    def listen(self) -> None:
        """Take the signals from now on."""
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._heard)

    def _heard(self, sig: int, frame: FrameType | None) -> None:
        self.times += 1
        if self.times > 1:
            self.kill()
            os._exit(130)

    def raise_if(self) -> None:
        """Raise Stopped when asked."""
        if self.times:
            raise Stopped


asked = Asked()


_line_is_open = False


def say(line: str = "") -> None:
    """One line for the person at the terminal; a closed terminal is no reason to leave servers running."""
    global _line_is_open
    with contextlib.suppress(OSError):
        print(f"\n{line}" if _line_is_open else line, flush=True)
    _line_is_open = False


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    global _line_is_open
    started = time.monotonic()
    with contextlib.suppress(OSError):
        print(f"{title} ...", end=" ", flush=True)
    _line_is_open = True
    result = "failed"
    try:
        yield
        result = f"{time.monotonic() - started:.1f} s"
    except Stopped:
        result = "stopped"
        raise
    finally:
        with contextlib.suppress(OSError):
            print(result if _line_is_open else f"  {result}", flush=True)
        _line_is_open = False


def python(*arguments: str) -> list[str]:
    """A command line of this environment's Python."""
    return [sys.executable, *arguments]


# --- settings -------------------------------------------------------------------------------------------------------


def kept_secrets() -> dict[str, str]:
    """The demo's own keys, made once and kept, so that a second start can read the first one's data."""
    path = VAR / "demo.env"
    kept: dict[str, str] = {}
    with contextlib.suppress(FileNotFoundError):
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    if not {"SECRET_KEY", "FIELD_ENCRYPTION_KEYS"} <= kept.keys():
        kept.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
        kept.setdefault("FIELD_ENCRYPTION_KEYS", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write("# Keys of this checkout's demo. Without them its data cannot be read.\n")
            file.writelines(f"{name}={value}\n" for name, value in kept.items())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    return kept


def demo_environment(port: int, mail_port: int, urls: dict[str, str]) -> dict[str, str]:
    """The environment of the demo's processes. What the person has set in their own environment wins."""
    ours = {
        **kept_secrets(),
        "DJANGO_SETTINGS_MODULE": "alliance.settings",
        "DEBUG": "0",
        "DEMO": "1",
        "DEMO_MAILBOX_DIR": str(VAR / "mail"),
        "SITE_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
        "LOG_FORMAT": "console",
        "PYTHONUNBUFFERED": "1",
        **urls,
    }
    set_by_person = {name for name in ours if name in os.environ or f"{name}_FILE" in os.environ}
    return {**os.environ, **{name: value for name, value in ours.items() if name not in set_by_person}}


def given(name: str) -> bool:
    """Has the person set this variable, or the file that holds it?"""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


# --- servers --------------------------------------------------------------------------------------------------------


class Servers:
    """The demo's PostgreSQL and Redis in var/, or the ones that DATABASE_URL and REDIS_URL name."""

    def __init__(self) -> None:
        self.postgres = (
            None if given("DATABASE_URL") else servers.Postgres(VAR / "postgres", log=LOGS / "postgres.log", say=say)
        )
        self.redis = None if given("REDIS_URL") else servers.Redis(VAR / "redis", log=LOGS / "redis.log")

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


# --- our own processes ----------------------------------------------------------------------------------------------


class Child:
    """One long-running process of ours, started again when it ends by itself."""

    def __init__(self, name: str, command: list[str], environment: dict[str, str], stop_seconds: float = 10) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.stop_seconds = stop_seconds
        self.log = LOGS / f"{name}.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.quick_ends = 0
        self.asked_to_stop = False

    def start(self) -> None:
        """Start it, in a session of its own so that Ctrl-C reaches only the supervisor."""
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
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
        self.log = LOGS / f"start-{name}.log"
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=servers.die_with_parent(signal.SIGTERM),
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


def manage(*arguments: str) -> list[str]:
    """The command line of a management command."""
    return python("-m", "manage", *arguments)


def write_state(port: int, mail_port: int, urls: dict[str, str], children: list[Child]) -> None:
    """Note what runs, for ./run manage and for the next start after a kill -9."""
    content = {
        "port": port,
        "mail_port": mail_port,
        "urls": urls,
        "children": [
            [child.name, child.process.pid, servers.process_started(child.process.pid)]
            for child in children
            if child.process is not None
        ],
    }
    draft = STATE.with_suffix(".new")
    draft.write_text(json.dumps(content), encoding="utf-8")
    draft.replace(STATE)


def read_state() -> dict[str, Any]:
    """What write_state() noted; empty when there is nothing of use."""
    try:
        content = json.loads(STATE.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def stop_leftovers() -> None:
    """Stop processes of ours that outlived a killed supervisor (a moment on Linux, for ever on other systems)."""
    left = [
        (name, pid)
        for name, pid, started in read_state().get("children", [])
        if started and servers.process_started(pid) == started and servers.is_alive(pid)
    ]
    for name, pid in left:
        say(f"Stopping {name} of an earlier start (process {pid})")
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGTERM)
    until = time.monotonic() + 5
    while any(servers.is_alive(pid) for _, pid in left) and time.monotonic() < until:
        time.sleep(0.05)
    for _, pid in left:
        with contextlib.suppress(OSError):
            if servers.is_alive(pid):
                os.killpg(pid, signal.SIGKILL)
    STATE.unlink(missing_ok=True)


# --- demo -----------------------------------------------------------------------------------------------------------


def port_is_free(port: int) -> bool:
    """Can the web server listen there? Connections of an earlier start that are still closing do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def static_files_stamp() -> str:
    """What the collected static files depend on: our own files, and the pinned packages with theirs."""
    found = hashlib.sha256((ROOT / "requirements" / "base.txt").read_bytes())
    found.update((ROOT / "alliance" / "settings.py").read_bytes())
    for directory in [ROOT / "static", *sorted(ROOT.glob("*/static"))]:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and VAR not in path.parents:
                about = path.stat()
                found.update(f"{path}:{about.st_size}:{about.st_mtime_ns}\n".encode())
    return found.hexdigest()


def collect_static(environment: dict[str, str]) -> tuple[Step, Callable[[], None]] | None:
    """Begin to collect the static files, unless nothing has changed.

    Gives the step, and what to call when it has succeeded.
    """
    stamp_file = VAR / "static.stamp"
    stamp = static_files_stamp()
    with contextlib.suppress(OSError):
        if stamp_file.read_text(encoding="ascii") == stamp and (VAR / "static").is_dir():
            return None
    stamp_file.unlink(missing_ok=True)
    collecting = Step("static", manage("collectstatic", "--noinput", "--clear", "--verbosity=0"), environment)

    def done() -> None:
        stamp_file.write_text(stamp, encoding="ascii")

    return collecting, done


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
            [*celery, "beat", "--loglevel=INFO", f"--schedule={VAR / 'run' / 'beat'}", "--pidfile="],
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
        with contextlib.suppress(OSError):
            try:
                with opener.open(url, timeout=5):
                    return
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500:
                    return
        time.sleep(0.05)
    raise StepFailed(f"{url} did not answer within a minute. The end of {web.log}:\n{servers.tail(web.log, 30)}")


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
        stop_all(ours, children)
        STATE.unlink(missing_ok=True)
        return code


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


def keep_logs_short() -> None:
    """Put logs of more than 5 MB aside, one generation."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for path in LOGS.glob("*.log"):
        if path.stat().st_size > 5_000_000:
            path.replace(path.with_suffix(".log.1"))


@contextlib.contextmanager
def the_lock(holder: str, seconds: float = 0.0) -> Iterator[None]:
    """This checkout's lock: one demo, or one command with the demo's data, at a time."""
    try:
        VAR.mkdir(exist_ok=True)
        (VAR / "run").mkdir(exist_ok=True)
        lock = servers.Lock(VAR / "lock")
        taken = lock.take(seconds)
    except OSError as error:
        raise StepFailed(
            f"cannot write to {VAR} ({error.strerror}). Start as the user who made it, or make a checkout of your own."
        ) from error
    if not taken:
        other = lock_holder()
        raise StepFailed(
            f"this checkout is in use already ({other}). Stop that first (Ctrl-C in its terminal), "
            "or make a second checkout."
        )
    try:
        (VAR / "lock").write_text(holder, encoding="utf-8")
        yield
    finally:
        lock.release()


def lock_holder() -> str:
    """Who holds the lock, in words."""
    with contextlib.suppress(OSError):
        return (VAR / "lock").read_text(encoding="utf-8").strip() or "another command"
    return "another command"


# --- manage, with-servers -------------------------------------------------------------------------------------------


def run_manage(arguments: list[str]) -> int:
    """./run manage: on the running demo's servers, or on its data with servers for as long as the command runs."""
    state = read_state()
    if state.get("urls") is not None and lock_holder().startswith("demo") and lock_is_held():
        environment = demo_environment(int(state["port"]), int(state["mail_port"]), dict(state["urls"]))
        return foreground(manage(*arguments), environment)
    with the_lock(f"manage, process {os.getpid()}", seconds=30):
        stop_leftovers()
        LOGS.mkdir(parents=True, exist_ok=True)
        ours = Servers()
        try:
            environment = demo_environment(8000, 1, ours.start(quiet=True))
            return foreground(manage(*arguments), environment)
        finally:
            ours.stop()


def lock_is_held() -> bool:
    """Does another process hold this checkout's lock?"""
    lock = servers.Lock(VAR / "lock")
    if lock.take():
        lock.release()
        return False
    return True


def foreground(command: list[str], environment: dict[str, str]) -> int:
    """Run a command at the person's terminal; its exit code. Ctrl-C is its own affair, SIGTERM is passed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    before_exec = servers.die_with_parent(signal.SIGTERM)

    def take_signals() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        before_exec()

    process = subprocess.Popen(command, cwd=ROOT, env=environment, preexec_fn=take_signals)
    signal.signal(signal.SIGTERM, lambda sig, frame: process.terminate())
    code = process.wait()
    return 128 - code if code < 0 else code


def with_servers(arguments: list[str]) -> int:
    """A program with servers of its own that are thrown away; its exit code.

    --durable: with the demo's settings for safety (fsync and all), for measurements that mean something.
    """
    durable = arguments[:1] == ["--durable"]
    command = arguments[1:] if durable else arguments
    with contextlib.ExitStack() as stack:
        environment = {**servers.trial_environment(), **os.environ}
        directory = stack.enter_context(servers.temporary_directory("alliance-run-"))
        postgres, redis = servers.test_servers(directory)
        if durable:
            postgres = servers.Postgres(
                directory / "postgres", sockets=directory / "pg", log=directory / "postgres.log"
            )
            redis = servers.Redis(directory / "redis", sockets=directory / "rd", log=directory / "redis.log")
        for name, server in (("DATABASE_URL", postgres), ("REDIS_URL", redis)):
            if not given(name):
                stack.callback(server.stop, 10)
                server.start()
                environment[name] = server.url
        return foreground(command, environment)


def main(arguments: list[str]) -> int:
    """Do what is asked; the exit code."""
    actions = {"demo": demo, "manage": run_manage, "with-servers": with_servers}
    action = actions.get(arguments[0] if arguments else "")
    if action is None:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        return action(arguments[1:])
    except (StepFailed, servers.ServerError) as error:
        say(f"run: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
