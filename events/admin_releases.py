"""Releases in the admin: what is not published yet, publishing it, earlier releases, previews."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from alliance.exceptions import DomainError
from alliance.forms import TranslatedFormField
from events import programme_checks
from events.admin import pages
from events.models import Conference, Release
from events.releases import preview, publishing, wording

_VIEW, _PUBLISH = "events.view_conference", "events.change_conference"
_SHOWN = 20


class PublishForm(forms.Form):
    """What organisers may say about a release."""

    note = TranslatedFormField(
        label=_("Note"), required=False, multiline=True, help_text=_("Printed above the list of changes.")
    )


class CorrectForm(PublishForm):
    """What may be put right about a release that is out."""

    without = forms.MultipleChoiceField(
        label=_("Take out of the list"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("For good: also from the feed of changes. The programme itself stays as it is."),
    )


def releases(request: HttpRequest, conference: Conference) -> HttpResponse:
    """The releases of a conference, and what publishing would change now. POST publishes."""
    may_publish = request.user.has_perm(_PUBLISH, conference)
    form = PublishForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and may_publish and form.is_valid():
        by = request.user if isinstance(request.user, User) else None
        try:
            made = publishing.publish(
                conference, by=by, now=timezone.now(), note=form.cleaned_data["note"], seen=request.POST.get("seen", "")
            )
        except DomainError as refusal:
            messages.error(request, str(refusal.message))
        else:
            messages.success(request, gettext("Release %(number)d is published.") % {"number": made.number})
            return HttpResponseRedirect(pages.url("releases", conference))
    made_so_far = list(conference.releases.newest_first().select_related("made_by")[:_SHOWN])
    seen = publishing.draft_stamp(conference)  # before the list: what changes in between is refused, not missed
    waiting = publishing.unpublished_changes(conference)
    errors = programme_checks.errors(conference)
    context = pages.context(request, conference, "releases", _("Releases")) | {
        "form": form,
        "seen": seen,
        "may_publish": may_publish,
        "error_count": len(errors),
        "checks_url": pages.url("checks", conference),
        "waiting": None if waiting is None else wording.lines(conference, waiting.changes),
        "has_changes": waiting is None or waiting.has_any,
        "releases": [
            {
                "release": found.release,
                "groups": found.groups,
                "preview_url": _preview_url(conference, found.release),
                "correct_url": pages.url("release-correct", conference, number=found.release.number),
                "restore_url": pages.url("release-restore", conference, number=found.release.number),
            }
            for found in wording.change_lists(conference, made_so_far)
        ],
        "draft_url": _preview_url(conference, None),
        "is_first": not made_so_far,
    }
    return TemplateResponse(request, "admin/events/releases/page.html", context)


def correct(request: HttpRequest, conference: Conference, number: int) -> HttpResponse:
    """Word the note anew, take lines out of the list."""
    release = _release(conference, number)
    form = CorrectForm(request.POST if request.method == "POST" else None, initial={"note": release.note})
    field = form.fields["without"]
    if isinstance(field, forms.MultipleChoiceField):
        field.choices = [
            (str(index), " – ".join(filter(None, [str(group.title), *group.lines])))
            for index, group in enumerate(wording.one_by_one(conference, release.changes))
            if group is not None
        ]
    if request.method == "POST" and form.is_valid():
        without = {int(index) for index in form.cleaned_data["without"]}
        seen = request.POST.get("seen", "")
        try:
            publishing.correct(release, note=form.cleaned_data["note"], without=without, seen=seen)
        except DomainError as refusal:
            messages.error(request, str(refusal.message))
            return HttpResponseRedirect(request.path)
        messages.success(request, gettext("Release %(number)d is corrected.") % {"number": number})
        return HttpResponseRedirect(pages.url("releases", conference))
    title = gettext("Correct release %(number)d") % {"number": number}
    context = pages.context(request, conference, "release-correct", title) | {
        "form": form,
        "seen": publishing.correction_stamp(release),
        "back_url": pages.url("releases", conference),
    }
    return TemplateResponse(request, "admin/events/releases/correct.html", context)


def restore(request: HttpRequest, conference: Conference, number: int) -> HttpResponse:
    """Ask, then make the draft what it was in an earlier release."""
    release = _release(conference, number)
    if request.method == "POST":
        try:
            publishing.restore(release, seen=request.POST.get("seen", ""))
        except publishing.DraftChanged as refusal:
            messages.error(request, str(refusal.message))
            return HttpResponseRedirect(request.path)
        except DomainError as refusal:
            messages.error(request, str(refusal.message))
        else:
            text = _("The draft is what it was in release %(number)d. Look at it, then publish it.")
            messages.success(request, text % {"number": number})
        return HttpResponseRedirect(pages.url("releases", conference))
    seen = publishing.draft_stamp(conference)  # before the list: what changes in between is refused, not missed
    would_change = publishing.changes_by_restoring(release)
    title = gettext("Go back to release %(number)d") % {"number": number}
    context = pages.context(request, conference, "release-restore", title) | {
        "release": release,
        "seen": seen,
        "groups": wording.lines(conference, would_change.changes),
        "has_changes": would_change.has_any,
        "back_url": pages.url("releases", conference),
        "preview_url": _preview_url(conference, release),
        "question": ngettext("%(count)d change", "%(count)d changes", len(would_change.changes))
        % {"count": len(would_change.changes)},
    }
    return TemplateResponse(request, "admin/events/releases/restore.html", context)


def look(request: HttpRequest, conference: Conference, which: str, path: str) -> HttpResponse:
    """A public page as it is in the draft, or as it was in a release."""
    is_number = which.isdecimal() and len(which) < 11
    release = None if which == "draft" else _release(conference, int(which) if is_number else 0)
    if path.split("/")[1:2] != [conference.slug] and not _sees_all(request):
        raise Http404  # pages of the whole house would show the drafts of others
    prefix = pages.url("preview", conference, which=which, path="x").removesuffix("x")
    back = pages.url("releases", conference)
    return preview.answer(request, conference, release, path=path, prefix=prefix, back=back)


def _sees_all(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and request.user.access.holds_everywhere(_VIEW)


def _release(conference: Conference, number: int) -> Release:
    release = conference.releases.filter(number=number).first() if 0 < number < 2**31 else None
    if release is None:
        raise Http404
    return release


def _preview_url(conference: Conference, release: Release | None) -> str:
    """Where the programme is looked at, in the organiser's language."""
    path = reverse("events:programme", args=[conference.slug]).partition("/")[2].partition("/")[2]
    which = str(release.number) if release else "draft"
    return pages.url("preview", conference, which=which, path=f"{(get_language() or 'en')[:2]}/{path}")


pages.register("releases", releases, permission=_VIEW, label=_("Releases"), order=30, group=pages.Group.PROGRAMME)
pages.register("release-restore", restore, permission=_PUBLISH, route="releases/<int:number>/restore/", of="releases")
pages.register("release-correct", correct, permission=_PUBLISH, route="releases/<int:number>/correct/", of="releases")
pages.register("preview", look, permission=_VIEW, route="preview/<slug:which>/<path:path>", of="releases")
