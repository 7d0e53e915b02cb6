"""The whole of ./run demo, for real: a path with a space, a kill -9, two at once, an ordinary user from nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import ROOT, servers, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
NOBODY = 65534
SYSTEM_PYTHON = "/usr/bin/python3"
STARTED: list["subprocess.Popen[bytes]"] = []


class Checkout:
    """A copy of the committed and present files in a place of its own, and what is done with it."""

    def __init__(self, place: Path, user: dict[str, Any] | None = None, python: str = sys.executable) -> None:
        self.place = place
        self.user = user or {}
        self.python = python
        self.port = servers.free_port()
        self.output = place.parent / f"{place.name}.out"
        ours = {*servers.trial_environment(), "STATICFILES_BACKEND", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER"}
        self.environment = {name: value for name, value in os.environ.items() if name not in ours}
        place.mkdir(parents=True)
        listed = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
        )
        for name in listed.stdout.decode().split("\0"):
            if name and (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)

    def start(self) -> "subprocess.Popen[bytes]":
        """./run demo; killed at the end of the test when it still runs."""
        with open(self.output, "wb") as output:
            process = subprocess.Popen(
                [self.python, "run", "demo", "--port", str(self.port)],
                cwd=self.place,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self.user,
            )
        STARTED.append(process)
        return process

    def wait(self, process: "subprocess.Popen[bytes]", seconds: float = 120) -> str:
        """Until it says that it is ready; what it said."""
        wait_until(
            lambda: "is ready" in self.said() or process.poll() is not None,
            seconds,
            lambda: f"the demo did not get ready: {self.said()}",
        )
        assert process.poll() is None, self.said()
        return self.said()

    def said(self) -> str:
        """What the demo has printed."""
        return self.output.read_text(encoding="utf-8", errors="replace")

    def page(self, path: str = "/") -> str:
        """A page of the running demo."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            assert answer.status == 200
            return str(answer.read().decode())

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """./run with other arguments."""
        return subprocess.run(
            [self.python, "run", *arguments],
            cwd=self.place,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            **self.user,
        )

    def processes(self) -> list[int]:
        """Everything that the demo has started."""
        state = json.loads((self.place / "var" / "run" / "demo.json").read_text())
        pids = [pid for _, pid, _ in state["children"]]
        postgres = (self.place / "var" / "postgres" / "postmaster.pid").read_text().split("\n")[0]
        return [*pids, int(postgres), *servers.processes.living_in((self.place / "var" / "redis").resolve())]


def stop(process: "subprocess.Popen[bytes]", sig: int = signal.SIGINT) -> int:
    """Ask the demo to stop; its exit code."""
    process.send_signal(sig)
    return process.wait(60)


@pytest.fixture
def place() -> Iterator[Path]:
    """A temporary directory that every user may pass through."""
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    with servers.temporary_directory("alliance-demo-") as directory:
        yield directory
        while STARTED:
            process = STARTED.pop()
            process.kill()  # its children end with it
            process.wait()


def with_our_environment(checkout: Checkout) -> Checkout:
    """Spare the installation: use the environment that runs this test."""
    (checkout.place / ".venv").symlink_to(Path(sys.prefix))
    return checkout


MARK = (
    "from datetime import timedelta; from django.utils import timezone; "
    "from django.contrib.sessions.models import Session; "
    "Session.objects.create(session_key='kept', session_data='', expire_date=timezone.now() + timedelta(days=1))"
)
COUNT = "from django.contrib.sessions.models import Session; print('kept:', Session.objects.filter(pk='kept').count())"


def test_a_demo_in_a_path_with_a_space_survives_a_kill_of_everything(place: Path) -> None:
    checkout = with_our_environment(Checkout(place / "our conference"))
    process = checkout.start()
    said = checkout.wait(process)
    assert f"http://127.0.0.1:{checkout.port}/admin/" in said
    assert f"http://127.0.0.1:{checkout.port}/demo/mailbox/" in said
    assert "@" in said.partition("is ready")[2], "the log-in is printed"
    checkout.page()
    checkout.page("/demo/mailbox/")

    second = checkout.run("demo", "--port", str(servers.free_port()))
    assert second.returncode == 1
    assert "in use already" in second.stdout

    assert checkout.run("manage", "shell", "-c", MARK).returncode == 0
    everything = checkout.processes()
    assert len(everything) == 6
    for pid in [process.pid, *everything]:
        os.kill(pid, signal.SIGKILL)
    process.wait(10)

    started = time.monotonic()
    process = checkout.start()
    checkout.wait(process, 60)
    assert time.monotonic() - started < 45
    checkout.page()
    assert "kept: 1" in checkout.run("manage", "shell", "-c", COUNT).stdout
    everything = checkout.processes()
    assert stop(process) == 0, checkout.said()
    assert "Stopped in" in checkout.said()
    assert [pid for pid in everything if servers.is_alive(pid)] == []

    # Without a demo the same command brings its own servers, on the same data.
    assert "kept: 1" in checkout.run("manage", "shell", "-c", COUNT).stdout


@pytest.mark.long
def test_two_checkouts_run_at_once_and_a_dead_process_comes_back(place: Path) -> None:
    checkouts = [with_our_environment(Checkout(place / name)) for name in ("one", "two")]
    processes = [checkout.start() for checkout in checkouts]
    for checkout, process in zip(checkouts, processes, strict=True):
        checkout.wait(process)
    for checkout in checkouts:
        checkout.page()
    assert checkouts[0].run("manage", "shell", "-c", MARK).returncode == 0
    assert "kept: 0" in checkouts[1].run("manage", "shell", "-c", COUNT).stdout

    state = json.loads((checkouts[0].place / "var" / "run" / "demo.json").read_text())
    worker = next(pid for name, pid, _ in state["children"] if name == "worker")
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: "worker was killed by signal 9" in checkouts[0].said(), 20, lambda: "nothing was said")

    assert [stop(process, signal.SIGTERM) for process in processes] == [0, 0]


@pytest.mark.skipif("CI" not in os.environ, reason="installs from the network: set CI=1")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not Path(SYSTEM_PYTHON).exists(), reason="needs the system's own Python")
def test_an_ordinary_user_gets_a_demo_from_nothing(place: Path) -> None:
    checks = "import sys, ensurepip; raise SystemExit(sys.version_info < (3, 11))"
    if subprocess.run([SYSTEM_PYTHON, "-c", checks], capture_output=True, check=False).returncode != 0:
        pytest.skip("the system's Python is too old or has no venv module")
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    home = place / "home"
    checkout = Checkout(home / "alliance", user, SYSTEM_PYTHON)
    kept = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home)}
    checkout.environment = {**checkout.environment, **kept}
    for path in [home, *home.rglob("*")]:
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    started = time.monotonic()
    process = checkout.start()
    checkout.wait(process, 240)
    assert "Installing" in checkout.said()
    checkout.page()
    print(f"from nothing to the first page: {time.monotonic() - started:.1f} s")
    assert stop(process) == 0
