"""What a form says when something is missing or wrong: what to enter, in words that name the field.

Django's own words ("This field is required.") tell nobody what to do, least of all in the summary on top of the page,
where no label stands beside them. A field that has words of its own keeps them (error_messages); these stand in where
a field has none. Pattern: GOV.UK Design System, error message.

    class ResendForm(field_errors.ClearErrors, forms.Form): ...
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.utils import pretty_name
from django.utils.functional import Promise
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

_TICK, _CHOOSE, _TYPE, _SEND = "tick", "choose", "type", "send"
_OFFERED = _("Choose one of the answers offered for “%(label)s”.")

# By code; then, where it matters, by what somebody does with the field.
_WORDS: Mapping[str, Promise | Mapping[str, Promise]] = {
    "required": {
        _TICK: _("Tick “%(label)s” to go on."),
        _CHOOSE: _("Choose an answer for “%(label)s”."),
        _TYPE: _("Fill in “%(label)s”."),
        _SEND: _("Choose a file for “%(label)s”."),
    },
    "missing": _("Choose a file for “%(label)s”."),
    "empty": _("The file for “%(label)s” is empty. Choose another one."),
    "invalid_choice": _OFFERED,
    "invalid_list": _OFFERED,
    "max_length": {
        _TYPE: _("Shorten “%(label)s”: it may have %(limit_value)d characters, and has %(show_value)d."),
        _SEND: _("The name of the file for “%(label)s” is too long. Rename the file and choose it again."),
    },
    "null_characters_not_allowed": _("“%(label)s” holds invisible or control characters. Type it by hand."),
}
_INVALID: list[tuple[type[forms.Field], Promise]] = [
    (forms.EmailField, _("Write the address like name@example.org.")),
    (forms.DateField, _("Write “%(label)s” as a date, such as 2027-03-31.")),
    (forms.FileField, _("Choose a file for “%(label)s”.")),
    (forms.Field, _("Check “%(label)s”: it cannot be read as it stands.")),
]

_DASH = {"ru": "\u00a0— "}

# Messages that say what is wrong and not where. Beside the field that is clear; in the summary its label goes first.
_WITHOUT_NAME = frozenset({"invalid_choice", "link", "refused", "too_long", "tricks", "web_address"})


class ClearErrors(forms.BaseForm):
    """A form whose every message says what to do. Stands first among the bases."""

    def add_error(self, field: str | None, error: Any) -> None:
        """As Django's, with our words in the place of its own. Models complain of several fields at once."""
        if isinstance(error, ValidationError):
            found = error.error_dict if hasattr(error, "error_dict") else {field: error.error_list}
            for name, problems in found.items():
                if name is None or name not in self.fields:
                    continue
                for one in problems:
                    _reword(self.fields[name], name_of(self, name), one)
        super().add_error(field, error)


def name_of(form: forms.BaseForm, name: str) -> str:
    """The label of a field as plain text: labels of questions carry marks of their language."""
    label = form.fields[name].label
    return html.unescape(strip_tags(str(label))) if label else pretty_name(name)


def summary(form: forms.BaseForm) -> list[tuple[str, str | SafeString]]:
    """What the summary on top of a page lists: where each link leads (empty: nowhere), and its words."""
    found: list[tuple[str, str | SafeString]] = [("", str(text)) for text in form.non_field_errors()]
    problems = form.errors.as_data()
    for bound in form:
        anchor = f"#{bound.auto_id}_0" if bound.use_fieldset else f"#{bound.auto_id}"
        for error, text in zip(problems.get(bound.name, []), bound.errors, strict=True):
            if error.code in _WITHOUT_NAME and not names(form, bound.name, str(text)):
                found.append((anchor, format_html("{}{}{}", bound.label, _DASH.get(get_language() or "", " – "), text)))
            else:
                found.append((anchor, str(text)))
    return found


def names(form: forms.BaseForm, name: str, text: str) -> bool:
    """Whether a message says which field it is about."""
    return name_of(form, name) in html.unescape(text)


def is_stock(field: forms.Field, error: ValidationError) -> bool:
    """Whether the message is Django's own, of its fields or of the validators it puts on them."""
    for kind in type(field).__mro__:
        own = vars(kind).get("default_error_messages", {}).get(error.code)
        if own is not None and own is error.message:
            return kind.__module__.startswith("django.")
    return any(
        type(validator).__module__.startswith("django.") and getattr(validator, "message", None) is error.message
        for validator in field.validators
    )


def _reword(field: forms.Field, label: str, error: ValidationError) -> None:
    if not is_stock(field, error):
        return
    if error.code == "invalid":
        words: Any = next(words for kind, words in _INVALID if isinstance(field, kind))
    else:
        words = _WORDS.get(error.code or "", error.message)
    error.message = words[_way(field)] if isinstance(words, Mapping) else words
    error.params = {**(error.params or {}), "label": label}


def _way(field: forms.Field) -> str:
    if isinstance(field, forms.FileField):
        return _SEND
    if isinstance(field, forms.BooleanField):
        return _TICK
    return _CHOOSE if isinstance(field, forms.ChoiceField | forms.ModelChoiceField) else _TYPE
