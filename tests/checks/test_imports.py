"""Imports point one way (docs/design.md section 2), and no edge skips the services."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What each app may import of the others. outbox knows nobody but the base code.
MAY_IMPORT = {
    "alliance": set(),
    "accounts": {"alliance", "outbox"},
    "outbox": {"alliance"},
    "events": {"alliance", "accounts", "outbox"},
    "speakers": {"alliance", "accounts", "events", "outbox"},
    "video": {"alliance", "accounts", "events", "outbox"},
    "registration": {"alliance", "accounts", "events", "speakers", "video", "outbox"},
}


def sources() -> list[Path]:
    """The Python files of the apps, without migrations."""
    return [path for app in MAY_IMPORT for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]


def imported(path: Path) -> set[str]:
    """The top-level packages a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize("app", MAY_IMPORT)
def test_app_imports_only_what_lies_below_it(app: str) -> None:
    others = set(MAY_IMPORT) - MAY_IMPORT[app] - {app}

    wrong = {
        str(path.relative_to(ROOT)): sorted(imported(path) & others)
        for path in sources()
        if path.relative_to(ROOT).parts[0] == app and imported(path) & others
    }

    assert wrong == {}


def test_models_import_no_services_views_or_tasks() -> None:
    edges = {"services", "views", "forms", "admin", "api", "tasks", "emails", "handlers"}
    wrong = []
    for path in sources():
        parts = path.relative_to(ROOT).parts
        if "models" in parts or parts[-1] == "models.py":
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.ImportFrom) and node.module:
                    names = [*node.module.split(".")[1:], *(alias.name for alias in node.names)]
                wrong += [f"{path.relative_to(ROOT)}: {name}" for name in names if name in edges]

    assert wrong == []
