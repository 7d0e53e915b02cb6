"""Workbooks that are made to do harm, or were damaged on the way: refused at once, and never a crash."""

from __future__ import annotations

import contextlib
import io
import random
import resource
import time
import zipfile
from collections.abc import Callable

import pytest

from events import programme_file
from events.models import Conference
from events.programme_file.workbook import guard
from tests.events.programme_files import SMALL

SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
FOOT = b"</sheetData></worksheet>"


@pytest.fixture
def small(db: None) -> bytes:
    """The workbook of the small programme, which is in the database."""
    programme_file.load(SMALL.encode())
    return programme_file.export_workbook(Conference.objects.get())


def packed(**parts: bytes) -> bytes:
    """A workbook of these parts, by name with "__" for "/" and "_dot_" for "."."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        found = {"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<workbook/>"}
        found |= {name.replace("__", "/").replace("_dot_", "."): data for name, data in parts.items()}
        for name, data in found.items():
            archive.writestr(name, data)
    return out.getvalue()


def many_columns() -> bytes:
    """A row of a million columns, packed well enough to pass the ratio."""
    cells = b"".join(b'<c r="%s1"><v>1</v></c>' % name(n).encode() for n in range(1, 1_000_001))
    return packed(xl__worksheets__sheet1_dot_xml=HEAD + b'<row r="1">' + cells + b"</row>" + FOOT)


def name(number: int) -> str:
    """The letters of a column."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def entities(*, prolog: bytes = b"") -> bytes:
    """Entities that multiply to a gigabyte."""
    lines = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
    return b'<?xml version="1.0"?>' + prolog + b'<!DOCTYPE x [<!ENTITY e0 "lol">' + lines + b"]><x>&e9;</x>"


def lying() -> bytes:
    """A part that says in the index that it is small."""
    data = bytearray(packed(xl__worksheets__sheet1_dot_xml=b"<x>" + b"0" * 90_000_000 + b"</x>"))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.rfind(mark)
        data[at + offset : at + offset + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


BOMBS: list[tuple[str, Callable[[], bytes], str]] = [
    ("zip bomb", lambda: packed(xl__worksheets__sheet1_dot_xml=b"0" * 99_000_000), "unpacks to"),
    ("dense", lambda: packed(xl__worksheets__sheet1_dot_xml=b"<x>" + b" " * 20_000_000 + b"</x>"), "a hundred times"),
    ("columns", many_columns, "more than 200 columns"),
    (
        "far cell",
        lambda: packed(xl__worksheets__sheet1_dot_xml=HEAD + b'<row><c r="XFD1"/></row>' + FOOT),
        "200 columns",
    ),
    ("far row", lambda: packed(xl__worksheets__sheet1_dot_xml=HEAD + b'<row r="1048576"/>' + FOOT), "20,000 rows"),
    ("entities", lambda: packed(xl__sharedStrings_dot_xml=entities()), "declares a document type"),
    ("late", lambda: packed(xl__styles_dot_xml=entities(prolog=b"<!--" + b"x" * 90_000 + b"-->")), "document type"),
    ("utf-16", lambda: packed(xl__styles_dot_xml=entities().decode().encode("utf-16")), "document type"),
    ("slip", lambda: packed(**{"xl/../../evil.xml": b"<x/>"}), "lies outside"),
    ("lying", lying, "no workbook that can be read"),
    ("parts", lambda: packed(**{f"a{n}": b"" for n in range(300)}), "302 parts"),
    ("no workbook", lambda: b"PK\x03\x04 and nothing more", "no workbook that can be read"),
    ("another zip", lambda: _other_zip(), "but no workbook"),
    ("packed strangely", lambda: _packed_strangely(), "in a way that spreadsheet programs do not use"),
    ("large", lambda: b"PK\x03\x04" + b"0" * 5_000_001, "at most 5,000,000 are possible"),
]


def _other_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("hello.txt", b"hello")
    return out.getvalue()


def _packed_strangely() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_LZMA) as archive:
        for name in ("[Content_Types].xml", "xl/workbook.xml"):
            archive.writestr(name, b"<x/>")
    return out.getvalue()


@pytest.mark.parametrize(("make", "message"), [bomb[1:] for bomb in BOMBS], ids=[bomb[0] for bomb in BOMBS])
def test_bombs_are_refused_at_once(make: Callable[[], bytes], message: str) -> None:
    data = make()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.thread_time()

    with pytest.raises(programme_file.InvalidFile) as caught:
        programme_file.load(data)

    assert time.thread_time() - started < 0.1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
    assert [message in problem.text for problem in caught.value.problems] == [True], caught.value.problems


def test_the_guard_lets_real_workbooks_pass(small: bytes) -> None:
    guard.check(small)
    guard.check(programme_file.workbook_template())


def test_damaged_workbooks_are_refused_or_read_and_never_break(small: bytes) -> None:
    chosen = random.Random(1)
    with zipfile.ZipFile(io.BytesIO(small)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(60):
        name = chosen.choice(list(parts))
        data = bytearray(parts[name])
        for _ in range(chosen.randint(1, 5)):
            data[chosen.randrange(len(data))] = chosen.randrange(256)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for other, content in parts.items():
                archive.writestr(other, bytes(data) if other == name else content)
        with contextlib.suppress(programme_file.InvalidFile):
            programme_file.load(out.getvalue(), dry_run=True)


def test_bytes_that_went_bad_on_the_way_are_refused(small: bytes) -> None:
    chosen = random.Random(1)
    for _ in range(150):  # in the packed parts: one in six is an error of zlib itself
        data = bytearray(small)
        data[chosen.randrange(60, len(data) // 2)] ^= chosen.randrange(1, 256)
        with contextlib.suppress(programme_file.InvalidFile):
            guard.check(bytes(data))
