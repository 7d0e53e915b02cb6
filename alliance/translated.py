"""The model field that holds content in six languages."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.utils.translation import gettext_lazy as _

from alliance.forms import TranslatedFormField
from alliance.languages import Translations, codes, translations


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
        return TranslatedFormField(
            required=not self.blank,
            label=kwargs.get("label") or (self.verbose_name or "").capitalize(),
            help_text=kwargs.get("help_text") or self.help_text,
            multiline=kwargs.get("multiline", False),
        )
