"""The supervisor's parts, without a whole demo: settings, secrets, locks, steps, and a command with its own servers."""

import errno
import importlib.util
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.services import ROOT, servers


@pytest.fixture
def supervisor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The supervisor as a module, with a var directory of the test's own and nothing set by the person."""
    for name in [name for name in sys.modules if name.split(".")[0] == "alliance_supervisor"]:
        del sys.modules[name]
    place = ROOT / "alliance" / "supervisor" / "__init__.py"
    spec = importlib.util.spec_from_file_location("alliance_supervisor", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    before = sys.modules.get("alliance_servers")
    spec.loader.exec_module(module)
    if before is not None:
        sys.modules["alliance_servers"] = before
    var = tmp_path / "var"
    (var / "run").mkdir(parents=True)
    (var / "log").mkdir()
    for name, place in (("VAR", var), ("LOGS", var / "log"), ("STATE", var / "run" / "demo.json")):
        monkeypatch.setattr(module.layout, name, place)
    for name in servers.trial_environment():
        monkeypatch.delenv(name, raising=False)
    return module


def test_keys_are_made_once_and_kept_private(supervisor: ModuleType) -> None:
    first = supervisor.environment.kept_secrets()
    assert supervisor.environment.kept_secrets() == first
    assert len(first["SECRET_KEY"]) >= 50
    assert stat.S_IMODE((supervisor.layout.VAR / "demo.env").stat().st_mode) == 0o600


def test_a_half_written_key_file_is_completed_and_no_key_is_replaced(supervisor: ModuleType) -> None:
    (supervisor.layout.VAR / "demo.env").write_text("SECRET_KEY=already-there\n")
    kept = supervisor.environment.kept_secrets()
    assert kept["SECRET_KEY"] == "already-there"
    assert kept["FIELD_ENCRYPTION_KEYS"]


def test_what_the_person_has_set_wins(supervisor: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = {"DATABASE_URL": "postgres://ours", "REDIS_URL": "unix:///ours"}
    plain = supervisor.environment.demo_environment(8001, 2525, urls)
    assert plain["SITE_URL"] == "http://127.0.0.1:8001"
    assert (plain["DEBUG"], plain["DEMO"]) == ("0", "1")
    assert plain["EMAIL_URL"] == "smtp://127.0.0.1:2525"
    assert plain["DATABASE_URL"] == "postgres://ours"
    monkeypatch.setenv("EMAIL_URL", "smtp://mine")
    monkeypatch.setenv("DATABASE_URL_FILE", "/run/secrets/mine")
    chosen = supervisor.environment.demo_environment(8001, 2525, urls)
    assert chosen["EMAIL_URL"] == "smtp://mine"
    assert "DATABASE_URL" not in chosen, "it would hide the file that the person has named"


def test_named_servers_are_used_and_none_is_started(
    supervisor: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://mine")
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    ours = supervisor.processes.Servers()
    assert (ours.postgres, ours.redis) == (None, None)
    assert ours.start() == {}
    ours.stop()
    assert "DATABASE_URL is set" in capsys.readouterr().out


def test_the_mailbox_is_left_out_when_mail_goes_elsewhere(
    supervisor: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = supervisor.environment.demo_environment(8001, 2525, {})
    names = [child.name for child in supervisor.lifecycle.our_processes(8001, 2525, environment)]
    assert names == ["mailbox", "web", "worker", "beat"]
    monkeypatch.setenv("EMAIL_URL", "smtp://mine")
    assert "mailbox" not in [child.name for child in supervisor.lifecycle.our_processes(8001, 2525, environment)]


def test_a_second_start_is_refused_with_words(supervisor: ModuleType) -> None:
    with supervisor.state.the_lock("demo, process 1"):
        second = supervisor.state.the_lock("demo, process 2")
        with pytest.raises(supervisor.terminal.StepFailed, match=r"in use already \(demo, process 1\)"):
            second.__enter__()
        assert supervisor.state.lock_is_held()
    assert not supervisor.state.lock_is_held()


def test_a_port_in_use_is_noticed(supervisor: ModuleType) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not supervisor.lifecycle.port_is_free(taken.getsockname()[1])
    assert supervisor.lifecycle.port_is_free(servers.free_port())


def test_a_failed_step_shows_what_the_program_said(supervisor: ModuleType) -> None:
    command = [sys.executable, "-c", "print('the reason'); raise SystemExit(3)"]
    with pytest.raises(supervisor.terminal.StepFailed, match="the reason"):
        supervisor.processes.Step("try", command, dict(os.environ)).finish()


def test_a_step_is_stopped_when_the_person_asks(supervisor: ModuleType) -> None:
    supervisor.terminal.asked.times = 1
    started = time.monotonic()
    with pytest.raises(supervisor.terminal.Stopped):
        supervisor.processes.Step(
            "try", [sys.executable, "-c", "import time; time.sleep(30)"], dict(os.environ)
        ).finish()
    assert time.monotonic() - started < 10


def test_a_process_that_ends_is_started_again_and_given_up_in_the_end(
    supervisor: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    child = supervisor.processes.Child(
        "web", [sys.executable, "-c", "print('no luck'); raise SystemExit(4)"], dict(os.environ)
    )

    def watch_for_long() -> None:
        for _ in range(50):
            child.watch()
            if child.process is not None:
                child.process.wait(10)
            child.start_again_at = 0.0

    with pytest.raises(supervisor.terminal.StepFailed, match="no luck"):
        watch_for_long()
    said = capsys.readouterr().out
    assert "web ended with exit code 4: starting it again" in said
    assert said.count("starting it again") == 5


def test_processes_that_outlived_a_killed_supervisor_are_stopped(supervisor: ModuleType) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as left:
        state = {"children": [["web", left.pid, servers.process_started(left.pid)]]}
        supervisor.layout.STATE.write_text(json.dumps(state))
        supervisor.state.stop_leftovers()
        assert left.wait(10) == -signal.SIGTERM
    assert not supervisor.layout.STATE.exists()


def test_a_strangers_process_with_the_same_number_is_let_be(supervisor: ModuleType) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True) as stranger:
        supervisor.layout.STATE.write_text(json.dumps({"children": [["web", stranger.pid, "another start time"]]}))
        supervisor.state.stop_leftovers()
        assert stranger.poll() is None
        stranger.kill()


def test_a_spoilt_state_file_is_no_obstacle(supervisor: ModuleType) -> None:
    for content in ("", "{", "[]", "null"):
        supervisor.layout.STATE.write_text(content)
        assert supervisor.state.read_state() == {}
        supervisor.state.stop_leftovers()


def test_static_files_are_collected_again_only_when_something_changed(
    supervisor: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    root = tmp_path / "root"
    (root / "static").mkdir(parents=True)
    (root / "requirements").mkdir()
    (root / "alliance").mkdir()
    (root / "requirements" / "base.txt").write_text("x")
    (root / "alliance" / "settings.py").write_text("x")
    (root / "static" / "site.css").write_text("a {}")
    monkeypatch.setattr(supervisor.layout, "ROOT", root)
    before = supervisor.static_files.static_files_stamp()
    assert supervisor.static_files.static_files_stamp() == before
    (root / "static" / "site.css").write_text("a { color: red }")
    assert supervisor.static_files.static_files_stamp() != before


def test_a_program_can_have_servers_of_its_own() -> None:
    code = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SHOW fsync").fetchone()[0])
client = redis.from_url(os.environ["REDIS_URL"]); print(client.ping()); client.close()
raise SystemExit(7)
"""
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    command = [sys.executable, "-P", str(ROOT / "alliance" / "supervisor" / "__main__.py"), "with-servers"]
    for options, fsync in (([], "off"), (["--durable"], "on")):
        answer = subprocess.run(
            [*command, *options, sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
        )
        assert (answer.returncode, answer.stdout.split()) == (7, [fsync, "True"]), answer.stderr


def test_a_full_disk_is_told_in_words_and_leaves_nothing_running(
    supervisor: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def start_all(port: int, ours: object, children: list[object]) -> None:
        child = supervisor.processes.Child("web", ["sleep", "60"], dict(os.environ))
        children.append(child)
        started.append(child)
        child.start()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "var/log/worker.log")

    started: list[Any] = []
    monkeypatch.setenv("DATABASE_URL", "postgres://mine")
    monkeypatch.setenv("REDIS_URL", "redis://mine")
    monkeypatch.setattr(supervisor.lifecycle, "start_all", start_all)
    monkeypatch.setattr(supervisor.lifecycle.asked, "listen", lambda: None)

    assert supervisor.main(["demo", "--port", str(servers.free_port())]) == 1
    assert "run: No space left on device (var/log/worker.log)" in capsys.readouterr().out
    assert started[0].process.poll() is not None
    assert not supervisor.layout.STATE.exists()
