"""Query parameters of the API: how each is checked, what it filters, and what the schema says of it.

A parameter that is unknown, given twice, empty or malformed is refused with a problem document that names it and says
what is expected. A filter that is silently ignored would give a program the wrong rows without a word.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from django import forms
from django.db.models import Model, Q, QuerySet
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import FilterSet
from django_filters.filters import Filter
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from alliance import languages
from alliance.problems import Fault, InvalidParameters

_LONGEST = 1000  # characters of one value; cursors are the longest that make sense
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,120}")

ID_SCHEMA: Mapping[str, object] = {"type": "string", "format": "uuid"}


def check_parameters(request: Request, known: Iterable[str]) -> None:
    """Refuse what no parameter may be: unknown, repeated, empty, too long, or with characters nobody can type.

    Raises InvalidParameters with all faults.
    """
    known = sorted(known)
    faults = []
    for name, values in request.query_params.lists():
        if name not in known:
            shown = _CONTROL.sub("?", name[:40])
            expected = _("There is no such parameter here. Known: %(names)s.") % {"names": ", ".join(known)}
            faults.append(Fault("query", shown, expected))
        elif len(values) > 1:
            faults.append(Fault("query", name, _("Give it once.")))
        elif not values[0].strip():
            faults.append(Fault("query", name, _("It is empty: give a value or leave it out.")))
        elif len(values[0]) > _LONGEST:
            faults.append(Fault("query", name, _("It is too long.")))
        elif _CONTROL.search(values[0]):
            faults.append(Fault("query", name, _("It has characters that cannot be read.")))
    if faults:
        raise InvalidParameters(faults[:20])


def language_of(request: Request) -> str | None:
    """What ?lang= asks for; None without. Raises InvalidParameters for a language that is not ours."""
    wanted = request.query_params.get("lang")
    if wanted is None or wanted in languages.codes():
        return wanted
    expected = _("Expected one of: %(choices)s.") % {"choices": ", ".join(languages.codes())}
    raise InvalidParameters([Fault("query", "lang", expected)])


# --- form fields: one value each, strict ----------------------------------------------------------------------------


class _Pattern(forms.Field):
    """Text of one form, read by read(), which raises ValueError."""

    def to_python(self, value: Any) -> Any:
        """The value as the filter takes it."""
        if value in self.empty_values:
            return None
        try:
            return self.read(str(value))
        except (ValueError, OverflowError) as error:
            raise forms.ValidationError(self.expected(), code="invalid") from error

    def expected(self) -> str:
        """What to say of a value that cannot be read."""
        return str(self.error_messages["invalid"])

    def read(self, text: str) -> Any:
        """The value behind the text. Raises ValueError."""
        raise NotImplementedError


class _ChoiceField(_Pattern):
    def __init__(self, *, values: Iterable[str], **kwargs: Any) -> None:
        self.values = tuple(values)
        super().__init__(**kwargs)

    def expected(self) -> str:
        return _("Expected one of: %(choices)s.") % {"choices": ", ".join(self.values)}

    def read(self, text: str) -> str:
        if text not in self.values:
            raise ValueError
        return text


class _NumberField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected a whole number from 1 to 32767.")}

    def read(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 32767:
            raise ValueError
        return int(text)


class _FlagField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected true or false.")}

    def read(self, text: str) -> bool:
        return {"true": True, "false": False}[text] if text in {"true", "false"} else _refuse()


class _DateField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected a date such as 2020-07-20.")}

    def read(self, text: str) -> Any:
        day = parse_date(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
        return day or _refuse()


class _DayField(_DateField):
    default_error_messages = {
        "invalid": gettext_lazy("Expected the number of a day, such as 2, or a date such as 2020-07-20.")
    }

    def read(self, text: str) -> Any:
        if re.fullmatch(r"[0-9]{1,3}", text):
            return int(text) or _refuse()
        return super().read(text)


class _InstantField(_Pattern):
    default_error_messages = {
        "invalid": gettext_lazy("Expected an instant with its offset, such as 2020-07-20T09:00:00+02:00.")
    }

    def read(self, text: str) -> datetime:
        # A plus sign that was not encoded arrives as a space; nothing else can be meant.
        instant = parse_datetime(re.sub(r" (?=[0-9]{2}:?[0-9]{2}$)", "+", text))
        if instant is None or instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)  # PostgreSQL reads no offset of 16 hours or more


class _IdField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected an id as this API writes it.")}

    def read(self, text: str) -> uuid.UUID:
        return uuid.UUID(text) if _UUID.fullmatch(text.lower()) else _refuse()


class _SlugOrIdField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected the id or the slug of a conference.")}

    def read(self, text: str) -> uuid.UUID | str:
        if _UUID.fullmatch(text.lower()):
            return uuid.UUID(text)
        return text if _SLUG.fullmatch(text) else _refuse()


class _CountryField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected two capital letters of ISO 3166, such as AT.")}

    def read(self, text: str) -> str:
        return text if re.fullmatch(r"[A-Z]{2}", text) else _refuse()


class _LanguageField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected a language as this API writes it, such as en.")}

    def read(self, text: str) -> str:
        return text if len(text) <= 40 else _refuse()


class _TextField(_Pattern):
    default_error_messages = {"invalid": gettext_lazy("Expected at most 100 characters.")}

    def read(self, text: str) -> str:
        return text if len(text) <= 100 else _refuse()


def _refuse() -> Any:
    raise ValueError


# --- filters --------------------------------------------------------------------------------------------------------


class Parameter(Filter):  # type: ignore[misc]  # django-filter has no types
    """A query parameter. description and schema go into the OpenAPI document."""

    field_class: type[forms.Field] = forms.Field
    schema: Mapping[str, object] = {"type": "string"}

    def __init__(self, description: str, **kwargs: Any) -> None:
        self.description = description
        super().__init__(**kwargs)


class Choice(Parameter):
    """One of the values."""

    field_class = _ChoiceField

    def __init__(self, description: str, values: Iterable[str], **kwargs: Any) -> None:
        values = tuple(values)
        self.schema = {"type": "string", "enum": list(values)}
        super().__init__(description, values=values, **kwargs)


class Number(Parameter):
    """A small whole number."""

    field_class = _NumberField
    schema = {"type": "integer", "minimum": 1, "maximum": 32767}


class Flag(Parameter):
    """true or false."""

    field_class = _FlagField
    schema = {"type": "boolean"}


class Date(Parameter):
    """A calendar day."""

    field_class = _DateField
    schema = {"type": "string", "format": "date"}


class Instant(Parameter):
    """An instant with its offset."""

    field_class = _InstantField
    schema = {"type": "string", "format": "date-time"}


class Day(Parameter):
    """A day of a conference by number or date. field_name: the path to the ConferenceDay."""

    field_class = _DayField
    schema = {
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 999}, {"type": "string", "format": "date"}],
    }

    def filter(self, qs: QuerySet[Model], value: Any) -> QuerySet[Model]:
        """Rows of the day."""
        if value is None:
            return qs
        what = "date" if isinstance(value, date) else "number"
        return qs.filter(**{f"{self.field_name}__{what}": value})


class Id(Parameter):
    """A public id. field_name: the path to the row it belongs to."""

    field_class = _IdField
    schema = ID_SCHEMA

    def filter(self, qs: QuerySet[Model], value: Any) -> QuerySet[Model]:
        """Rows that belong to it."""
        return qs if value is None else qs.filter(**{f"{self.field_name}__public_id": value})


def by_slug_or_id(value: uuid.UUID | str, path: str = "") -> dict[str, object]:
    """The condition that a SlugOrId stands for. path: to the conference, with its underscores."""
    return {f"{path}slug" if isinstance(value, str) else f"{path}public_id": value}


class SlugOrId(Parameter):
    """A conference by slug or id. field_name: the path to it."""

    field_class = _SlugOrIdField
    schema = {"type": "string", "pattern": "^[-a-zA-Z0-9_]{1,120}$"}

    def filter(self, qs: QuerySet[Model], value: Any) -> QuerySet[Model]:
        """Rows of the conference."""
        return qs if value is None else qs.filter(**by_slug_or_id(value, f"{self.field_name}__"))


class CountryCode(Parameter):
    """A country by its two letters."""

    field_class = _CountryField
    schema = {"type": "string", "pattern": "^[A-Z]{2}$"}


class Language(Parameter):
    """A language as this API writes it in the array field_name."""

    field_class = _LanguageField
    schema = {"type": "string", "minLength": 1, "maxLength": 40}

    def filter(self, qs: QuerySet[Model], value: Any) -> QuerySet[Model]:
        """Rows whose list has it."""
        return qs if value is None else qs.filter(**{f"{self.field_name}__contains": [value]})


class Words(Parameter):
    """A text of some length, for a filter that knows what to do with it."""

    field_class = _TextField
    schema = {"type": "string", "minLength": 1, "maxLength": 100}


class Search(Parameter):
    """Words to look for, all of them, in any of the texts; letters with and without accents are the same.

    texts: paths of TranslatedFields; names: paths of plain fields.
    """

    field_class = _TextField
    schema = {"type": "string", "minLength": 1, "maxLength": 100}

    def __init__(
        self, description: str, *, texts: Iterable[str] = (), names: Iterable[str] = (), **kwargs: Any
    ) -> None:
        self.texts, self.names = tuple(texts), tuple(names)
        super().__init__(description, **kwargs)

    def filter(self, qs: QuerySet[Model], value: Any) -> QuerySet[Model]:
        """Rows that have every word somewhere."""
        for word in (value or "").split()[:10]:
            found = Q()
            for path in self.texts:
                for code in languages.codes():
                    found |= Q(**{f"{path}__{code}__icontains": word})
            for path in self.names:
                found |= Q(**{f"{path}__unaccent__icontains": word})
            qs = qs.filter(found)
        return qs


class Filters(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """The filters of a list. now: the instant of the request, for what may be shown only later."""

    now: datetime


class QueryParameters(BaseFilterBackend):
    """Filters a list with the view's filterset_class."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        """The rows that are asked for. Raises InvalidParameters."""
        filters: Filters = view.filterset_class(request.query_params, queryset=queryset, request=request)
        filters.now = view.now
        if not filters.is_valid():
            raise InvalidParameters(
                Fault("query", name, " ".join(str(message) for message in messages))
                for name, messages in filters.errors.items()
            )
        rows: QuerySet[Any] = filters.qs
        return rows

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, object]]:
        """The filters, for the schema."""
        return [
            {
                "name": name,
                "in": "query",
                "required": False,
                "description": parameter.description,
                "schema": dict(parameter.schema),
            }
            for name, parameter in view.filterset_class.base_filters.items()
        ]
