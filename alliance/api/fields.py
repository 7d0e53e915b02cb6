"""How texts in several languages, instants and codes are written. Output only.

Null means that something is not known or not there; an empty text is never sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import translation
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alliance import languages

LANGUAGES = list(settings.LANGUAGES)  # named in the schema


class TextSerializer(serializers.Serializer[Any]):
    """A text: the best one for the reader, the language it is really in, and all there are."""

    text = serializers.CharField(read_only=True, help_text="In the language asked for by ?lang=, else the nearest.")
    language = serializers.ChoiceField(
        choices=LANGUAGES, read_only=True, help_text="The language of `text`: not always the one asked for."
    )
    translations = serializers.DictField(
        child=serializers.CharField(), read_only=True, help_text="Every language there is, by code."
    )

    class Meta:
        ref_name = "Text"


@extend_schema_field(TextSerializer)
class TextField(serializers.Field[Any, Any, Any, Any]):
    """A TranslatedField as {text, language, translations}; null when there is no text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("read_only", True)
        super().__init__(**kwargs)

    def to_representation(self, value: languages.Translations) -> dict[str, object] | None:
        """The text for a reader of the language in the context."""
        if not value:
            return None
        best = value.best(self.context["language"])
        return {"text": best.text, "language": best.language, "translations": dict(value)}


def follow(row: object, path: str) -> Any:
    """An attribute by its dotted path; None where something on the way is None."""
    return reduce(lambda thing, name: None if thing is None else getattr(thing, name), path.split("."), row)


def at_the_venue(instant: datetime | None, zone: ZoneInfo) -> str | None:
    """ISO 8601 with the offset of the venue's clock at that instant."""
    return None if instant is None else instant.astimezone(zone).isoformat()


@extend_schema_field(OpenApiTypes.DATETIME)
class InstantField(serializers.Field[Any, Any, Any, Any]):
    """An instant with the offset of the conference's zone; null when it is not known.

    zone: where the row keeps the ZoneInfo.
    """

    def __init__(self, *, zone: str, **kwargs: Any) -> None:
        self.zone = zone
        super().__init__(read_only=True, allow_null=True, **kwargs)

    def get_attribute(self, instance: Any) -> Any:
        """The written instant: the zone is known here, not in to_representation."""
        return at_the_venue(follow(instance, self.source or ""), follow(instance, self.zone))

    def to_representation(self, value: str) -> str:
        """As it is."""
        return value


class CodeField(serializers.ChoiceField):
    """One of the choices; null for the empty one. known: leave out those that are never public."""

    def __init__(self, choices: Any, *, never: Iterable[str] = (), **kwargs: Any) -> None:
        hidden = set(never)
        pairs = [(value, label) for value, label in choices.choices if value not in hidden]
        kwargs.setdefault("read_only", True)
        super().__init__(choices=pairs, **kwargs)

    def to_representation(self, value: Any) -> Any:
        """The code itself."""
        return str(value) if value else None


@extend_schema_field(OpenApiTypes.STR)
class WrittenField(serializers.Field[Any, Any, Any, Any]):
    """A text in one language, such as a name; null when it is empty."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("read_only", True)
        kwargs.setdefault("allow_null", True)
        super().__init__(**kwargs)

    def to_representation(self, value: Any) -> str | None:
        """The text."""
        return str(value) if value else None


@extend_schema_field(OpenApiTypes.URI)
class AddressField(WrittenField):
    """A web address; null when there is none."""


@extend_schema_field(OpenApiTypes.URI)
class PageField(serializers.Field[Any, Any, Any, Any]):
    """The address of the page about the row, in the reader's language."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, source="*", **kwargs)

    def to_representation(self, value: Any) -> str:
        """The public address; needs what get_absolute_url needs."""
        with translation.override(self.context["language"]):
            return f"{settings.SITE_URL}{value.get_absolute_url()}"


class IdField(serializers.UUIDField):
    """The public id: random, stable, the only one that leaves the house."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("source", "public_id")
        super().__init__(read_only=True, **kwargs)
