"""Texts as a programme file can hold them."""

from __future__ import annotations

import re

_LINE_END = re.compile("\r\n?|\x0b|\x0c|\x85")
# No page, feed or database takes these (yaml_text refuses them in a file); word processors leave some behind.
_STRANGE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def readable(text: str) -> str:
    """The text without controls and without space around it; every line end is the same."""
    return _STRANGE.sub("", _LINE_END.sub("\n", text)).strip()


def is_same(before: str, after: str) -> bool:
    """Whether two texts say the same once they have been through a file."""
    return before == after or readable(before) == readable(after)
