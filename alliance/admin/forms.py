"""What the database refuses, in words, on the form that was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.db import IntegrityError
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from alliance import db
from alliance.admin.typed import M, ModelForm
from alliance.exceptions import DomainError
from alliance.field_errors import ClearErrors

_EXPLANATIONS: dict[str, tuple[str | None, str | Promise]] = {}


def explain(constraint: str, message: str | Promise, *, field: str | None = None) -> None:
    """Say in words what a constraint refuses. field: the form field to show it at, where the form has it."""
    _EXPLANATIONS[constraint] = (field, message)


def is_explained(constraint: str) -> bool:
    """Whether explain() was called for the constraint."""
    return constraint in _EXPLANATIONS


def explanation(error: Exception) -> tuple[str | None, str]:
    """The form field an error of the database or of a service is about, if one, and what to say."""
    if isinstance(error, DomainError):
        return None, str(error.message)
    if isinstance(error, IntegrityError) and (name := db.constraint_name(error)):
        field, message = _EXPLANATIONS.get(name, (None, ""))
        return field, str(message) or _("This contradicts what is stored already (%(rule)s).") % {"rule": name}
    return None, _("This holds characters or numbers that cannot be stored.")


class ShowsRefusal:
    """For forms that check input alone: what only the database knows is asked of the database, by saving."""

    refusal: ClassVar[tuple[str | None, str] | None] = None  # set when the same input was just refused by the database

    if TYPE_CHECKING:
        fields: dict[str, forms.Field]
        instance: Any

        def add_error(self, field: str | None, error: Any) -> None:
            """Of forms."""

    def _post_clean(self) -> None:
        """Leave constraints to the database: it knows, and swapping two positions is no conflict at the commit."""
        self.instance.validate_constraints = lambda exclude=None: None
        try:
            super()._post_clean()  # type: ignore[misc]
        finally:
            del self.instance.validate_constraints

    def clean(self) -> dict[str, Any] | None:
        """Show what the database said about this input a moment ago."""
        cleaned: dict[str, Any] | None = super().clean()  # type: ignore[misc]
        if self.refusal:
            field, message = self.refusal
            self.add_error(field if field in self.fields else None, message)
        return cleaned


class HouseForm(ClearErrors, ShowsRefusal, ModelForm[M]):
    """The form of an admin page."""


def of_parent_only(form: Any, field: str, *, parent: str = "conference") -> None:
    """Complain when the form's choice belongs to another conference than the row itself."""
    chosen, wanted = form.cleaned_data.get(field), form.cleaned_data.get(parent)
    if chosen is not None and wanted is not None and getattr(chosen, f"{parent}_id") != wanted.pk:
        form.add_error(field, _("This belongs to another conference."))
