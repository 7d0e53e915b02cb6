"""The programme as a workbook (.xlsx), for organisers who live in a spreadsheet.

A sheet for each kind of thing, a row for each thing. An upload becomes the same document that a YAML file gives
(reading), with cells instead of lines, and goes through the same import. What the sheets do not cover is taken from the
database as it is, so it survives unchanged.
"""

from events.programme_file.workbook.reading import document, read
from events.programme_file.workbook.writing import filled, template

__all__ = ["document", "filled", "read", "template"]
