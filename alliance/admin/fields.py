"""How texts in six languages, lists and searchable choices appear in the admin's forms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, AutocompleteSelectMultiple
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import languages
from alliance.admin.scope import Scoped
from alliance.admin.typed import M
from alliance.translated import TranslatedField

if TYPE_CHECKING:
    from alliance.forms import TranslatedFormField


class LinesField(forms.CharField):
    """A list of texts, one a line; names may hold commas."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, *, nullable: bool = False, most: int = 250, **kwargs: Any) -> None:
        self.nullable = nullable
        self.most = most
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Lines from a list."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """A list without empty lines; nothing is None where "not known" differs from "none"."""
        lines = [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]
        return lines or (None if self.nullable else [])

    def run_validators(self, value: Any) -> None:
        """Check each line."""
        super().run_validators("\n".join(value or []))
        if too_long := [line for line in value or [] if len(line) > self.most]:
            raise ValidationError(
                gettext_lazy("Each line may have at most %(most)s characters: “%(line)s…” is longer."),
                params={"most": self.most, "line": too_long[0][:30]},
            )

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare lists, not their spelling in the text area."""
        return bool((initial or []) != (self.to_python(data) or []))


class KnownSelection:
    """A select with search that needs no query for a choice whose row is loaded already."""

    known: dict[str, str] = {}

    def optgroups(self, name: str, value: Sequence[Any], attr: dict[str, Any] | None = None) -> Any:
        """The selected choices, from what is known, else from the database."""
        chosen = [str(one) for one in value if one not in (None, "")]
        if not all(one in self.known for one in chosen):
            return super().optgroups(name, value, attr)  # type: ignore[misc]
        options: list[Any] = []
        if not self.is_required and not self.allow_multiple_selected:  # type: ignore[attr-defined]
            options.append(self.create_option(name, "", "", False, 0))  # type: ignore[attr-defined]
        options += [
            self.create_option(name, one, self.known[one], {one}, index)  # type: ignore[attr-defined]
            for index, one in enumerate(chosen, start=len(options))
        ]
        return [(None, options, 0)]


class KnownSelect(KnownSelection, AutocompleteSelect):
    """One choice with search."""


class KnownSelectMultiple(KnownSelection, AutocompleteSelectMultiple):
    """Several choices with search."""


def choices_of(rows: Iterable[M], label: Callable[[M], str], *, empty: bool = True) -> list[tuple[Any, str]]:
    """Ready choices for a select, so that ten rows of an inline do not ask ten times."""
    return ([("", "---------")] if empty else []) + [(row.pk, label(row)) for row in rows]


class HouseFields(Scoped):
    """How fields of our own kinds appear in forms; shared by admins and inlines."""

    prose: ClassVar[frozenset[str]] = frozenset()  # translated fields of more than a line

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Translated texts and lists have fields of their own."""
        if isinstance(db_field, TranslatedField):
            field: TranslatedFormField = db_field.formfield(multiline=db_field.name in self.prose)
            return field
        if isinstance(db_field, ArrayField):
            base: Any = db_field.base_field
            common: dict[str, Any] = {
                "label": capfirst(db_field.verbose_name),
                "required": not db_field.blank,
                "help_text": db_field.help_text,
            }
            if base.choices:
                return forms.TypedMultipleChoiceField(
                    choices=base.choices, coerce=str, widget=forms.CheckboxSelectMultiple, **common
                )
            return LinesField(
                nullable=db_field.null,
                most=base.max_length or 250,
                **common | {"help_text": db_field.help_text or _("One a line.")},
            )
        if isinstance(db_field, models.URLField):
            kwargs["assume_scheme"] = "https"
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Searchable selects know what is loaded."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = KnownSelect(db_field, self.admin_site)  # type: ignore[attr-defined]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Searchable selects know what is loaded."""
        if "widget" not in kwargs and db_field.name in self.get_autocomplete_fields(request):  # type: ignore[attr-defined]
            kwargs["widget"] = KnownSelectMultiple(db_field, self.admin_site)  # type: ignore[attr-defined]
        return super().formfield_for_manytomany(db_field, request, **kwargs)  # type: ignore[misc]


def in_all_languages(field: str) -> list[str]:
    """The search fields of a translated text."""
    return [f"{field}__{code}" for code in languages.codes()]
