"""A small programme file for tests: the file itself, changed, and what the import says about it."""

from __future__ import annotations

from pathlib import Path

SMALL = (Path(__file__).parent / "small_programme.yaml").read_text(encoding="utf-8")


def changed(*pairs: tuple[str, str]) -> bytes:
    """The small programme with texts replaced; each must stand there exactly once."""
    text = SMALL
    for old, new in pairs:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    return text.encode()


def line_of(part: str, text: str = SMALL) -> int:
    """The line in which something stands, from 1."""
    return text[: text.index(part)].count("\n") + 1
