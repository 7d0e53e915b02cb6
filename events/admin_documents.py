"""Documents in the admin: programme and agenda of the draft, to proof-read before publishing."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from alliance import errors
from events import documents
from events.admin import pages
from events.documents import Kind
from events.models import Conference, Release

_PERMISSION = "events.view_conference"
_NAMES = {
    Kind.PROGRAMME: _("Programme"),
    Kind.SIDE_EVENTS: _("Side events"),
    Kind.AGENDA: _("Agenda"),
    Kind.AGENDA_WITHOUT_TIMES: _("Agenda without times"),
}
_TYPES = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}


def listed(request: HttpRequest, conference: Conference) -> HttpResponse:
    """The documents of the draft, by language."""
    rows = [
        (
            name,
            [
                (language, [(ending, _url(conference, None, language, kind, ending)) for ending in _TYPES])
                for language, _label in settings.LANGUAGES
            ],
        )
        for kind, name in _NAMES.items()
    ]
    context = pages.context(request, conference, "documents", _("Documents"))
    context |= {"rows": rows, "languages": settings.LANGUAGES}
    return TemplateResponse(request, "admin/events/documents/page.html", context)


def document(
    request: HttpRequest, conference: Conference, which: str, language: str, kind: str, ending: str
) -> HttpResponse:
    """One document: of the draft, or of the release with that number. Marked as such at its head."""
    if kind not in Kind.of_conference() or language not in dict(settings.LANGUAGES) or ending not in _TYPES:
        raise Http404
    release = None if which == "draft" else _release(conference, which)
    try:
        found = documents.previewed(Kind(kind), conference, release, now=timezone.now(), language=language)
        content = documents.as_pdf(found) if ending == "pdf" else documents.as_docx(found)
    except (documents.TooBusy, documents.DocumentFailed):
        return errors.unavailable(request)
    response = HttpResponse(content, content_type=_TYPES[ending])
    shown = "inline" if ending == "pdf" else "attachment"
    response["Content-Disposition"] = f'{shown}; filename="{conference.slug}-{kind}-{which}-{language}.{ending}"'
    return response


def _release(conference: Conference, number: str) -> Release:
    found = conference.releases.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if found is None:
        raise Http404
    return found


def _url(conference: Conference, release: Release | None, language: str, kind: Kind, ending: str) -> str:
    which = str(release.number) if release else "draft"
    return pages.url("document", conference, which=which, language=language, kind=str(kind), ending=ending)


pages.register(
    "documents", listed, permission=_PERMISSION, label=_("Documents"), order=50, group=pages.Group.PUBLISHING
)
pages.register(
    "document",
    document,
    permission=_PERMISSION,
    route="documents/<slug:which>/<slug:language>/<slug:kind>.<slug:ending>",
    of="documents",
)
