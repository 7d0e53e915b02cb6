"""A document as plain data: what is printed and in which order, and nothing about how a page or a Word file looks.

Everything is text that was already chosen for the reader and cleaned; both writers print it literally.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Literal


class Kind(StrEnum):
    """The documents there are."""

    PROGRAMME = "programme"
    SIDE_EVENTS = "side-events"
    AGENDA = "agenda"
    AGENDA_WITHOUT_TIMES = "agenda-without-times"
    SESSION = "session"

    @classmethod
    def of_conference(cls) -> list[Kind]:
        """Those about a whole conference, named as in their addresses."""
        return [kind for kind in cls if kind != cls.SESSION]


AGENDAS = (Kind.AGENDA, Kind.AGENDA_WITHOUT_TIMES)


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a line that looks the same throughout; or, with a note, the mark of that footnote."""

    text: str
    language: str = ""  # empty: that of the document
    is_bold: bool = False
    is_italic: bool = False
    link: str = ""
    note: int = 0
    is_first_mark: bool = True  # where the footnote is printed; later marks point back to it


Runs = list[Run]


@dataclass(frozen=True, slots=True)
class Prose:
    """A paragraph, or a list or quotation of further prose."""

    kind: Literal["paragraph", "bullets", "numbers", "quote"]
    runs: Runs = field(default_factory=list)  # of a paragraph
    items: list[list[Prose]] = field(default_factory=list)  # of the others; a quotation has one
    start: int = 1  # of numbers


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and what it says: "Convenor", the bodies."""

    label: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class Section:
    """A titled text of a session."""

    heading: Runs
    texts: list[Prose]


@dataclass(frozen=True, slots=True)
class Speaker:
    """One line of the programme, as approved. role ends with its colon; all but the name may be empty."""

    role: Runs
    name: Runs
    title: Runs
    topic: Runs


@dataclass(frozen=True, slots=True)
class Block:
    """Speakers under a printed heading; both may be missing."""

    heading: Runs
    time: str
    speakers: list[Speaker]


@dataclass(frozen=True, slots=True)
class Item:
    """A session or side event. facts stand before the texts, closing after the speakers."""

    time: str  # "11:30–13:00"; empty where it is not known or not printed
    label: str  # "Side event 1"
    title: Runs
    is_cancelled: bool
    facts: list[Fact]
    sections: list[Section]
    blocks: list[Block]
    closing: list[Fact]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the overview."""

    time: str
    label: str
    title: Runs
    is_cancelled: bool
    convenors: Runs
    place: Runs


@dataclass(frozen=True, slots=True)
class Day:
    """A day: its line in the overview, and its items."""

    heading: str
    rows: list[Row]
    items: list[Item]


@dataclass(frozen=True, slots=True)
class Words:
    """What the writers themselves print, in the language of the document."""

    overview: str
    time: str
    item: str
    convenor: str
    place: str
    programme: str
    cancelled: str
    contact: str
    nothing: str  # for a day or a document without items
    page: str  # with {page} and {pages}


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document."""

    kind: Kind
    language: str
    name: str  # "Agenda"
    title: Runs  # of the conference
    plain_title: str  # for the properties of the file and the head of the pages
    above_title: Runs
    below_title: list[Runs]  # theme, dates, place
    marks: list[str]  # "Provisional programme"
    remarks: list[Runs]  # the clock, languages that stand in, where to register
    has_overview: bool
    has_times: bool
    days: list[Day]
    notes: list[Runs]  # the footnotes, in the order of their numbers
    contact: list[Runs]
    words: Words

    @property
    def is_agenda(self) -> bool:
        """Whether only the outline and who speaks are printed."""
        return self.kind in AGENDAS

    def as_json(self) -> bytes:
        """The whole of it; the same content gives the same bytes."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True).encode()

    def digest(self) -> str:
        """A name for exactly this content."""
        return hashlib.sha256(self.as_json()).hexdigest()
