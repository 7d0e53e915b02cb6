"""Documents in the admin: programme and agenda of the draft, to proof-read before publishing."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.admin import actor
from alliance import errors
from events import documents, jobs
from events.admin import long_work, pages
from events.documents import DocumentNotMade, Kind
from events.models import Conference, Release
from events.removals import services as removals

WORK = "document"
_PERMISSION = "events.view_conference"
_LARGE = 300  # sessions; up to there a document takes a second or two
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
    if which != "draft":
        _release(conference, which)
    release = None if which == "draft" else int(which)
    removals.made(conference, kind=f"{kind}.{ending}", by=actor(request), release=release)
    order = {"which": which, "language": language, "kind": kind, "ending": ending}
    try:
        return long_work.now_or_later(
            request,
            WORK,
            conference,
            order,
            is_large=conference.sessions.count() > _LARGE,
            shown="inline" if ending == "pdf" else "attachment",
            back=pages.url("documents", conference),
        )
    except DocumentNotMade:
        return errors.unavailable(request)


def make(work: jobs.Work) -> jobs.Result:
    """The file of a document, as ordered."""
    conference, order = work.conference, work.order
    if conference is None:
        raise Conference.DoesNotExist
    release = None if order["which"] == "draft" else _release(conference, order["which"])
    ending, language, kind = order["ending"], order["language"], Kind(order["kind"])
    work.step(0, 2)
    try:
        found = documents.previewed(kind, conference, release, now=timezone.now(), language=language)
        work.step(1, 2)
        content = documents.as_pdf(found) if ending == "pdf" else documents.as_docx(found)
    except (documents.TooBusy, documents.DocumentFailed) as error:
        raise DocumentNotMade from error
    name = f"{conference.slug}-{kind}-{order['which']}-{language}.{ending}"
    return jobs.Result(content=content, name=name, content_type=_TYPES[ending])


def _release(conference: Conference, number: str) -> Release:
    found = conference.releases.filter(number=int(number)).first() if number.isdecimal() and len(number) < 10 else None
    if found is None:
        raise Http404
    return found


def _url(conference: Conference, release: Release | None, language: str, kind: Kind, ending: str) -> str:
    which = str(release.number) if release else "draft"
    return pages.url("document", conference, which=which, language=language, kind=str(kind), ending=ending)


jobs.register(WORK, make, label=_("Document"), may=jobs.by_permission(_PERMISSION), holds_people=True)
pages.register(
    "documents", listed, permission=_PERMISSION, label=_("Documents"), order=40, group=pages.Group.PROGRAMME
)
pages.register(
    "document",
    document,
    permission=_PERMISSION,
    route="documents/<slug:which>/<slug:language>/<slug:kind>.<slug:ending>",
    of="documents",
)
