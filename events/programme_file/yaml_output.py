"""Plain data as YAML that people like to read and yaml_text reads back as the same.

PyYAML's own writer knows no difference between a short entry, which reads best in one line, and a long one, and quotes
by the rules of one reader only. Here everything that any reader could take for a number, a truth value or a time is in
quotes, nothing has an anchor, and the same data always gives the same text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from events.programme_file.yaml_text import Kind, Scalar

WIDTH = 118  # of a line, in characters
_LONG = 100  # a text beyond this many characters gets lines of its own


class Quoted(str):
    """A text that always stands in quotes: a time, a country code."""


# What stands in a text without being an escape. Tabs and the line ends that only some programs know are escaped.
_READABLE = re.compile("[\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
# A text needs no quotes when it begins with a letter or digit and holds nothing that YAML gives a meaning to.
_PLAIN = re.compile(r"[^\W_](?:[^\n:#]|:(?=[^\s,\[\]{}])|(?<=\S)#)*")
_FLOW_SIGNS = re.compile(r"[,\[\]{}]")


def document(parts: Mapping[str, Any]) -> bytes:
    """The parts as UTF-8 YAML, an empty line before each that is more than a value."""
    blocks = []
    for key, value in parts.items():
        blocks.append("\n".join(_pair(key, value, 0)))
    return ("\n\n".join(blocks) + "\n").encode()


def _pair(key: str, value: Any, indent: int) -> Iterator[str]:
    """The lines of a key and its value."""
    head = f"{' ' * indent}{_scalar(key)}:"
    if isinstance(value, Mapping) and value:
        if (line := _flow_line(value, len(head) + 1)) and _is_translation(value):
            yield f"{head} {line}"
            return
        yield head
        for inner, part in value.items():
            yield from _pair(inner, part, indent + 2)
    elif isinstance(value, list | tuple) and value:
        yield head
        yield from _items(value, indent + 2)
    elif isinstance(value, str) and (block := _block(value, indent + 2)):
        yield f"{head} {block[0]}"
        yield from block[1:]
    else:
        yield f"{head} {_flow(value)}"


def _items(values: Sequence[Any], indent: int) -> Iterator[str]:
    """The lines of a list."""
    lead = " " * indent
    for value in values:
        if isinstance(value, Mapping) and value:
            if line := _flow_line(value, indent + 2):
                yield f"{lead}- {line}"
                continue
            lines = [line for key, part in value.items() for line in _pair(key, part, indent + 2)]
            yield f"{lead}- {lines[0].lstrip(' ')}"
            yield from lines[1:]
        elif isinstance(value, str) and (block := _block(value, indent + 2)):
            yield f"{lead}- {block[0]}"
            yield from block[1:]
        else:
            yield f"{lead}- {_flow(value)}"


def _is_translation(value: Mapping[str, Any]) -> bool:
    return all(isinstance(part, str) and len(key) == 2 for key, part in value.items())


def _flow_line(value: Mapping[str, Any], before: int) -> str:
    """The mapping in braces when it fits into one line; else an empty text."""
    if any(isinstance(text, str) and "\n" in text for text in value.values()):
        return ""
    line = _flow(value)
    return line if before + len(line) <= WIDTH else ""


def _flow(value: Any) -> str:
    """Any value within a line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key, flow=True)}: {_flow_part(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow_part(part) for part in value) + "]"
    if isinstance(value, str):
        return _scalar(value)
    raise TypeError(f"{type(value).__name__} has no place in a programme file")


def _flow_part(value: Any) -> str:
    return _scalar(value, flow=True) if isinstance(value, str) else _flow(value)


def _scalar(text: str, *, flow: bool = False) -> str:
    """A text in one line, in quotes where it needs them."""
    if isinstance(text, Quoted):
        return _double(text)
    if not _READABLE.fullmatch(text) or "\n" in text:
        return _double(text)
    if (
        _PLAIN.fullmatch(text)
        and not text.endswith((" ", ":"))
        and not (flow and _FLOW_SIGNS.search(text))
        and Scalar(0, text, is_plain=True).kind is Kind.TEXT
    ):
        return text
    return "'" + text.replace("'", "''") + "'"


def _double(text: str) -> str:
    """A text in double quotes, with escapes."""
    found = []
    for sign in text:
        if sign in '"\\':
            found.append("\\" + sign)
        elif sign == "\n":
            found.append("\\n")
        elif _READABLE.fullmatch(sign):
            found.append(sign)
        else:
            number = ord(sign)
            found.append(f"\\U{number:08x}" if number > 0xFFFF else f"\\u{number:04x}")
    return '"' + "".join(found) + '"'


def _block(text: str, indent: int) -> list[str]:
    """A long text on lines of its own: the indicator, then the lines; nothing where it fits into one."""
    if isinstance(text, Quoted) or text != text.strip() or not _READABLE.fullmatch(text):
        return []
    lead = " " * indent
    if "\n" in text:
        return ["|-", *(f"{lead}{line}" if line else "" for line in text.split("\n"))]
    words = text.split(" ")
    if len(text) <= _LONG or "" in words:
        return []
    lines = [words[0]]
    for word in words[1:]:
        if indent + len(lines[-1]) + 1 + len(word) <= WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return [">-", *(f"{lead}{line}" for line in lines)] if len(lines) > 1 else []
