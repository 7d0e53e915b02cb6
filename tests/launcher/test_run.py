"""./run: its list of commands, its environment and its stamps, without installing anything."""

import importlib.machinery
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.services import ROOT


@pytest.fixture
def run() -> ModuleType:
    """The launcher as a module."""
    loader = importlib.machinery.SourceFileLoader("alliance_run", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_alone_it_lists_its_commands() -> None:
    answer = subprocess.run([sys.executable, str(ROOT / "run")], capture_output=True, text=True, check=True)
    for name in ("demo", "test", "lint", "types", "translations", "bench", "faults", "screens", "manage", "check"):
        assert f"./run {name} " in answer.stdout


def test_it_can_be_started_as_a_program() -> None:
    assert os.access(ROOT / "run", os.X_OK)
    assert (ROOT / "run").read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")


def test_an_unknown_command_is_named() -> None:
    answer = subprocess.run([sys.executable, str(ROOT / "run"), "dmeo"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "'dmeo'" in answer.stderr
    assert "./run demo" in answer.stderr


def test_it_uses_the_standard_library_only() -> None:
    code = f"import runpy, sys; sys.argv = ['run']\ntry: runpy.run_path({str(ROOT / 'run')!r}, run_name='__main__')\n"
    code += "except SystemExit: pass\nprint([n for n in ('django', 'pip', 'psycopg') if n in sys.modules])"
    answer = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_an_old_python_is_told_what_to_install(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "OLDEST", (3, 99))
    with pytest.raises(SystemExit, match=r"needs 3\.11 or newer"):
        run.use_new_enough_python()


def test_changed_pins_are_installed_anew(run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pins, venv = tmp_path / "requirements", tmp_path / ".venv"
    pins.mkdir()
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").symlink_to(sys.executable)
    for name in run.CONTAINS:
        (pins / f"{name}.txt").write_text(f"{name}==1\n")
    monkeypatch.setattr(run, "REQUIREMENTS", pins)
    monkeypatch.setattr(run, "VENV", venv)
    monkeypatch.setattr(run, "PYTHON", venv / "bin" / "python")
    assert not run.is_installed("demo")
    (venv / "installed-test").write_text(run.stamp_of("test"))
    assert run.is_installed("demo"), "the test set contains the demo set"
    assert not run.is_installed("dev")
    (pins / "test.txt").write_text("test==2\n")
    assert not run.is_installed("test")


def test_an_environment_whose_python_has_gone_does_not_count(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to(tmp_path / "gone")
    (tmp_path / "installed-demo").write_text(run.stamp_of("demo"))
    monkeypatch.setattr(run, "VENV", tmp_path)
    monkeypatch.setattr(run, "PYTHON", tmp_path / "bin" / "python")
    assert not run.is_installed("demo")


def test_a_python_without_venv_is_told_what_to_install(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(run, "quiet", lambda command: subprocess.CompletedProcess(command, 1, "", "no ensurepip"))
    with pytest.raises(SystemExit, match="apt install python3-venv"):
        run.make_venv(with_pip=True)


def test_every_set_has_the_versions_of_the_smaller_one() -> None:
    def pins(name: str) -> dict[str, str]:
        lines = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        found = [line.split(" ")[0].split("==") for line in lines if "==" in line and not line.startswith((" ", "#"))]
        return dict(found)

    for smaller, larger in (("base", "demo"), ("demo", "test"), ("test", "browser"), ("browser", "dev")):
        assert pins(smaller).items() <= pins(larger).items(), f"{larger} differs from {smaller}: ./run pins"


def test_every_pin_has_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        lines = path.read_text(encoding="utf-8").splitlines()
        for line, following in zip(lines, [*lines[1:], ""], strict=True):
            if "==" in line and not line.startswith((" ", "#")):
                assert following.strip().startswith("--hash="), f"{path.name}: {line}"


def test_the_tests_that_are_left_out_are_named(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[str] = []
    sessions: list[tuple[str, ...]] = []
    monkeypatch.setattr(run, "hand_over", lambda *command: taken.extend(command))

    def call(_title: str, *command: str) -> int:
        sessions.append(command)
        return len(sessions) - 1  # the second session fails

    monkeypatch.setattr(run, "call", call)
    monkeypatch.setattr(run, "find_chromium", lambda: None)
    monkeypatch.setattr(run.shutil, "which", lambda name: None)
    assert run.run_test([]) == 1, "a failure of either session is one of the whole"
    said = capsys.readouterr().out
    assert "apt install chromium" in said
    assert "apt install default-jre-headless" in said
    assert all("not browser and not faults and not html and not slow and not axe" in command for command in sessions)
    assert [command[-1] for command in sessions] == ["tests/speakers", "--ignore=tests/speakers"]
    run.run_test(["tests/faults", "-n0"])
    assert not any(option.startswith("not browser") for option in taken)
    assert "2" not in taken
