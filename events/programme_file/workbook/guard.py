"""Refuses workbooks that would cost the server dear, before a spreadsheet library sees them.

A workbook is a zip of XML. 400 kB of it can unpack to a gigabyte, hold a million columns, or entities that multiply.
The sizes are read from the index of the zip; then expat walks through every part with little memory and stops at the
first thing that no programme has.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any, NoReturn
from xml.parsers import expat

from events.programme_file.problems import InvalidFile, Problem

MOST_BYTES = 5_000_000  # packed
MOST_UNPACKED = 50_000_000
MOST_RATIO = 100  # of the whole and of each part beyond a hundred kilobytes
MOST_PARTS = 200
MOST_ELEMENTS = 1_000_000  # over all parts; a programme of 300 sessions has about 150,000
MOST_ROWS = 20_000
MOST_COLUMNS = 200
_SMALL = 100_000  # a part this small may be of one letter only
_CHUNK = 65_536
_REFERENCE = re.compile(r"([A-Za-z]{1,8})([0-9]{1,8})")
_NEEDED = ("[Content_Types].xml", "xl/workbook.xml")
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # what spreadsheet programs write
# What a file of damaged bytes makes of zipfile. zlib has an error of its own, which is none of the others.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError, LookupError,
)  # fmt: skip


def check(data: bytes) -> None:
    """Raises InvalidFile unless the bytes are a workbook of a size that a programme can have."""
    if len(data) > MOST_BYTES:
        refuse(f"the workbook has {len(data):,} bytes; at most {MOST_BYTES:,} are possible")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            _check_index(parts)
            budget = [MOST_ELEMENTS]
            for part in parts:
                if part.filename.lower().endswith((".xml", ".rels", ".vml")):
                    _walk(archive, part, budget)
    except _UNREADABLE as error:
        raise InvalidFile([Problem(0, "this is no workbook that can be read: save it as .xlsx")]) from error


def refuse(text: str) -> NoReturn:
    """Stop with one problem of the file as a whole."""
    raise InvalidFile([Problem(0, text)])


def _check_index(parts: list[zipfile.ZipInfo]) -> None:
    names = {part.filename for part in parts}
    if not set(_NEEDED) <= names:
        refuse("this is a zip file, but no workbook: save it as .xlsx")
    if len(parts) > MOST_PARTS:
        refuse(f"the workbook has {len(parts)} parts; at most {MOST_PARTS} are possible")
    if len(names) != len(parts):
        refuse("the workbook has a part twice")
    for part in parts:
        if part.filename.startswith(("/", "\\")) or ".." in part.filename.replace("\\", "/").split("/"):
            refuse("the workbook has a part that lies outside of it")
        if part.flag_bits & 0x1:
            refuse("the workbook is locked with a password: save it without")
        if part.compress_type not in _METHODS:
            refuse("the workbook is packed in a way that spreadsheet programs do not use: save it as .xlsx")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > MOST_UNPACKED:
        refuse(f"the workbook unpacks to {unpacked:,} bytes; at most {MOST_UNPACKED:,} are possible")
    for part in parts:
        if part.file_size > _SMALL and part.file_size > MOST_RATIO * max(part.compress_size, 1):
            refuse("the workbook unpacks to more than a hundred times its size: this is no programme")


def _walk(archive: zipfile.ZipFile, part: zipfile.ZipInfo, budget: list[int]) -> None:
    """Read one part of XML, keeping nothing of it."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    is_sheet = part.filename.startswith("xl/worksheets/")
    column = row = 0

    def doctype(*_arguments: Any) -> NoReturn:
        refuse("the workbook declares a document type: this is no programme")

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal column, row
        budget[0] -= 1
        if budget[0] < 0:
            refuse(f"the workbook has more than {MOST_ELEMENTS:,} cells and other elements: this is no programme")
        local = name.rpartition(":")[2]
        if not is_sheet or local not in ("row", "c"):
            return
        if local == "row":
            column, row = 0, row + 1
            given = attributes.get("r", "")
            row = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else row
        else:
            column += 1
            if found := _REFERENCE.fullmatch(attributes.get("r", "")):
                column, row = _number(found[1]), int(found[2])
        if column > MOST_COLUMNS:
            refuse(f"{part.filename}: a row has more than {MOST_COLUMNS} columns: this is no programme")
        if row > MOST_ROWS:
            refuse(f"{part.filename}: more than {MOST_ROWS:,} rows: this is no programme")

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    try:
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise InvalidFile([Problem(0, "this is no workbook that can be read: save it as .xlsx")]) from error


def _number(letters: str) -> int:
    """The number of a column, from 1."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
