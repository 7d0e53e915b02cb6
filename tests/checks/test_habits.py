"""Habits of the code that no test of a feature would miss, and that end badly; each with an example that is found."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps

from alliance.db import random_id

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "alliance", "events", "outbox", "registration", "speakers", "video")


@functools.cache
def trees() -> list[tuple[str, ast.AST]]:
    """Our Python files but migrations, as trees."""
    paths = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))) for path in paths]


def all_fields(tree: ast.AST) -> list[int]:
    """Lines where a form or serializer takes every field of its model, also those that come later.

    The form of users does, as the framework has it; its admin says which of them are asked for.
    """
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and any(isinstance(name, ast.Name) and name.id in {"fields", "exclude"} for name in node.targets)
        and (
            (isinstance(node.value, ast.Constant) and node.value.value == "__all__")
            or any(isinstance(name, ast.Name) and name.id == "exclude" for name in node.targets)
        )
    ]


def carried(tree: ast.AST) -> list[int]:
    """Lines where a task is given something to carry or a time: what must not be lost is a row."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            named = {word.arg for word in node.keywords}
            if node.func.attr == "delay" and (node.args or node.keywords):
                found.append(node.lineno)
            if node.func.attr in {"apply_async", "send_task"} and named & {"args", "kwargs", "eta", "countdown"}:
                found.append(node.lineno)
    return found


def compared(tree: ast.AST) -> list[int]:
    """Lines where a secret is compared sign by sign: how long that takes tells how much of a guess is right."""
    secret = re.compile(r"(?i)(^|_)(signature|hmac|digest|secret|password)$")
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            for side in (node.left, *node.comparators):
                name = side.attr if isinstance(side, ast.Attribute) else side.id if isinstance(side, ast.Name) else ""
                if secret.search(name) and not isinstance(node.comparators[0], ast.Constant):
                    found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    ("looks", "bad", "good"),
    [
        (all_fields, 'fields = "__all__"', 'fields = ["name"]'),
        (all_fields, 'exclude = ["name"]', "fields = all_fields"),
        (carried, "drain.delay(7)", "drain.delay()"),
        (carried, "task.apply_async(countdown=5)", "task.apply_async(expires=5)"),
        (compared, "given == signature", "hmac.compare_digest(given, signature)"),
    ],
)
def test_habit_is_found_and_nowhere_here(looks: object, bad: str, good: str) -> None:
    assert callable(looks)
    assert looks(ast.parse(bad)) == [1]
    assert looks(ast.parse(good)) == []
    assert {path for path, tree in trees() if looks(tree)} <= ({"accounts/admin.py"} if looks is all_fields else set())


def test_public_ids_are_made_of_chance() -> None:
    """Nothing about a person or session can be worked out from its id, nor the id from it."""
    found = {
        model._meta.label: field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name == "public_id"
    }

    assert len(found) > 15
    assert {label: field.default for label, field in found.items() if field.default not in {random_id, uuid4}} == {}
    assert [label for label, field in found.items() if not (field.unique or field.primary_key)] == []
    assert len({random_id() for _each in range(100)}) == 100
