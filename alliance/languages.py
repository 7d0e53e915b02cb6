"""Content in six languages: the field that holds it and the choice of the best one for a reader.

The value is {"en": "...", "ru": "..."}. A reader gets their language; else English; else the first language there is,
in the order of settings.LANGUAGES. Pages say honestly (with lang=) which one it became.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_from_request

_ASKED = re.compile(r"(?:^|&)lang=([a-z]{2})(?:&|$)")


def codes() -> list[str]:
    """The language codes of the house, in their fixed order."""
    return [code for code, _name in settings.LANGUAGES]


def of_program(request: HttpRequest) -> str:
    """The language of messages to a program: ?lang= where it is one of ours, else what its headers ask for.

    Looked for in the query as it was sent: one that cannot be read is refused in the language it asks for, too.
    """
    asked = _ASKED.search(request.META.get("QUERY_STRING", ""))
    return asked[1] if asked and asked[1] in codes() else get_language_from_request(request)


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
