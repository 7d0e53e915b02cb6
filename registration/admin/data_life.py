"""How long data about people is kept after a conference, what was deleted, and the record of processing."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.admin import actor
from alliance import dates, spreadsheets
from events.admin import pages
from events.documents import pdf
from events.models import Conference
from registration import processing, retention
from registration.services import data_life

_SEE, _CHANGE = "registration.view_deletionproof", "registration.change_retentionperiod"
_MOST_SHOWN = 200
_PAPER = Path(__file__).resolve().parents[1] / "typst" / "paper.typ"


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Every kind of data with its period and when that ends; and what was deleted."""
    now = timezone.now()
    rule, year = _filter(request)
    found = data_life.proofs_of(conference, rule=rule, year=year)
    query = request.GET.urlencode()
    context = pages.context(request, conference, "data-life", _("Data life")) | {
        "rules": [
            {
                "key": one.rule.key,
                "label": one.rule.label,
                "what": one.rule.what,
                "days": one.days,
                "default": one.rule.days,
                "due_on": _day(one),
                "waiting": one.waiting,
            }
            for one in data_life.standings(conference, now=now)
        ],
        "fixed": [{"label": one.label, "period": retention.words_of(one)} for one in retention.FIXED],
        "has_end": conference.ends_at is not None,
        "may_change": request.user.has_perm(_CHANGE, conference),
        "save_url": pages.url("data-life-save", conference),
        "proofs": _lines(found[:_MOST_SHOWN]),
        "kinds": list(_labels().items()),
        "rule": rule,
        "year": year,
        "years": [day.year for day in data_life.proofs_of(conference).dates("on_day", "year", order="DESC")],
        "file_url": pages.url("data-life-proofs", conference),
        "query": f"&{query}" if query else "",
        "record_url": pages.url("processing", conference),
    }
    return TemplateResponse(request, "admin/registration/data_life.html", context)


def _day(one: data_life.Standing) -> str:
    return dates.day(timezone.localtime(one.due_at).date(), with_weekday=False) if one.due_at is not None else ""


def _filter(request: HttpRequest) -> tuple[str, int | None]:
    rule, year = request.GET.get("rule", ""), request.GET.get("year", "")
    return rule if rule in _labels() else "", int(year) if year.isascii() and year.isdecimal() and len(
        year
    ) == 4 else None


def _labels() -> dict[str, str]:
    of_conference = {rule.key: str(rule.label) for rule in retention.RULES}
    return of_conference | {one.key: str(one.label) for one in retention.FIXED}


def _lines(found: Any) -> list[dict[str, Any]]:
    labels = _labels()
    return [
        {
            "day": one.on_day,
            "label": labels.get(one.rule, one.rule),
            "rule": one.rule,
            "count": one.count,
            "shown_day": dates.day(one.on_day, with_weekday=False),
            "days": one.days,
            "version": one.version,
            "id": one.public_id,
        }
        for one in found
    ]


def save(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Change the periods."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    typed = {rule.key: request.POST.get(f"days-{rule.key}", "").strip() for rule in retention.RULES}
    days = {key: int(text) for key, text in typed.items() if text.isascii() and text.isdecimal() and len(text) < 6}
    try:
        if len(days) < sum(bool(text) for text in typed.values()):
            raise data_life.PeriodTooLong
        changed = data_life.set_periods(conference=conference, days=days, by=actor(request), now=timezone.now())
    except data_life.PeriodTooLong as error:
        messages.error(request, str(error.message))
    else:
        if changed:
            text = ngettext("%(count)s period is changed.", "%(count)s periods are changed.", len(changed))
            messages.success(request, text % {"count": len(changed)})
    return HttpResponseRedirect(pages.url("data-life", conference))


def proofs_file(request: HttpRequest, conference: Conference) -> HttpResponse:
    """The proofs of the conference as .csv or PDF, filtered as on the page."""
    rule, year = _filter(request)
    lines = _lines(data_life.proofs_of(conference, rule=rule, year=year).iterator(chunk_size=500))
    if request.GET.get("kind") == "pdf":
        return paper_pdf(_proofs_paper(conference, lines), name=f"deletions-{conference.slug}.pdf")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["day", "kind", "label", "number", "days_kept", "rule_version", "proof"])
    for line in lines:
        row = [line["day"].isoformat(), line["rule"], line["label"], line["count"], line["days"], line["version"]]
        cells = ["" if value is None else str(value) for value in [*row, line["id"]]]
        writer.writerow([spreadsheets.harmless(cell) for cell in cells])
    return HttpResponse(
        text.getvalue().encode("utf-8"),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="deletions-{conference.slug}.csv"'},
    )


def _proofs_paper(conference: Conference, lines: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [
        [
            dates.day(line["day"], with_weekday=False),
            line["label"],
            str(line["count"]),
            "" if line["days"] is None else str(line["days"]),
            str(line["version"]),
        ]
        for line in lines
    ]
    return {
        "title": _("Proofs of deletion"),
        "conference": str(conference.title),
        "language": get_language() or "en",
        "intro": _("What was deleted, when, and by which rule. No line says whose it was."),
        "parts": [
            {
                "heading": "",
                "head": [_("Day"), _("Kind"), _("Number"), _("Days kept"), _("Version")],
                "widths": [2, 5, 1, 1, 1],
                "rows": rows or [[_("Nothing was deleted yet."), "", "", "", ""]],
            }
        ],
    }


# --- the record of processing -----------------------------------------------------------------------------------------


def record(request: HttpRequest, conference: Conference) -> HttpResponse:
    """What is done with data about people at this conference, as the settings say now; to print, or as PDF."""
    found = processing.record(conference, now=timezone.now())
    if request.GET.get("kind") == "pdf":
        return paper_pdf(_record_paper(conference, found), name=f"processing-{conference.slug}.pdf")
    context = pages.context(request, conference, "processing", _("Record of processing")) | {
        "parts": found,
        "file_url": pages.url("processing", conference) + "?kind=pdf",
    }
    return TemplateResponse(request, "admin/registration/processing.html", context)


def _record_paper(conference: Conference, found: list[processing.Part]) -> dict[str, Any]:
    return {
        "title": _("Record of processing"),
        "conference": str(conference.title),
        "language": get_language() or "en",
        "intro": _("Made from the settings of this conference on %(day)s.")
        % {"day": dates.day(timezone.localdate(), with_weekday=False)},
        "parts": [
            {"heading": part.heading, "head": part.head, "widths": part.widths, "rows": part.rows} for part in found
        ],
    }


def paper_pdf(paper: dict[str, Any], *, name: str) -> HttpResponse:
    """A paper of tables, to take away."""
    content = pdf.typeset(json.dumps(paper, ensure_ascii=False).encode(), template=_PAPER)
    return HttpResponse(
        content,
        content_type="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
    )


pages.register("data-life", page, permission=_SEE, label=gettext_lazy("Data life"), order=40, group=pages.Group.SAFETY)
pages.register("data-life-save", save, permission=_CHANGE, route="data-life/save/", of="data-life")
pages.register("data-life-proofs", proofs_file, permission=_SEE, route="data-life/proofs/", of="data-life")
pages.register("processing", record, permission=_SEE, route="data-life/processing/", of="data-life")
