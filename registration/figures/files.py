"""Figures as files for spreadsheets: .csv and .xlsx, each number with its measure and the instant of counting.

A text that a spreadsheet program would read as a formula stays a text: in workbooks by its type, in .csv by an
apostrophe before it, which such programs understand the same way.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from alliance import spreadsheets
from events.programme_file.workbook.writing import put_text
from registration.figures.counting import Figures
from registration.figures.words import MEASURES
from registration.models import Figure, Qualifier
from registration.models.figure import Breakdown

Line = Sequence[str | int]
_WIDTHS = (20, 24, 40, 28, 12, 12, 40, 28)


def table(figures: Figures, imported: Iterable[Figure]) -> list[Line]:
    """All figures as lines, the headings first; those that were written by hand come last, with their source."""
    at = figures.counted_at.astimezone(figures.conference.zone).isoformat(timespec="seconds")
    counted = _("counted from registrations and check-ins")
    exactly = str(Qualifier.EXACT.label)
    lines: list[Line] = [
        (_("Measure"), _("Broken down by"), _("Group"), _("Code"), _("Qualifier"), _("Value"), _("Source"),
         _("Counted at"))
    ]  # fmt: skip
    for measure in MEASURES:
        name = str(measure.label)
        lines.append((name, str(Breakdown.TOTAL.label), "", "", exactly, figures.total[measure], counted, at))
        lines += [
            (name, str(found.breakdown.label), str(row.label), row.code, exactly, row.numbers[measure], counted, at)
            for found in figures.tables
            for row in found.rows
        ]
    for figure in imported:
        session = str(figure.session.title) if figure.session is not None else ""
        group = " · ".join(part for part in (session, figure.group) if part)
        qualifier = str(figure.get_qualifier_display())
        lines.append((str(figure.get_measure_display()), "", group, "", qualifier, figure.value, figure.source, ""))
    return lines


def as_csv(lines: Iterable[Line], *, with_mark: bool) -> bytes:
    """UTF-8. with_mark: begin with a byte order mark, without which Excel reads accents wrongly."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerows(
        [spreadsheets.harmless(value) if isinstance(value, str) else value for value in line] for line in lines
    )
    return (codecs.BOM_UTF8 if with_mark else b"") + out.getvalue().encode()


def as_workbook(lines: Iterable[Line], *, name: str) -> bytes:
    """One sheet. name: what it is called."""
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)  # noqa: S101 - a new workbook has one
    page.title = name[:31]
    for row, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            if isinstance(value, int):
                page.cell(row, column, value).number_format = "0"
            elif value:
                put_text(page, row, column, value).font = Font(bold=row == 1)
    for letter, width in zip("ABCDEFGH", _WIDTHS, strict=True):
        page.column_dimensions[letter].width = width
    page.freeze_panes = "A2"
    book.properties.creator = "Alliance"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
