"""Long work in the admin: the page on which its owner watches it, cancels it and takes what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from uuid import UUID

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from alliance.admin import clock_time
from alliance.exceptions import DomainError
from events import jobs
from events.admin import pages
from events.models import Conference, Job, JobState

_LISTED = 30
STOP_POLLING = 286  # HTMX's own status for it


def now_or_later(
    request: HttpRequest,
    name: str,
    conference: Conference | None,
    order: Mapping[str, Any],
    *,
    is_large: bool,
    upload: bytes = b"",
    shown: str = "attachment",
    back: str = "",
) -> HttpResponse:
    """A file at once when it is small, else the page of the work that makes it. The right was checked by the caller.

    shown: the disposition of a file that is made at once. back: where to go when it cannot be done now.
    Raises DomainError from small work.
    """
    owner = cast("User", request.user)
    if is_large:
        return order_work(request, name, conference, order, upload=upload, back=back)
    return file_of(jobs.kind(name).run(jobs.Direct(owner, conference, order, upload)), shown=shown)


def order_work(
    request: HttpRequest,
    name: str,
    conference: Conference | None,
    order: Mapping[str, Any],
    *,
    upload: bytes = b"",
    back: str,
) -> HttpResponse:
    """Leave work to a worker, and go to its page."""
    owner = cast("User", request.user)
    try:
        job = jobs.start(name, owner=owner, conference=conference, order=order, upload=upload, now=timezone.now())
    except DomainError as error:
        messages.error(request, str(error.message))
        return HttpResponseRedirect(back or reverse("admin:index"))
    return HttpResponseRedirect(url_of(job))


def file_of(result: jobs.Result, *, shown: str = "attachment") -> HttpResponse:
    """What came of work, as a file that nothing on the way keeps."""
    response = HttpResponse(result.content, content_type=result.content_type)
    response["Content-Disposition"] = f'{shown}; filename="{result.name}"'
    response["Cache-Control"] = "private, no-store"
    return response


def url_of(job: Job) -> str:
    """The page of a piece of work."""
    return reverse("admin:events_conference_job", args=[job.public_id])


def own_job(request: HttpRequest, public_id: UUID, *, whole: bool = False) -> Job:
    """Work of the user, who still may have it done; everything else is not there. whole: with its files."""
    owner = cast("User", request.user)
    rows = Job.objects.filter(owner=owner) if whole else jobs.own(owner)
    job = rows.select_related("conference").filter(public_id=public_id).first()
    if job is None or not jobs.may(owner, job.kind, job.conference):
        raise Http404
    job.owner = owner
    return job


@require_safe
def page(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """How far it is. With HTMX the part that changes is asked for again and again; without, there is a link."""
    job = own_job(request, public_id)
    shown = _shown(job)
    if "HX-Request" in request.headers:
        status = STOP_POLLING if job.is_finished else 200
        return render(request, "admin/events/long_work/_state.html", {"work": shown, "is_update": True}, status=status)
    context = _context(request, job.conference, jobs.label_of(job)) | {"work": shown}
    return TemplateResponse(request, "admin/events/long_work/page.html", context)


@require_safe
def file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What came of it, to whoever ordered it, for some hours."""
    job = own_job(request, public_id, whole=True)
    if job.state != JobState.DONE or not job.result or not job.result_name:
        raise Http404
    return file_of(jobs.Result(content=bytes(job.result), name=job.result_name, content_type=job.result_type))


@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Stop it."""
    job = own_job(request, public_id)
    if not jobs.cancel(job, now=timezone.now()):
        messages.warning(request, _("It had ended already."))
    return HttpResponseRedirect(url_of(job))


def listed(request: HttpRequest, conference: Conference) -> HttpResponse:
    """The user's own work at a conference of the last hours."""
    found = jobs.own(cast("User", request.user)).filter(conference=conference).select_related("conference")[:_LISTED]
    context = pages.context(request, conference, "long-work", _("Long work"))
    context |= {"works": [_shown(job) for job in found], "hours": _hours()}
    return TemplateResponse(request, "admin/events/long_work/list.html", context)


def _hours() -> int:
    return int(jobs.KEPT.total_seconds() // 3600)


def _shown(job: Job) -> dict[str, Any]:
    zone = job.conference.zone if job.conference is not None else timezone.get_default_timezone()
    has_file = job.state == JobState.DONE and bool(job.result_name)
    return {
        "job": job,
        "label": jobs.label_of(job),
        "url": url_of(job),
        "is_open": not job.is_finished,
        "is_stopping": job.is_cancelling and not job.is_finished,
        "has_failed": job.state == JobState.FAILED,
        "is_taken_away": jobs.is_taken_away(job),
        "file_url": reverse("admin:events_conference_job_file", args=[job.public_id]) if has_file else "",
        "cancel_url": reverse("admin:events_conference_job_cancel", args=[job.public_id]),
        "percent": min(job.done * 100 // job.total, 100) if job.total else None,
        "ordered_at": clock_time(job.created_at, zone),
        "until": clock_time(job.finished_at + jobs.KEPT, zone) if job.finished_at else "",
    }


def _context(request: HttpRequest, conference: Conference | None, title: str) -> dict[str, Any]:
    if conference is not None:
        return pages.context(request, conference, "long-work", title)
    return {**admin.site.each_context(request), "opts": Conference._meta, "conference": None, "title": title}


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses of work, which belong to its owner and not to a conference."""
    return [
        path("long-work/<uuid:public_id>/", site.admin_view(page), name="events_conference_job"),
        path("long-work/<uuid:public_id>/file/", site.admin_view(file), name="events_conference_job_file"),
        path("long-work/<uuid:public_id>/cancel/", site.admin_view(cancel), name="events_conference_job_cancel"),
    ]


pages.register(
    "long-work",
    listed,
    permission="events.view_conference",
    label=gettext_lazy("Long work"),
    order=70,
    group=pages.Group.CONFERENCE,
)
