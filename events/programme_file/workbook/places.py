"""Where something stands in a workbook: a number that sorts like a line and is told as “Sessions!C7”."""

from __future__ import annotations

from openpyxl.utils import get_column_letter


class Place(int):
    """A cell, in the role that a line has in a text file."""

    label: str

    def __new__(cls, sheet: int, name: str, row: int, column: int) -> Place:
        """sheet: its number, for sorting; row and column from 1."""
        place = super().__new__(cls, (sheet * 100_000 + row) * 1_000 + column)
        place.label = f"{name}!{get_column_letter(column)}{row}"
        return place

    def __str__(self) -> str:
        return self.label

    def __format__(self, specification: str) -> str:
        return format(self.label, specification)
