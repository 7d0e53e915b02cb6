"""The programme and the agenda as documents to print and to work with (docs/documents.md).

    documents.conference_pdf(documents.Kind.PROGRAMME, conference, now=now, language="ru")
    documents.conference_docx(documents.Kind.AGENDA, conference, now=now, language="en", mark=_("Draft"))

conference comes from events.selectors.public_conference. What they print is what pages print at the instant, from
events.selectors; whether that is the published programme or the draft is for events.releases to say. The database is
asked first and is done before anything is set. For organisers, the draft or an older release:

    documents.as_pdf(documents.previewed(documents.Kind.PROGRAMME, conference, None, now=now, language="en"))
"""

from __future__ import annotations

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from events import selectors
from events.documents import build, pdf, store, word
from events.documents.model import Document, Kind
from events.documents.pdf import DocumentFailed, DocumentNotMade
from events.documents.store import TooBusy
from events.models import Conference, Release
from events.releases import preview

__all__ = [
    "DocumentFailed",
    "DocumentNotMade",
    "Kind",
    "TooBusy",
    "as_docx",
    "as_pdf",
    "conference_docx",
    "conference_pdf",
    "previewed",
    "session_pdf",
]


def previewed(kind: Kind, conference: Conference, release: Release | None, *, now: datetime, language: str) -> Document:
    """A document as it would be with the draft (release: None), or as it was in a release; it says so at its head.

    Opens a transaction of its own and rolls it back; make the file of it afterwards, with as_pdf or as_docx.
    """
    with translation.override(language):
        mark = _("Draft") if release is None else build.release_words(release, conference)[0].text
    with preview.showing(conference, release):
        found = selectors.public_conference(conference.slug)
        return build.conference_document(kind, found, now=now, language=language, mark=mark)


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
