"""./run audit: says what is known, and fails for holes alone."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """The program ./run, with nothing to install."""
    loader = importlib.machinery.SourceFileLoader("run_for_audit", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "ensure_tools", lambda: tmp_path)
    return module


def answers(run: ModuleType, monkeypatch: pytest.MonkeyPatch, *, out: str = "", errors: str = "") -> None:
    """What the checker says, whatever it is asked."""
    monkeypatch.setattr(run, "quiet", lambda command: subprocess.CompletedProcess(command, 1, out, errors))


def test_a_hole_fails_and_is_named(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hole = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    packages = [{"name": "one", "version": "1.0", "vulns": [hole]}, {"name": "two", "version": "1.0", "vulns": []}]
    answers(run, monkeypatch, out=json.dumps({"dependencies": packages}))

    assert run.run_audit([]) == 1
    assert capsys.readouterr().out.count("one 1.0: PYSEC-1, mended in 2.0") == 1


def test_without_a_hole_or_without_the_service_nothing_fails(
    run: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers(run, monkeypatch, out=json.dumps({"dependencies": [{"name": "one", "version": "1.0", "vulns": []}]}))
    assert run.run_audit([]) == 0
    assert "1 packages looked up" in capsys.readouterr().out

    answers(run, monkeypatch, errors="Traceback\nConnectionError: no route")
    assert run.run_audit([]) == 0
    assert "was not audited: the advisory service did not answer (ConnectionError: no route)" in capsys.readouterr().out
