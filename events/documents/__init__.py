"""The programme and the agenda as documents to print and to work with (docs/documents.md).

    documents.conference_pdf(documents.Kind.PROGRAMME, conference, now=now, language="ru")
    documents.conference_docx(documents.Kind.AGENDA, conference, now=now, language="en", mark=_("Draft"))

conference comes from events.selectors.public_conference, or with venue, country, organiser and chairmanship loaded.
What they print is what pages print at the instant, from events.selectors; which rows those are (published or draft) is
for the caller's connection to say. The database is asked first and is done before anything is set.
"""

from __future__ import annotations

from datetime import datetime

from events.documents import build, pdf, store, word
from events.documents.model import Document, Kind
from events.documents.pdf import DocumentFailed
from events.documents.store import TooBusy
from events.models import Conference

__all__ = [
    "DocumentFailed",
    "Kind",
    "TooBusy",
    "as_docx",
    "as_pdf",
    "conference_docx",
    "conference_pdf",
    "session_pdf",
]


def as_pdf(document: Document) -> bytes:
    """A document as PDF. Raises DocumentFailed and TooBusy."""
    return store.made(f"pdf {document.digest()}", lambda: pdf.pdf(document))


def as_docx(document: Document) -> bytes:
    """A document as a Word file. Raises TooBusy."""
    return store.made(f"docx {document.digest()}", lambda: word.docx(document))


def conference_pdf(kind: Kind, conference: Conference, *, now: datetime, language: str, mark: str = "") -> bytes:
    """A document about the conference as PDF. Raises DocumentFailed and TooBusy."""
    return as_pdf(build.conference_document(kind, conference, now=now, language=language, mark=mark))


def conference_docx(kind: Kind, conference: Conference, *, now: datetime, language: str, mark: str = "") -> bytes:
    """A document about the conference as a Word file. Raises TooBusy."""
    return as_docx(build.conference_document(kind, conference, now=now, language=language, mark=mark))


def session_pdf(conference: Conference, slug: str, *, now: datetime, language: str, mark: str = "") -> bytes:
    """One session as PDF. Raises Session.DoesNotExist, DocumentFailed and TooBusy."""
    return as_pdf(build.session_document(conference, slug, now=now, language=language, mark=mark))
