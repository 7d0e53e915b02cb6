"""The doorbell never slows or breaks a web request."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from alliance.celery import app
from outbox import doorbell
from outbox.doorbell import Doorbell
from tests.services import wait_until


@pytest.fixture
def silent_socket(tmp_path: Path) -> Iterator[Path]:
    """Something that takes connections and never answers, as a frozen Redis does."""
    path = tmp_path / "redis.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(50)
        yield path


@pytest.fixture(autouse=True)
def no_connection_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test before may have rung the real one."""
    monkeypatch.setattr(doorbell, "_wire", None)


def test_ring_publishes_several_rings_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "PAUSE_SECONDS", 0.1)
    published: list[float] = []
    bell = Doorbell(lambda: published.append(time.monotonic()))

    for _ in range(100):
        bell.ring()
    wait_until(lambda: len(published) == 1, 5, lambda: f"{len(published)} publications")
    bell.ring()
    wait_until(lambda: len(published) >= 2, 5, lambda: f"{len(published)} publications")

    assert len(published) <= 3
    assert published[1] - published[0] >= 0.1


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/redis.sock", "frozen"])
def test_ring_returns_at_once_whatever_redis_does(url: str, settings: Settings, silent_socket: Path) -> None:
    """With the publication inside ring() the frozen case takes 300 ms, and without limits it never returns."""
    settings.CELERY_BROKER_URL = f"redis+socket://{silent_socket}" if url == "frozen" else url
    failures: list[Exception] = []

    def publish() -> None:
        try:
            doorbell.publish()
        except Exception as error:
            failures.append(error)
            raise

    bell = Doorbell(publish)
    bell.ring()  # the first one starts the thread

    slowest = 0.0
    for _ in range(200):
        began = time.perf_counter()
        bell.ring()
        slowest = max(slowest, time.perf_counter() - began)
        time.sleep(0.001)
    wait_until(lambda: failures, 5, lambda: "no publication failed")

    assert slowest < 0.005
    assert len(failures) == 1  # and then it keeps quiet


def test_publish_to_a_frozen_redis_gives_up_soon(settings: Settings, silent_socket: Path) -> None:
    settings.CELERY_BROKER_URL = f"redis+socket://{silent_socket}"

    began = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)timeout|timed out"):
        doorbell.publish()

    assert time.monotonic() - began < 1.5


def test_doorbell_rings_again_after_its_quiet_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(doorbell, "QUIET_SECONDS", 0.2)
    calls: list[int] = []

    def publish() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError

    bell = Doorbell(publish)
    bell.ring()
    wait_until(lambda: calls, 5, lambda: "no call")
    bell.ring()
    time.sleep(0.1)
    early = len(calls)

    def ring_until_heard() -> bool:
        bell.ring()
        return len(calls) >= 2

    wait_until(ring_until_heard, 5, lambda: "the doorbell stayed quiet")
    assert early == 1


def test_publish_reaches_redis_with_an_end(settings: Settings) -> None:
    with app.connection_for_read() as wire:
        queue = wire.SimpleQueue("celery")
        queue.clear()
        doorbell.publish()
        message = queue.get(timeout=5)
        message.ack()
        queue.close()

    headers: dict[str, Any] = dict(message.headers)
    assert (headers["task"], headers["eta"], message.payload[:2]) == ("outbox.tasks.drain", None, [[], {}])
    assert headers["expires"]


def test_ring_works_in_a_forked_process() -> None:
    """A server may fork after the parent has rung: the parent's thread does not come along."""
    reader, writer = os.pipe()

    def answer() -> None:
        os.write(writer, b"rung")

    bell = Doorbell(lambda: None)
    os.register_at_fork(after_in_child=bell.after_fork)
    bell.ring()
    bell._lock.acquire()  # as if another thread were starting it at that moment
    pid = os.fork()
    if pid == 0:
        bell._publish = answer
        bell.ring()
        time.sleep(5)
        os._exit(0)
    os.close(writer)
    try:
        os.set_blocking(reader, True)
        heard = threading.Thread(target=lambda: got.append(os.read(reader, 4)))
        got: list[bytes] = []
        heard.start()
        heard.join(4)
        assert got == [b"rung"]
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reader)
