"""Files for spreadsheet programs: whatever people have written, no cell is a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from alliance.spreadsheets import harmless
from events.programme_file.workbook import writing
from registration.delegations import lists
from registration.figures import files

ROOT = Path(__file__).resolve().parents[2]
APPS = ("accounts", "alliance", "events", "outbox", "registration", "speakers", "video")
EVIL = [
    "=HYPERLINK(\"https://evil.example\")", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "|cmd", "%0A=1",
    "  =1", "\u00a0=1", "\ufeff=1", "\u3000=1", "＝1", "＋1", "－1", "＠SUM(A1)", "=cmd|' /C calc'!A0", ";=1", "\"=1",
]  # fmt: skip
WELL = ["Ada", "Côte d'Ivoire = hôte", "1", "", "Ёлка – 2"]
_FORMULA = re.compile("^[ \u00a0\ufeff\u3000]*[=+\\-@|%\t\r\n＝＋－＠]")

Rows = Sequence[Sequence[str]]


def _programme(rows: Rows) -> bytes:
    """Rows as the programme's workbook writes its cells."""
    book = Workbook()
    page = book.worksheets[0]
    for row, cells in enumerate(rows, start=1):
        for column, text in enumerate(cells, start=1):
            writing.put_text(page, row, column, text)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


# Every module that writes cells, with what it writes them by. One that is not here fails the test.
AS_CSV: dict[str, Callable[[Rows], bytes]] = {
    "registration/figures/files.py": lambda rows: files.as_csv(rows, with_mark=True),
    "registration/delegations/lists.py": lists.as_csv,
}
AS_WORKBOOK: dict[str, Callable[[Rows], bytes]] = {
    "registration/figures/files.py": lambda rows: files.as_workbook(rows, name="Page"),
    "registration/delegations/lists.py": lambda rows: lists.as_workbook(rows, title="Page"),
    "events/programme_file/workbook/writing.py": _programme,
}
OF_NUMBERS = {"registration/exports/papers.py"}  # day, rule, number: nothing that somebody wrote; guarded all the same


def test_every_writer_of_cells_is_in_the_table() -> None:
    found = set()
    for app in APPS:
        for module in (ROOT / app).rglob("*.py"):
            if re.search(r"csv\.(writer|DictWriter)\(|\bWorkbook\(", module.read_text(encoding="utf-8")):
                found.add(str(module.relative_to(ROOT)))

    assert found == {*AS_CSV, *AS_WORKBOOK, *OF_NUMBERS}, "Write cells by one of these, or prove yours here."


@pytest.mark.parametrize("writer", AS_CSV)
def test_no_cell_of_a_csv_is_a_formula(writer: str) -> None:
    text = AS_CSV[writer]([[cell, "x"] for cell in EVIL + WELL]).decode("utf-8-sig")

    cells = [row[0] for row in csv.reader(io.StringIO(text, newline=""))]
    assert len(cells) == len(EVIL + WELL)
    assert not [cell for cell in cells if _FORMULA.match(cell)]
    assert cells[len(EVIL) :] == WELL


@pytest.mark.parametrize("writer", AS_WORKBOOK)
def test_no_cell_of_a_workbook_is_a_formula(writer: str) -> None:
    book = load_workbook(io.BytesIO(AS_WORKBOOK[writer]([[cell, "x"] for cell in EVIL + WELL])))

    kinds = {
        cell.data_type for row in book.worksheets[0].iter_rows(max_col=2) for cell in row if cell.value is not None
    }
    assert kinds == {"s"}


def test_words_stay_words() -> None:
    assert [harmless(text) for text in WELL] == WELL
