"""Lists of nominees as focal points have them (pasted or a workbook), and their own members to take away."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell

from alliance import field_errors, spreadsheets
from events.programme_file.problems import InvalidFile
from events.programme_file.workbook import guard
from registration.fields import BodyField, EmailField, NameField
from registration.models import AttendanceMode, DelegationCapacity
from registration.services.delegations import Nominee, Problem

MOST_LETTERS = 200_000  # of a pasted list
MOST_ROWS = 500  # looked at; the service takes fewer at once

# In the order of a list without headings.
COLUMNS: dict[str, Any] = {
    "given_name": gettext_lazy("Given name"),
    "family_name": gettext_lazy("Family name"),
    "email": gettext_lazy("E-mail address"),
    "capacity": pgettext_lazy("in a delegation", "Capacity"),
    "mode": gettext_lazy("Attendance"),
    "function": gettext_lazy("Function"),
}
_CHOICES = {"capacity": DelegationCapacity, "mode": AttendanceMode}
_OTHER_HEADINGS = {"email": "email", "e-mail": "email", "first name": "given_name", "last name": "family_name"}


class NomineeForm(field_errors.ClearErrors, forms.Form):
    """One person to nominate."""

    given_name = NameField(label=COLUMNS["given_name"], longest=90, required=False)
    family_name = NameField(
        label=COLUMNS["family_name"],
        longest=90,
        error_messages={"required": gettext_lazy("Write the family name, or the only name there is.")},
    )
    email = EmailField(
        label=COLUMNS["email"],
        help_text=gettext_lazy("The person gets a mail there and says whether they come."),
        error_messages={"required": gettext_lazy("Write the person's own e-mail address.")},
    )
    function = BodyField(label=COLUMNS["function"], longest=200, required=False)
    capacity = forms.ChoiceField(
        label=COLUMNS["capacity"], choices=DelegationCapacity.choices, initial=DelegationCapacity.ADVISER
    )
    mode = forms.ChoiceField(label=COLUMNS["mode"], choices=AttendanceMode.choices, initial=AttendanceMode.IN_PERSON)

    def nominee(self, *, language: str, row: int = 1) -> Nominee:
        """What was typed, when it is valid."""
        return Nominee(**self.cleaned_data, language=language, row=row)


class ReplaceForm(NomineeForm):
    """Who comes instead; capacity and attendance stay."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["capacity"], self.fields["mode"]


Grid = list[tuple[int, list[str]]]  # rows with their numbers from 1


@dataclass(frozen=True, slots=True)
class Found:
    """The people of a list, and what is wrong with rows. With problems the list must not be used."""

    nominees: tuple[Nominee, ...]
    problems: tuple[Problem, ...]


def pasted(text: str) -> Grid:
    """The rows of a pasted list, separated by tabs, semicolons or commas, whichever the first line has."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    first = next((line for line in text.split("\n") if line.strip()), "")
    separator = next((one for one in "\t;," if one in first), ",")
    grid: Grid = []
    try:
        for cells in csv.reader(io.StringIO(text), delimiter=separator):
            if any(cell.strip() for cell in cells):
                grid.append((len(grid) + 1, [cell.strip() for cell in cells]))
            if len(grid) > MOST_ROWS:
                break
    except csv.Error:
        return []
    return grid


def workbook(data: bytes, *, most_rows: int = MOST_ROWS, most_columns: int = 20) -> Grid:
    """The rows of the first sheet of a workbook. Raises InvalidFile for what is no workbook, or a hostile one.

    One row more than most_rows may come, which tells that there are too many.
    """
    guard.check(data)
    # SyntaxError: what the XML parsers raise for a part that the guard does not read.
    unreadable = (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError, zipfile.BadZipFile)
    grid: Grid = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
            page = book.worksheets[0]
            page.reset_dimensions()
            for number, row in enumerate(page.iter_rows(max_row=most_rows + 1, max_col=most_columns), start=1):
                cells = ["" if cell.value is None else str(cell.value).strip() for cell in row]
                if any(cells):
                    grid.append((number, cells))
            book.close()
    except unreadable as error:
        raise InvalidFile([]) from error
    return grid


def read(grid: Grid, *, language: str) -> Found:
    """People from rows, each checked by the same form as a single person. Headings are optional, in any language."""
    if not grid:
        return Found((), (Problem(0, _("The list is empty.")),))
    if len(grid) > MOST_ROWS:
        return Found((), (Problem(0, _("The list is too long. Send it in parts.")),))
    order = headings(grid[0][1], COLUMNS)
    if order:
        grid = grid[1:]
    order = order or dict(enumerate(COLUMNS))
    words = _words()
    nominees, problems = [], []
    for number, cells in grid:
        data = {key: cells[place] if place < len(cells) else "" for place, key in order.items()}
        for key, default in (("capacity", DelegationCapacity.ADVISER), ("mode", AttendanceMode.IN_PERSON)):
            typed = data.get(key, "").casefold()
            data[key] = words[key].get(typed, typed) if typed else default.value
        form = NomineeForm(data)
        if form.is_valid():
            nominees.append(form.nominee(language=language, row=number))
        problems += [
            Problem(number, f"{COLUMNS[name]}: {error}")
            for name, errors in form.errors.items()
            for error in ([_one_of(name)] if name in _CHOICES else errors)
        ]
    return Found(tuple(nominees), tuple(problems))


def in_all_languages(texts: dict[str, Any]) -> dict[str, str]:
    """The key for a text as it reads in any of the six languages."""
    found: dict[str, str] = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            found |= {str(text).casefold(): key for key, text in texts.items()}
    return found


def headings(cells: Sequence[str], columns: dict[str, Any]) -> dict[int, str]:
    """The column that stands at each place, when the row is one of headings. columns: their labels by key."""
    known = in_all_languages(columns) | _OTHER_HEADINGS | {key: key for key in columns}
    found = {place: known[cell.casefold()] for place, cell in enumerate(cells) if cell.casefold() in known}
    return found if "email" in found.values() else {}


def _words() -> dict[str, dict[str, str]]:
    return {
        key: in_all_languages(dict(kind.choices)) | {value: value for value in kind.values}
        for key, kind in _CHOICES.items()
    }


def _one_of(name: str) -> str:
    """What to write in a column of choices; who typed a list has not seen them."""
    return _("Write one of these: %(words)s.") % {"words": ", ".join(map(str, _CHOICES[name].labels))}


# --- to take away -----------------------------------------------------------------------------------------------------


def as_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as CSV in UTF-8 with a byte order mark, which spreadsheet programs need."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([spreadsheets.harmless(cell) for cell in row] for row in rows)
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def as_workbook(rows: Iterable[Sequence[str]], *, title: str) -> bytes:
    """Rows as .xlsx; every cell is a text and stays one."""
    book = Workbook()
    page = book.active
    assert page is not None  # noqa: S101 - a new workbook has a sheet
    page.title = title
    for row, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells, start=1):
            cell = page.cell(row, column)
            assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged here
            cell.value = text
            cell.data_type = "s"
            cell.number_format = "@"
            cell.quotePrefix = bool(text) and not text[0].isalnum()
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
