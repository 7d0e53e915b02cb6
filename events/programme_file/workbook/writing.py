"""Writing a workbook: with the data of a conference, or empty, to be filled in.

Texts are always texts. A cell that begins with "=", "+", "-", "@" or a tab would be a formula to a spreadsheet program
and could send what stands beside it to somebody; here every text is stored as a text, shown as one, and read back
unchanged.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from events.models import Conference
from events.programme_file import whole
from events.programme_file.workbook import rows as rows_of
from events.programme_file.workbook import sheets
from events.programme_file.workbook.sheets import Column, Kind, Sheet

_EMPTY_ROWS = 300  # below the data: rows that have drop-down lists and formats, too
_HEAD = PatternFill("solid", fgColor="1F3A5F")
_HEAD_FONT = Font(bold=True, color="FFFFFF")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_FORMATS = {Kind.NUMBER: "0", Kind.DATE: "yyyy-mm-dd"}
# Excel reads _x0041_ as the letter A, unless the underscore itself is written that way.
_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_YES_NO = ("yes", "no")

_INTRODUCTION = (
    "Alliance programme",
    "Fill in the sheets and upload this workbook in the admin: Conferences, then Programme file. You see what would"
    " change before anything is written.",
    "A row is one thing. Rows may be in any order; empty rows are skipped. The rows of a sheet are all there are: what"
    " you delete here is removed, unless people have registered for it.",
    "Keys and ids (letters a-z, digits, hyphens) are short names that never change. The other sheets use them.",
    "Times are local times of the venue, such as 11:30. Dates are such as 2030-07-20.",
    "A cell with several values has one a line (Alt+Enter).",
    "A text has a column for each language: en, fr, de, it, es, ru. Leave empty what is not translated.",
    "An empty cell means that there is none; in the columns in italics it leaves what is there.",
    "If you delete a whole sheet or column, what the database has there stays as it is. Other facts that have no column"
    " here (figures, the report, spellings of names) stay as they are, too.",
    "Do not rename sheets or headings, and write values, not formulas.",
    "It holds internal notes and names of people. Keep it like any list of people, and delete it when you are done.",
)


def filled(conference: Conference) -> bytes:
    """The conference as a workbook."""
    return _made(rows_of.of(whole.tree(conference)))


def template() -> bytes:
    """An empty workbook."""
    return _made({})


def _made(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> bytes:
    book = Workbook()
    first = book.active
    assert isinstance(first, Worksheet)  # noqa: S101 - a new workbook has one
    first.title = sheets.README
    _introduce(first)
    lists = _Lists()
    for sheet in sheets.ALL:
        page = book.create_sheet(sheet.name)
        if sheet.is_upright:
            _fill_upright(page, sheet, found.get(sheet.name, []), lists)
        else:
            _fill(page, sheet, found.get(sheet.name, []), lists)
    lists.write(book.create_sheet(sheets.LISTS))
    # The same data gives the same bytes but for the times that zip files keep.
    book.properties.creator = "Alliance"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _introduce(page: Worksheet) -> None:
    page.column_dimensions["A"].width = 22
    page.column_dimensions["B"].width = 100
    for number, text in enumerate(_INTRODUCTION, start=1):
        cell = _put(page, number, 1 if number == 1 else 2, text)
        if number == 1:
            cell.font = Font(bold=True, size=14)
        else:
            cell.alignment = _WRAPPED
    for number, sheet in enumerate(sheets.ALL, start=len(_INTRODUCTION) + 2):
        _put(page, number, 1, sheet.name).font = Font(bold=True)
        _put(page, number, 2, sheet.about).alignment = _WRAPPED


def _head(cell: Cell, column: Column) -> None:
    cell.fill = _HEAD
    cell.font = Font(bold=True, italic=column.is_setting, color="FFFFFF")
    cell.alignment = _WRAPPED


def _fill(page: Worksheet, sheet: Sheet, rows: Sequence[Mapping[str, Any]], lists: _Lists) -> None:
    page.freeze_panes = "B2"
    headings = sheet.headings()
    for number, (heading, column, code) in enumerate(headings, start=1):
        _head(_put(page, 1, number, heading), column)
        letter = get_column_letter(number)
        page.column_dimensions[letter].width = column.width if code in ("", "en") else column.width * 0.6
        page.column_dimensions[letter].number_format = _FORMATS.get(column.kind, "@")
        last = len(rows) + _EMPTY_ROWS
        lists.restrict(page, column, f"{letter}2:{letter}{last}")
        for place, row in enumerate(rows, start=2):
            _value(page, place, number, column, _of_language(row.get(column.key), code))
    page.auto_filter.ref = f"A1:{get_column_letter(len(headings))}{max(len(rows) + 1, 2)}"


def _fill_upright(page: Worksheet, sheet: Sheet, rows: Sequence[Mapping[str, Any]], lists: _Lists) -> None:
    page.freeze_panes = "B1"
    page.column_dimensions["A"].width = 30
    page.column_dimensions["B"].width = 80
    row = rows[0] if rows else {}
    for number, (heading, column, code) in enumerate(sheet.headings(), start=1):
        _head(_put(page, number, 1, heading), column)
        page.cell(number, 2).number_format = _FORMATS.get(column.kind, "@")
        lists.restrict(page, column, f"B{number}")
        _value(page, number, 2, column, _of_language(row.get(column.key), code))


def _of_language(value: Any, code: str) -> Any:
    if not code:
        return value
    return value.get(code) if isinstance(value, Mapping) else value if code == "en" else None


def _value(page: Worksheet, row: int, number: int, column: Column, value: Any) -> None:
    """Put a value into a cell, nothing where there is none."""
    if value is None or value == []:
        return
    if isinstance(value, bool):
        value = _YES_NO[0] if value else _YES_NO[1]
    if isinstance(value, list):
        value = "\n".join(str(part) for part in value)
    if isinstance(value, datetime):
        value = value.isoformat()
    is_as_it_is = isinstance(value, date | int)
    cell = page.cell(row, number, value) if is_as_it_is else _put(page, row, number, str(value))
    cell.number_format = _FORMATS.get(column.kind, "@")
    cell.alignment = _WRAPPED


def _put(page: Worksheet, row: int, number: int, text: str) -> Cell:
    """Put a text into a cell as a text, whatever it begins with."""
    if len(text) > sheets.MOST_LETTERS:
        text = sheets.TOO_LONG
    cell = page.cell(row, number)
    assert isinstance(cell, Cell)  # noqa: S101 - nothing is merged here
    escaped = _ESCAPE.sub("_x005F_", text)
    cell.value = escaped if len(escaped) <= sheets.MOST_LETTERS else text
    cell.data_type = "s"  # openpyxl makes a formula of "=...", an error of "#N/A"
    cell.number_format = "@"
    if not text[:1].isalnum():
        cell.quotePrefix = True  # so that it stays a text when somebody edits the cell
    return cell


put_text = _put  # for workbooks of other apps


class _Lists:
    """The drop-down lists, on a sheet of their own: one column for each list of words."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, ...], int] = {}

    def restrict(self, page: Worksheet, column: Column, cells: str) -> None:
        """Give cells the words of the column to choose from."""
        words = _YES_NO if column.kind is Kind.YES_NO else column.words
        if not words:
            return
        letter = get_column_letter(self.found.setdefault(words, len(self.found) + 1))
        rule = DataValidation(
            type="list",
            formula1=f"{sheets.LISTS}!${letter}$1:${letter}${len(words)}",
            allow_blank=True,
            showErrorMessage=True,
            errorTitle="Alliance",
            error="Choose one of the words in the list.",
        )
        rule.add(cells)
        page.add_data_validation(rule)

    def write(self, page: Worksheet) -> None:
        """Write them all."""
        page.sheet_state = "hidden"
        for words, number in self.found.items():
            for row, word in enumerate(words, start=1):
                _put(page, row, number, word)
