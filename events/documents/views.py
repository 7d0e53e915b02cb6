"""The addresses of the documents: kept in memory like the pages, with ETag and 304, the same for everybody."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from alliance import errors
from events import documents, page_cache, selectors
from events.documents import Kind
from events.models import Conference, Session

P = ParamSpec("P")

_PDF = "application/pdf"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def _document(
    view: Callable[Concatenate[HttpRequest, P], HttpResponse],
) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
    """A document, under its plain address only: made-up queries must cost nothing and push nothing out of memory."""
    kept = page_cache.cached_page(view)

    @wraps(view)
    def chosen(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.META.get("QUERY_STRING"):
            return HttpResponseRedirect(request.path)
        try:
            return kept(request, *args, **kwargs)
        except (documents.TooBusy, documents.DocumentFailed):
            return errors.unavailable(request)

    return require_safe(chosen)


def _conference(slug: str) -> Conference:
    try:
        return selectors.public_conference(slug)
    except Conference.DoesNotExist:
        raise Http404 from None


def _file(content: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    kind = "inline" if content_type == _PDF else "attachment"
    response["Content-Disposition"] = f'{kind}; filename="{name}"'
    return response


@_document
def conference_pdf(request: HttpRequest, conference: str, kind: Kind) -> HttpResponse:
    """A document about the conference as PDF."""
    language = translation.get_language() or "en"
    content = documents.conference_pdf(kind, _conference(conference), now=timezone.now(), language=language)
    return _file(content, _PDF, f"{conference}-{kind}-{language}.pdf")


@_document
def conference_docx(request: HttpRequest, conference: str, kind: Kind) -> HttpResponse:
    """A document about the conference as a Word file."""
    language = translation.get_language() or "en"
    content = documents.conference_docx(kind, _conference(conference), now=timezone.now(), language=language)
    return _file(content, _DOCX, f"{conference}-{kind}-{language}.docx")


@_document
def session_pdf(request: HttpRequest, conference: str, session: str) -> HttpResponse:
    """One session or side event as PDF."""
    language = translation.get_language() or "en"
    found = _conference(conference)
    try:
        content = documents.session_pdf(found, session, now=timezone.now(), language=language)
    except Session.DoesNotExist:
        raise Http404 from None
    return _file(content, _PDF, f"{conference}-{session}-{language}.pdf")
