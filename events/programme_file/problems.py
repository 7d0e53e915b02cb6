"""What is wrong with a programme file: told with its line, all at once."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_OF_CELL = re.compile(r"(?:in )?\bline (?=[A-Z][a-z]+![A-Z]+[0-9])")  # "in line Sessions!C7": a cell is no line


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong.

    line: counted from 1; 0 means the file as a whole. text: what is wrong and what is expected.
    """

    line: int
    text: str

    @property
    def where(self) -> str:
        """“line 12”, or the place in a workbook such as “Sessions!C7”; empty for the file as a whole."""
        place = str(self.line)
        return (f"line {place}" if place.isdigit() else place) if self.line else ""

    def located(self, file: str) -> str:
        """As "file:line: text", the form that editors turn into a link."""
        return f"{file}:{self.line}: {self.text}" if self.line else f"{file}: {self.text}"


class InvalidFile(Exception):
    """A programme file cannot be used. Nothing has been written.

    problems: all that was found, by line.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__(f"{len(self.problems)} problems")


class Problems:
    """Collects what is wrong while a file is read, so that a person gets the whole list and not one a day."""

    # A file of another kind would give a message per line; after these nobody reads on.
    MOST = 200

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}  # several sections may read, and report, the same line

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(self, line: int, text: str) -> None:
        """Note a problem of a line (from 1; 0 for the whole file). Raises InvalidFile when there are far too many."""
        self._found[Problem(line, _LINE_OF_CELL.sub("", text))] = None
        if len(self._found) >= self.MOST:
            self._found[Problem(0, f"more than {self.MOST} problems: the rest is not listed")] = None
            self.stop()

    def stop(self) -> None:
        """Raise InvalidFile when anything was found."""
        if self._found:
            raise InvalidFile(list(self._found))
