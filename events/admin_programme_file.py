"""The programme file in the admin: download, upload, what would change, apply.

Between the preview and the apply the file stays with the browser, signed for this user together with the fingerprint of
what was previewed. Applying does exactly that, or nothing.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.admin import actor
from alliance.admin import refuse
from events import jobs, programme_file
from events.admin import long_work, pages
from events.models import Conference, JobState
from events.programme_file import work
from events.programme_file.problems import Problem
from events.programme_file.yaml_text import MOST_BYTES
from events.removals import services as removals

NAME = "programme-file"
_VIEW = "events.view_conference"
_SALT = "events.programme_file.preview"
# What a form may carry besides files is 1.5 MB (settings.DATA_UPLOAD_MAX_MEMORY_SIZE).
_MOST_SEALED = 1_300_000
_KEPT_FOR = timedelta(hours=2)
_SHOWN = 500  # differences and new rows on a page; all of them are counted


class UploadForm(forms.Form):
    """A file, of a size that is looked at."""

    file = forms.FileField(label=_("Programme file"), help_text=_("YAML or a workbook (.xlsx), at most 5 MB."))

    def clean_file(self) -> UploadedFile[Any]:
        """Refuse what nobody should wait for."""
        file: UploadedFile[Any] = self.cleaned_data["file"]
        if file.size is None or file.size > MOST_BYTES:
            raise forms.ValidationError(_("The file is larger than 5 MB."), code="large")
        return file


@dataclass(frozen=True, slots=True)
class Sealed:
    """A file that was previewed. fingerprint: of what it would do. slug: of the conference that it is about."""

    data: bytes
    fingerprint: str
    slug: str


def seal(request: HttpRequest, file: Sealed) -> str:
    """The file as a text for a form that only this user can send back; empty when it is too large for one."""
    packed = base64.b64encode(zlib.compress(file.data, 9)).decode()
    value = f"{request.user.pk}:{file.fingerprint}:{file.slug}:{packed}"
    text = signing.TimestampSigner(salt=_SALT).sign(value)
    return text if len(text) <= _MOST_SEALED else ""


def unseal(request: HttpRequest, text: str) -> Sealed | None:
    """What was sealed; None for what is damaged, old, or of somebody else."""
    try:
        value = signing.TimestampSigner(salt=_SALT).unsign(text, max_age=_KEPT_FOR)
        user, fingerprint, slug, packed = value.split(":", 3)
        if user != str(request.user.pk):
            return None
        return Sealed(zlib.decompress(base64.b64decode(packed)), fingerprint, slug)
    except (signing.BadSignature, ValueError, binascii.Error, zlib.error):
        return None


def may_upload(request: HttpRequest, conference: Conference | None) -> bool:
    """Whether the user may write all that a file about the conference can change; without one, about a new one."""
    return work.may_upload(request.user, conference)


def may_download(request: HttpRequest, conference: Conference) -> bool:
    """Whether the user may see all that a file of the conference holds, internal notes too."""
    return work.may_download(request.user, conference)


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Downloads and the upload of one conference. POST shows what a file would change, or applies what was shown."""
    if request.method == "POST":
        return _answer(request, conference)
    return _render(request, conference, UploadForm())


def new_page(request: HttpRequest) -> HttpResponse:
    """The same for a conference that is not there yet: the template, and the upload."""
    if not work.holds(request.user, _VIEW, None):
        refuse(request, NAME)
    if request.method == "POST":
        return _answer(request, None)
    return _render(request, None, UploadForm())


def download(request: HttpRequest, conference: Conference, kind: str) -> HttpResponse:
    """The programme as a file. It holds internal notes and names, so nothing on the way keeps it."""
    if kind not in work.KINDS:
        raise Http404
    if not may_download(request, conference):
        refuse(request, f"{NAME}-download")
    removals.made(conference, kind=f"programme-file.{kind}", by=actor(request))
    return long_work.now_or_later(
        request,
        work.EXPORT,
        conference,
        {"kind": kind},
        is_large=work.is_large_programme(conference),
        back=_url(conference),
    )


def template(request: HttpRequest) -> HttpResponse:
    """An empty workbook to fill in."""
    if not request.user.has_perm(_VIEW):
        refuse(request, NAME)
    content_type, suffix = work.KINDS["xlsx"]
    content = programme_file.workbook_template()
    return long_work.file_of(jobs.Result(content=content, content_type=content_type, name=f"programme.{suffix}"))


# --- what would change, and doing it --------------------------------------------------------------------------------


def _answer(request: HttpRequest, conference: Conference | None) -> HttpResponse:
    if not may_upload(request, conference):
        refuse(request, f"{NAME}-upload")
    if "sealed" in request.POST:
        return _apply(request, conference)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _render(request, conference, form)
    data = form.cleaned_data["file"].read()
    if work.is_large_file(data):
        then = _url(conference)
        return long_work.order_work(request, work.PREVIEW, conference, {}, upload=data, back=then)
    return _preview(request, conference, form, data)


def _preview(request: HttpRequest, conference: Conference | None, form: UploadForm, data: bytes) -> HttpResponse:
    """Show what the file would change; nothing is written."""
    try:
        outcome = programme_file.load(data, dry_run=True)
    except programme_file.InvalidFile as error:
        return _render(request, conference, form, problems=error.problems)
    except programme_file.ChangedMeanwhile:
        messages.error(request, _being_changed())
        return _render(request, conference, form)
    if not _may_apply(request, outcome.conference):
        form.add_error("file", _("You may not change the conference that this file is for."))
        return _render(request, conference, form)
    return _show(request, conference, outcome, data)


def _may_apply(request: HttpRequest, slug: str) -> bool:
    """Whether the user may change, or make, the conference that a file names."""
    return may_upload(request, Conference.objects.filter(slug=slug).first())


def _show(
    request: HttpRequest,
    conference: Conference | None,
    outcome: programme_file.Outcome,
    data: bytes,
    *,
    is_kept: bool = False,
) -> HttpResponse:
    """is_kept: the file lies with the work that previewed it, and need not go through the browser."""
    about = Conference.objects.filter(slug=outcome.conference).first()
    is_sealed = outcome.changed and not is_kept
    sealed = seal(request, Sealed(data, outcome.fingerprint, outcome.conference)) if is_sealed else ""
    found = {
        "outcome": outcome,
        "differences": outcome.differences[:_SHOWN],
        "made": outcome.made[:_SHOWN],
        "unlisted": max(len(outcome.differences) - _SHOWN, 0) + max(len(outcome.made) - _SHOWN, 0),
        "about": about,
        "is_another": about is None or conference is None or about.pk != conference.pk,
        "sealed": sealed,
        "may_apply": outcome.changed and (is_kept or bool(sealed)),
        "is_too_large": is_sealed and not sealed,
        "back_url": _url(conference),
    }
    context = _context(request, conference, _("What would change"))
    return TemplateResponse(request, "admin/events/programme_file/preview.html", context | found)


def _apply(request: HttpRequest, conference: Conference | None) -> HttpResponse:
    """Do what was previewed, all of it, or nothing."""
    found = unseal(request, request.POST["sealed"])
    if found is None:
        messages.error(request, gettext("This preview is too old, or was changed on the way. Upload the file again."))
        return HttpResponseRedirect(_url(conference))
    if not _may_apply(request, found.slug):  # it was taken away since the preview
        refuse(request, f"{NAME}-upload")
    try:
        outcome = programme_file.load(found.data, expected=found.fingerprint)
    except programme_file.InvalidFile as error:
        return _render(request, conference, UploadForm(), problems=error.problems)
    except programme_file.ChangedMeanwhile as changed:
        if changed.outcome is None:
            messages.error(request, _being_changed())
            return HttpResponseRedirect(_url(conference))
        text = gettext("Nothing was written: somebody changed the programme since the preview. This is how it is now.")
        messages.error(request, text)
        return _show(request, conference, changed.outcome, found.data)
    about = Conference.objects.get(slug=outcome.conference)
    number = len(outcome.differences) + len(outcome.made)
    messages.success(request, work.applied(number))
    admin.site._registry[Conference].log_change(request, about, f"programme file: {number} changes")
    return HttpResponseRedirect(_url(about))


def previewed(request: HttpRequest, of: UUID) -> HttpResponse:
    """What a worker found in a large file; POST leaves the applying to a worker."""
    job = long_work.own_job(request, of, whole=True)
    if job.kind != work.PREVIEW or job.state != JobState.DONE:
        raise Http404
    found = work.previewed(job)
    outcome = found.outcome
    if outcome is None:
        return _render(request, job.conference, UploadForm(), problems=found.problems)
    if not _may_apply(request, outcome.conference):
        refuse(request, f"{NAME}-upload")
    if request.method != "POST":
        return _show(request, job.conference, outcome, b"", is_kept=True)
    order = {
        "conference": outcome.conference,
        "fingerprint": found.fingerprint,
        "rows": outcome.rows,
        "changes": len(outcome.differences) + len(outcome.made),
    }
    back = _url(job.conference)
    return long_work.order_work(request, work.APPLY, job.conference, order, upload=bytes(job.upload), back=back)


def _being_changed() -> str:
    return gettext("Nothing was written: somebody is changing the programme just now. Try again.")


# --- pages ----------------------------------------------------------------------------------------------------------


def _url(conference: Conference | None) -> str:
    return reverse("admin:events_conference_import") if conference is None else pages.url(NAME, conference)


def _context(request: HttpRequest, conference: Conference | None, title: Any) -> dict[str, Any]:
    if conference is not None:
        return pages.context(request, conference, NAME, title)
    return {**admin.site.each_context(request), "opts": Conference._meta, "conference": None, "title": title}


def _render(
    request: HttpRequest, conference: Conference | None, form: UploadForm, *, problems: list[Problem] | None = None
) -> HttpResponse:
    found = {
        "form": form,
        "problems": problems,
        "may_upload": may_upload(request, conference),
        "may_download": conference is not None and may_download(request, conference),
        "template_url": reverse("admin:events_conference_template"),
        "downloads": {
            kind: pages.url("programme-file-download", conference, kind=kind)
            for kind in work.KINDS
            if conference is not None
        },
    }
    context = _context(request, conference, capfirst(gettext("programme file"))) | found
    return TemplateResponse(request, "admin/events/programme_file/page.html", context, status=200)


def urls(site: admin.AdminSite) -> list[URLPattern]:
    """The addresses that belong to no conference yet."""
    return [
        path("programme-file/<uuid:of>/", site.admin_view(previewed), name="events_conference_previewed"),
        path("programme-file/", site.admin_view(new_page), name="events_conference_import"),
        path("programme-file/template.xlsx", site.admin_view(template), name="events_conference_template"),
    ]


pages.register(NAME, page, permission=_VIEW, label=_("Programme file"), order=50, group=pages.Group.PROGRAMME)
pages.register("programme-file-download", download, permission=_VIEW, route="programme-file/<slug:kind>/", of=NAME)
