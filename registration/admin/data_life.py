"""How long data about people is kept after a conference, what was deleted, and the record of processing."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from accounts.admin import actor
from alliance import dates
from alliance.exceptions import DomainError
from events import jobs
from events.admin import pages
from events.admin.long_work import file_of, now_or_later
from events.models import Conference
from registration import processing, retention
from registration.admin import seen
from registration.exports import papers
from registration.services import data_life

_SEE, _CHANGE = "registration.view_deletionproof", "registration.change_retentionperiod"
_MOST_SHOWN = 200


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Every kind of data with its period and when that ends; and what was deleted."""
    now = timezone.now()
    rule, year = _filter(request)
    found = data_life.proofs_of(conference, rule=rule, year=year)
    query = request.GET.urlencode()
    standings = data_life.standings(conference, now=now)
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
            for one in standings
        ],
        "fixed": [{"label": one.label, "period": retention.words_of(one)} for one in retention.FIXED],
        "is_announced": any(one.is_announced and one.waiting for one in standings),
        "has_end": conference.ends_at is not None,
        "may_change": request.user.has_perm(_CHANGE, conference),
        "seen": _as_seen(conference),
        "save_url": pages.url("data-life-save", conference),
        "proofs": _lines(found[:_MOST_SHOWN]),
        "kinds": list(papers.labels().items()),
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
    is_year = year.isascii() and year.isdecimal() and len(year) == 4 and year != "0000"  # PostgreSQL knows none
    return rule if rule in papers.labels() else "", int(year) if is_year else None


def _lines(found: Any) -> list[dict[str, Any]]:
    labels = papers.labels()
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


def _as_seen(conference: Conference) -> str:
    return seen.stamp(sorted(data_life.periods(conference).items()))


def save(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Change the periods, if they still are what the form was opened with: what is due is erased within the hour."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    typed = {rule.key: request.POST.get(f"days-{rule.key}", "").strip() for rule in retention.RULES}
    days = {key: int(text) for key, text in typed.items() if text.isascii() and text.isdecimal() and len(text) < 6}
    try:
        if len(days) < sum(bool(text) for text in typed.values()):
            raise data_life.PeriodTooLong
        with transaction.atomic():
            Conference.objects.select_for_update(no_key=True).get(pk=conference.pk)
            if seen.is_stale(request, _as_seen(conference)):
                messages.error(request, str(seen.CHANGED))
                return HttpResponseRedirect(pages.url("data-life", conference))
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
    is_large = data_life.proofs_of(conference, rule=rule, year=year).count() > papers.LARGE_PROOFS
    order = {"rule": rule, "year": year, "kind": "pdf" if request.GET.get("kind") == "pdf" else "csv"}
    back = pages.url("data-life", conference)
    try:
        return now_or_later(request, papers.DELETIONS, conference, order, is_large=is_large, back=back)
    except DomainError as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(back)


# --- the record of processing -----------------------------------------------------------------------------------------


def record(request: HttpRequest, conference: Conference) -> HttpResponse:
    """What is done with data about people at this conference, as the settings say now; to print, or as PDF."""
    found = processing.record(conference, now=timezone.now())
    if request.GET.get("kind") == "pdf":
        try:
            content = papers.typeset(_record_paper(conference, found))
        except DomainError as error:
            messages.error(request, str(error.message))
            return HttpResponseRedirect(pages.url("processing", conference))
        name = f"processing-{conference.slug}.pdf"
        return file_of(jobs.Result(content=content, name=name, content_type="application/pdf"))
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


pages.register("data-life", page, permission=_SEE, label=gettext_lazy("Data life"), order=40, group=pages.Group.SAFETY)
pages.register("data-life-save", save, permission=_CHANGE, route="data-life/save/", of="data-life")
pages.register("data-life-proofs", proofs_file, permission=_SEE, route="data-life/proofs/", of="data-life")
pages.register("processing", record, permission=_SEE, route="data-life/processing/", of="data-life")
