"""Reading our documents back with programs that are not ours: pypdf and python-docx."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

import docx
import docx.oxml
import pypdf

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def pdf(content: bytes) -> pypdf.PdfReader:
    """The PDF, opened."""
    return pypdf.PdfReader(io.BytesIO(content))


def pdf_text(content: bytes) -> str:
    """All words of a PDF in the order of reading, in one line."""
    return _line("\n".join(page.extract_text() for page in pdf(content).pages))


def word(content: bytes) -> Any:
    """The Word file, opened."""
    return docx.Document(io.BytesIO(content))


def word_text(content: bytes) -> str:
    """All words of a Word file in the order of reading, in one line, its tables and footnotes included."""
    body = word(content).element.body
    found = [_text(paragraph) for paragraph in body.iter(f"{W}p")]
    notes = word_part(content, "word/footnotes.xml")
    return _line("\n".join([*found, *(_text(paragraph) for paragraph in notes.iter(f"{W}p"))]))


def word_part(content: bytes, part: str) -> Any:
    """A part of a Word file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return docx.oxml.parse_xml(archive.read(part))


def word_headings(content: bytes) -> list[tuple[int, str]]:
    """The headings of a Word file with their levels; a title has level 0."""
    found = []
    for paragraph in word(content).paragraphs:
        name = paragraph.style.name
        if name == "Title":
            found.append((0, _line(paragraph.text)))
        elif match := re.fullmatch(r"[Hh]eading (\d)", name):
            found.append((int(match[1]), _line(paragraph.text)))
    return found


def _text(paragraph: Any) -> str:
    parts = []
    for node in paragraph.iter():
        if node.tag == f"{W}t":
            parts.append(node.text or "")
        elif node.tag in (f"{W}br", f"{W}tab"):
            parts.append(" ")
    return "".join(parts)


def _line(text: str) -> str:
    return " ".join(text.replace("\u200b", "").split())
