"""Texts in files for spreadsheet programs, which take some of them for formulas and run them."""

from __future__ import annotations

# Also the wide forms, which programs read as the narrow ones where East Asian text is usual.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_BLANK = " \u00a0\ufeff\u3000"


def harmless(text: str) -> str:
    """The text, with an apostrophe before it where a spreadsheet program would see a formula, also after blanks."""
    return f"'{text}" if text.lstrip(_BLANK).startswith(_FORMULA) or text.startswith(_FORMULA) else text
