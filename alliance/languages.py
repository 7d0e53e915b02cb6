"""Content in six languages: the field that holds it and the choice of the best one for a reader.

The value is {"en": "...", "ru": "..."}. A reader gets their language; else English; else the first language there is,
in the order of settings.LANGUAGES. Pages say honestly (with lang=) which one it became.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


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


class _Readable(json.JSONEncoder):
    """The admin shows JSON fields as JSON; this makes it show texts to a reader. What is stored is a plain dict."""

    def encode(self, o: Any) -> str:
        """The text in the active language; other values as JSON."""
        return str(o) if isinstance(o, Translations) else super().encode(o)


class TranslatedField(models.JSONField):
    """Text in the six languages, in one JSON column: languages can be added without a migration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", Translations)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)
        self.encoder = _Readable

    def deconstruct(self) -> Any:
        """Leave out of migrations what the class always sets."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("encoder", None)
        return name, path, args, kwargs

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Translations:
        """A Translations, never None; a single key (title__en in values()) stays what it is."""
        if isinstance(expression, KeyTransform):
            return super().from_db_value(value, expression, connection)  # type: ignore[no-any-return]
        return translations(super().from_db_value(value, expression, connection))

    def to_python(self, value: Any) -> Any:
        """Accept a plain text as English."""
        try:
            return translations(super().to_python(value) if not isinstance(value, str) else value)
        except TypeError as error:
            raise ValidationError(_("Give a text for each language.")) from error

    def get_prep_value(self, value: Any) -> Any:
        """Store only languages that have a text."""
        return dict(translations(value)) if not hasattr(value, "as_sql") else super().get_prep_value(value)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Turn a plain text that was assigned in code into Translations on the instance as well."""
        value = translations(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Only known languages; at least one text unless the field may be blank."""
        if unknown := sorted(set(value or {}) - set(codes())):
            raise ValidationError(_("Unknown language: %(codes)s."), params={"codes": ", ".join(unknown)})
        if not self.blank and not value:
            raise ValidationError(_("Give the text in at least one language."), code="required")

    def formfield(self, **kwargs: Any) -> Any:
        """One input per language (alliance.forms.TranslatedFormField)."""
        from alliance.forms import TranslatedFormField

        return TranslatedFormField(
            required=not self.blank,
            label=kwargs.get("label") or (self.verbose_name or "").capitalize(),
            help_text=kwargs.get("help_text") or self.help_text,
            multiline=kwargs.get("multiline", False),
        )


def join_codes(values: Iterable[str]) -> str:
    """Language codes for an attribute or a file, as "en, ru"."""
    return ", ".join(values)
