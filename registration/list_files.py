"""Files with lists as other programs write them: CSV in whatever encoding and separator, or a workbook."""

from __future__ import annotations

import codecs

from events.programme_file.problems import InvalidFile

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZIP = b"PK\x03\x04"


def is_workbook(data: bytes) -> bool:
    """Whether a file is an .xlsx, or claims to be one, by its first bytes."""
    return data.startswith(_ZIP)


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 with a mark or without, else Windows-1252.

    Raises InvalidFile for what is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(data, encoding)
    half = len(data) // 4  # Latin text in UTF-16 has a zero in every other byte
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if half and data[start::2].count(0) > half:
            return _checked(data, encoding)
    try:
        return _checked(data, "utf-8")
    except InvalidFile:
        if b"\0" in data:
            raise
        return data.decode("cp1252", errors="replace")


def _checked(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InvalidFile([]) from error
    if "\0" in text:
        raise InvalidFile([])
    return text
