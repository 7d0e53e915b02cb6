"""Content in six languages: the field that holds it and the choice of the best one for a reader.

The value is {"en": "...", "ru": "..."}. A reader gets their language; else English; else the first language there is,
in the order of settings.LANGUAGES. Pages say honestly (with lang=) which one it became.
"""

from __future__ import annotations

from typing import NamedTuple

from django.conf import settings
from django.utils.translation import get_language


def codes() -> list[str]:
    """The language codes of the house, in their fixed order."""
    return [code for code, _name in settings.LANGUAGES]


class Localised(NamedTuple):
    """A text and the language it is in."""

    text: str
    language: str


class Translations(dict[str, str]):
    """A text in several languages. str() gives the best one for the active language."""

    def best(self, language: str | None = None) -> Localised:
        """The text for a reader of the language (default: the active one), and the language it is really in."""
        wanted = (language or get_language() or "en").split("-")[0]
        for code in (wanted, "en", *codes(), *self):
            if text := self.get(code):
                return Localised(text, code)
        return Localised("", wanted)

    def __str__(self) -> str:
        return self.best().text

    def __bool__(self) -> bool:
        return any(self.values())


def translations(value: object) -> Translations:
    """A Translations from what a person or file gives: a plain text is English.

    Raises TypeError for anything but None, a text, or a mapping of language codes to texts.
    """
    if value is None:
        return Translations()
    if isinstance(value, str):
        return Translations({"en": value}) if value else Translations()
    if isinstance(value, dict) and all(isinstance(k, str) and isinstance(v, str) for k, v in value.items()):
        return Translations({code: text for code, text in value.items() if text})
    raise TypeError(f"expected a text or a mapping of languages to texts, got {type(value).__name__}")
