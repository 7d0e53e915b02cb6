"""The programme file by the command: what it prints, and every kind of bad input."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from events.models import Conference, Country, Organisation
from registration.models import Admission
from speakers.models import Person
from tests.events.programme_files import SMALL, changed, line_of

# --- the command --------------------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[str, str]:
    """The command's output and errors."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_programme", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], str]:
    """Puts a programme into a file."""

    def write(data: bytes) -> str:
        path = tmp_path / "programme.yaml"
        path.write_bytes(data)
        return str(path)

    return write


def test_command_prints_what_is_new_and_then_nothing(db: None, file: Callable[[bytes], str]) -> None:
    name = file(SMALL.encode())

    dry, _errors = run(name, "--dry-run")
    first, _errors = run(name)
    second, _errors = run(name)

    assert dry == first + "dry run: nothing was written\n"
    assert "new: 4 × session\n" in first
    assert second == "nothing changed\n"


def test_command_lists_problems_as_file_and_line(db: None, file: Callable[[bytes], str]) -> None:
    name = file(changed(("  theme: Small", "  teme: Small")))
    errors = io.StringIO()

    with pytest.raises(CommandError, match="nothing was written") as caught:
        call_command("import_programme", name, stderr=errors)

    assert caught.value.returncode == 1
    assert errors.getvalue() == f"{name}:{line_of('  theme')}: unknown key “teme”; did you mean “theme”?\n"


def test_command_says_that_a_file_is_not_there(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(str(tmp_path / "missing.yaml"))


# --- every kind of bad input, by the command ----------------------------------------------------------------------


EXPLODING = "\n".join(
    [
        "format: alliance-programme/1",
        "a0: &a0 [lol]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)),
    ]
).encode()


BAD: list[tuple[str, bytes, str]] = [
    ("unknown key", changed(("theme: Small things", "tehme: Small things")), "unknown key “tehme”; did you mean"),
    ("wrong type", changed(("edition: 1", "edition: first")), "edition: expected a whole number, found “first”"),
    ("unquoted time", changed(('start: "10:00"', "start: 11:30")), 'start: 11:30 without quotes is a number to many'),
    ("dangling id", changed(("person: cem,", "person: nobody,")), "“nobody” is neither in persons nor known"),
    ("day outside", changed(("2030-07-16, label", "2030-07-26, label")), "date: 2030-07-26 is outside the conference"),
    (
        "time outside", changed(('end: "11:00"', "end: 2030-07-19T10:00:00+02:00")),
        "end: 2030-07-19 10:00 is outside the conference, which is from 2030-07-15 to 2030-07-16",
    ),
    ("not UTF-8", SMALL.encode().replace(b"First small", b"F\xfcrst small"), "the byte 0xfc is not UTF-8"),
    ("50 MB", b"format: alliance-programme/1\n" + b"# " + b"x" * 50_000_000, "the file has 5,000,001 bytes; a"),
    ("exploding aliases", EXPLODING, "more than 200,000 values (after following aliases): this is no programme"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "message"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_bad_input_ends_with_exit_code_1_its_line_and_nothing_written(
    db: None, tmp_path: Path, data: bytes, message: str
) -> None:
    file = tmp_path / "programme.yaml"
    file.write_bytes(data)
    told = io.StringIO()
    started = time.thread_time()

    with pytest.raises(CommandError, match="nothing was written") as ended:
        call_command("import_programme", str(file), stderr=told)

    assert ended.value.returncode == 1
    assert time.thread_time() - started < 3
    assert re.search(rf"^{re.escape(str(file))}(:[0-9]+)?: {re.escape(message)}", told.getvalue(), re.MULTILINE)
    for model in (Conference, Organisation, Person, Country, Admission):
        assert not model._default_manager.exists()
