"""The page of checks in the admin: what is found, session by session, and how complete each language is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from alliance import languages
from events import programme_checks
from events.admin import pages
from events.models import Conference, Session
from events.programme_checks import Finding, Programme, Row, Severity, Text, completeness

T = TypeVar("T", Finding, Text)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings or texts of one session; of the conference itself where session is None."""

    session: Session | None
    row: Row
    rows: list[Any]


def grouped(found: Iterable[T], programme: Programme) -> list[Group]:
    """By session, in the order of the programme; what belongs to no session, or to a cancelled one, comes first."""
    sessions: list[Session | None] = [None, *programme.sessions]
    known = {session.pk for session in programme.sessions}
    by_session: dict[int | None, list[T]] = {}
    for one in found:
        session_id = one.row.session_id
        by_session.setdefault(session_id if session_id in known else None, []).append(one)
    return [
        Group(session, programme_checks.row_of(session or programme.conference), by_session[key])
        for session in sessions
        if (key := session.pk if session else None) in by_session
    ]


def checks(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Errors, warnings, languages. ?missing=fr lists the texts that French lacks instead."""
    programme = programme_checks.programme_of(conference)
    wanted = request.GET.get("missing", "")
    context = pages.context(request, conference, "checks", _("Checks"))
    if wanted in languages.codes():
        missing = completeness.missing_in(completeness.texts_of(programme), wanted)
        context |= {"language": wanted, "groups": grouped(missing, programme), "count": len(missing)}
        return TemplateResponse(request, "admin/events/checks/missing.html", context)
    # The table of languages says better what is not translated.
    found = [finding for finding in programme_checks.run(programme) if finding.code != "translation_missing"]
    errors = [finding for finding in found if finding.severity == Severity.ERROR]
    warnings = [finding for finding in found if finding.severity != Severity.ERROR]
    context |= {
        "error_count": len(errors),
        "warning_count": len(warnings),
        "errors": grouped(errors, programme),
        "warnings": grouped(warnings, programme),
        "figures": programme_checks.figures(completeness.texts_of(programme)),
    }
    return TemplateResponse(request, "admin/events/checks/page.html", context)


pages.register(
    "checks", checks, permission="events.view_session", label=_("Checks"), order=20, group=pages.Group.PROGRAMME
)
