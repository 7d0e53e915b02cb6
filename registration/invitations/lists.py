"""Lists of people to invite: pasted, CSV or a workbook, each row checked like a single person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from alliance import field_errors
from registration import list_files
from registration.delegations import lists as delegation_lists
from registration.delegations.lists import MOST_ROWS, Grid
from registration.fields import EmailField, NameField
from registration.services.delegations import Problem
from registration.services.invitations import Invitee

MOST_BYTES = 2_000_000

# In the order of a list without headings.
COLUMNS: dict[str, Any] = {
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "email": gettext_lazy("E-mail address"),
    "language": gettext_lazy("Language"),
}


class InviteeForm(field_errors.ClearErrors, forms.Form):
    """One person to invite."""

    given_name = NameField(label=COLUMNS["given_name"], longest=90, required=False)
    family_name = NameField(
        label=COLUMNS["family_name"],
        longest=90,
        error_messages={"required": gettext_lazy("Write the family name, or the only name there is.")},
    )
    email = EmailField(
        label=COLUMNS["email"],
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": gettext_lazy("Write the person's own e-mail address.")},
    )
    language = forms.ChoiceField(label=COLUMNS["language"], choices=settings.LANGUAGES, initial="en")

    def invitee(self, *, row: int = 1) -> Invitee:
        """What was typed, when it is valid."""
        return Invitee(**self.cleaned_data, row=row)


@dataclass(frozen=True, slots=True)
class Found:
    """The people of a list, and what is wrong with rows. With problems the list must not be used."""

    invitees: tuple[Invitee, ...]
    problems: tuple[Problem, ...]


def grid_of(data: bytes) -> Grid:
    """The rows of a file. Raises InvalidFile."""
    if list_files.is_workbook(data):
        return delegation_lists.workbook(data)
    return delegation_lists.pasted(list_files.decoded(data))


def read(grid: Grid, *, language: str) -> Found:
    """People from rows. Headings are optional, in any language. language: of those whose row names none."""
    if not grid:
        return Found((), (Problem(0, _("The list is empty.")),))
    if len(grid) > MOST_ROWS:
        return Found((), (Problem(0, _("The list is too long. Send it in parts.")),))
    order = delegation_lists.headings(grid[0][1], COLUMNS)
    if order:
        grid = grid[1:]
    order = order or dict(enumerate(COLUMNS))
    words = delegation_lists.in_all_languages(dict(settings.LANGUAGES)) | {
        code: code for code, _n in settings.LANGUAGES
    }
    invitees, problems = [], []
    for number, cells in grid:
        data = {key: cells[place] if place < len(cells) else "" for place, key in order.items()}
        typed = data.get("language", "").casefold()
        data["language"] = words.get(typed, typed) if typed else language
        form = InviteeForm(data)
        if form.is_valid():
            invitees.append(form.invitee(row=number))
        problems += [
            Problem(number, f"{COLUMNS[name]}: {error}") for name, errors in form.errors.items() for error in errors
        ]
    return Found(tuple(invitees), tuple(problems))
