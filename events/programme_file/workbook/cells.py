"""Reading the cells of a workbook: what stands in each, as the values that a YAML file would give."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from openpyxl import load_workbook

from events.programme_file.problems import InvalidFile, Problem, Problems
from events.programme_file.wording import readable
from events.programme_file.workbook import sheets
from events.programme_file.workbook.places import Place
from events.programme_file.workbook.sheets import Column, Kind, Sheet
from events.programme_file.yaml_text import Mapping, Node, Scalar, Sequence

_TRUE = {"yes", "true", "1"}
_FALSE = {"no", "false", "0"}
# Excel writes the letter A as _x0041_ where it must, the underscore of such a word as _x005F_, and CR LF as _x000D_ LF.
_ESCAPED = re.compile(r"(_)x005F_(?=x[0-9A-Fa-f]{4}_)|_x000D_(?=\n)")


@dataclass(slots=True)
class Row:
    """A row. cells: by the key of the column; None for an empty cell, no entry where the column is missing.

    kept: texts that were too long for a cell, by column and language: what is there stays.
    """

    place: Place
    cells: dict[str, Node | None] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    languages: dict[str, set[str]] = field(default_factory=dict)
    kept: set[tuple[str, str]] = field(default_factory=set)

    def text(self, key: str) -> str:
        """The text of a cell; empty for an empty one."""
        node = self.cells.get(key)
        return node.text if isinstance(node, Scalar) else ""

    def at(self, key: str) -> Place:
        """Where the value of a column stands."""
        return self.places.get(key, self.place)


# SyntaxError: what the XML parsers raise for a part that the guard does not read.
_UNREADABLE = (
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, SyntaxError, zipfile.BadZipFile,
)  # fmt: skip


def read(data: bytes, *, headings: Problems, problems: Problems) -> dict[str, list[Row]]:
    """The rows of every sheet that the workbook has. The bytes have passed the guard.

    headings: gets what is wrong with names of sheets and columns. problems: what is wrong with cells.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which do not matter here
            book = load_workbook(io.BytesIO(data), read_only=True, data_only=False, keep_links=False)
    except _UNREADABLE as error:
        raise InvalidFile([Problem(0, "this is no workbook that can be read: save it as .xlsx")]) from error
    known = {sheet.name.casefold(): sheet for sheet in sheets.ALL}
    found: dict[str, list[Row]] = {}
    try:
        for number, page in enumerate(book.worksheets, start=1):
            name = page.title.strip()
            if name.casefold() in (sheets.README.casefold(), sheets.LISTS.casefold()):
                continue
            sheet = known.get(name.casefold())
            if sheet is None:
                expected = ", ".join(one.name for one in sheets.ALL)
                headings.add(0, f"the sheet “{name[:40]}” is not known: remove it, or call it one of {expected}")
                continue
            page.reset_dimensions()
            grid = [[(cell.value, cell.data_type) for cell in row] for row in page.iter_rows()]
            found[sheet.name] = _rows(sheet, number, grid, headings, problems)
    except _UNREADABLE as error:
        raise InvalidFile([Problem(0, "a sheet cannot be read: save the workbook as .xlsx once more")]) from error
    finally:
        book.close()
    return found


Grid = list[list[tuple[Any, str]]]


def _rows(sheet: Sheet, number: int, grid: Grid, headings: Problems, problems: Problems) -> list[Row]:
    """The rows of a sheet below its headings; an upright sheet is turned first."""

    def place(row: int, column: int) -> Place:
        return Place(number, sheet.name, *((column, row) if sheet.is_upright else (row, column)))

    if sheet.is_upright:
        grid = [[row[side] if side < len(row) else (None, "n") for row in grid] for side in (0, 1)]
    head = grid[0] if grid else []
    columns = _columns(sheet, [value for value, _type in head], place, headings)
    rows = []
    for line, cells in enumerate(grid[1:], start=2):
        if all(value is None or (isinstance(value, str) and not value.strip()) for value, _type in cells):
            continue
        row = Row(place(line, 1))
        for position, (column, code) in columns.items():
            value, kind = cells[position - 1] if position <= len(cells) else (None, "n")
            _take(row, column, code, value, kind, place(line, position), problems)
        rows.append(row)
    return rows


def _columns(sheet: Sheet, head: list[Any], place: Any, problems: Problems) -> dict[int, tuple[Column, str]]:
    """The columns that the sheet has, by their position from 1."""
    known = {heading.casefold(): (column, code) for heading, column, code in sheet.headings()}
    found: dict[int, tuple[Column, str]] = {}
    seen: dict[str, Place] = {}
    for position, value in enumerate(head, start=1):
        if value is None:
            continue
        name = str(value).strip()
        if name.casefold() not in known:
            problems.add(
                place(1, position), f"the heading “{name[:60]}” is not known: remove the column, or correct it"
            )
        elif name.casefold() in seen:
            problems.add(place(1, position), f"the heading “{name}” stands twice; the first is {seen[name.casefold()]}")
        else:
            seen[name.casefold()] = place(1, position)
            found[position] = known[name.casefold()]
    for column in sheet.columns:
        if column.key in sheet.needed and not any(one is column for one, _code in found.values()):
            text = f"the heading “{sheet_heading(sheet, column)}” is missing in the sheet {sheet.name}"
            problems.add(place(1, 1), text)
    return found


def sheet_heading(sheet: Sheet, column: Column) -> str:
    """The first heading of a column."""
    return next(heading for heading, one, _code in sheet.headings() if one is column)


def _take(row: Row, column: Column, code: str, value: Any, kind: str, place: Place, problems: Problems) -> None:
    """Put the value of a cell into its row."""
    if kind in ("f", "e"):
        what = "a formula" if kind == "f" else "an error of a formula"
        problems.add(place, f"{column.heading}: this is {what}: write the value itself")
        value = None
    text = readable(_ESCAPED.sub(r"\1", value)) if isinstance(value, str) else value
    if text == sheets.TOO_LONG:
        row.kept.add((column.key, code))
        if not code:
            return
        text = None
    if column.kind is Kind.TRANSLATED:
        row.languages.setdefault(column.key, set()).add(code)
        row.cells.setdefault(column.key, None)
        if text not in (None, ""):
            texts = row.cells[column.key]
            if not isinstance(texts, Mapping):
                texts = Mapping(place)
                row.cells[column.key] = texts
                row.places[column.key] = place
            texts.items[code] = Scalar(place, _as_text(text), is_plain=False)
            texts.key_lines[code] = place
        return
    row.places[column.key] = place
    row.cells[column.key] = None if text in (None, "") else _node(column, text, place, problems)


def _node(column: Column, value: Any, place: Place, problems: Problems) -> Node:
    if column.kind is Kind.LIST:
        texts = [text for line in _as_text(value).split("\n") if (text := line.strip())]
        return Sequence(place, [Scalar(place, text, is_plain=False) for text in texts], size=len(texts) + 1)
    if column.kind is Kind.YES_NO:
        word = str(value).strip().casefold()
        if word not in _TRUE | _FALSE:
            problems.add(place, f"{column.heading}: expected yes or no, found “{str(value)[:60]}”")
        return Scalar(place, "true" if word in _TRUE else "false", is_plain=True)
    if column.kind is Kind.NUMBER:
        return Scalar(place, _as_text(value), is_plain=True)
    if column.kind is Kind.DATE:
        if isinstance(value, datetime):
            value = value.date()
        text = value.isoformat() if isinstance(value, date) else _as_text(value)
        return Scalar(place, text, is_plain=True)
    if column.kind is Kind.TIME:
        return Scalar(place, _as_clock(value), is_plain=False)
    return Scalar(place, _as_text(value), is_plain=False)


def _as_clock(value: Any) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, datetime):
        return f"{value:%H:%M}" if value.year < 1901 else value.isoformat()
    return _as_text(value)


def _as_text(value: Any) -> str:
    """A value that a spreadsheet program took for something else, as it was meant: 3 and not 3.0."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return readable(str(value))


def every(found: dict[str, list[Row]], sheet: Sheet) -> Iterator[Row]:
    """The rows of a sheet, none where the workbook does not have it."""
    yield from found.get(sheet.name, [])
