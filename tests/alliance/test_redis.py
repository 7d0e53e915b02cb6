"""What lies in Redis is nobody's name and no code that runs: JSON alone, and tasks that carry nothing."""

from __future__ import annotations

import inspect
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from kombu.exceptions import ContentDisallowed
from kombu.serialization import loads

from alliance.celery import app

APPS = ("accounts", "alliance", "events", "outbox", "registration", "speakers", "video")


class Evil:
    """Makes a file when it is unpacked."""

    def __init__(self, ran: Path) -> None:
        self.ran = ran

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, (f"open({str(self.ran)!r}, 'w').close()",)


def test_what_somebody_puts_into_redis_is_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    evil = pickle.dumps(Evil(ran))
    pickle.loads(evil)  # noqa: S301 - to show what the cache must not do
    assert ran.exists(), "it would run"
    ran.unlink()

    redis.Redis.from_url(settings.REDIS_URL).set(cache.make_key("evil"), evil, ex=60)
    with pytest.raises(ContentDisallowed):
        loads(evil, "application/x-python-serialize", "binary", accept=app.conf.accept_content)

    assert cache.get("evil") is None
    assert not ran.exists()


@pytest.mark.parametrize("value", [5, -1, True, 1.5, "y", "Ёлка", [1, "a"], {"a": [None]}, None])
def test_values_come_back_as_they_were(value: Any) -> None:
    cache.set("alliance.test", value, 60)

    assert cache.get("alliance.test", "nothing") == value
    stored = redis.Redis.from_url(settings.REDIS_URL).get(cache.make_key("alliance.test"))
    assert stored is not None
    assert json.loads(stored) == value


def test_counts_are_counted_by_redis() -> None:
    cache.delete("alliance.count")

    assert cache.add("alliance.count", 0, 60)
    assert not cache.add("alliance.count", 7, 60)
    assert [cache.incr("alliance.count"), cache.incr("alliance.count", 3), cache.get("alliance.count")] == [1, 4, 4]


def test_tasks_carry_nothing() -> None:
    """So nothing of anybody is in the broker, and a task that is lost or comes twice does no harm."""
    app.loader.import_default_modules()
    ours = {name: task for name, task in app.tasks.items() if name.startswith(APPS)}

    assert len(ours) > 20
    assert {name: [*inspect.signature(task.run).parameters] for name, task in ours.items()} == {
        name: [] for name in ours
    }
    entries = settings.CELERY_BEAT_SCHEDULE.values()
    assert {entry["task"] for entry in entries} == set(ours)
    assert not [entry for entry in entries if {"args", "kwargs"} & set(entry)]
