"""The list of participants by delegation for everybody, where the organisers have published it; else 404."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from alliance import errors
from events.documents import DocumentFailed, TooBusy
from events.models import Conference
from registration import private_pages
from registration.delegations import listing as delegation_listing

FILES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


def file(request: HttpRequest, conference: Conference, kind: str) -> HttpResponse:
    """The list as CSV or PDF; kept nowhere, for consents change."""
    listing = delegation_listing.of(conference)
    try:
        if kind == "csv":
            content = delegation_listing.as_csv(listing)
        else:
            content = delegation_listing.as_pdf(listing, conference)
    except (DocumentFailed, TooBusy):
        return errors.unavailable(request)
    response = HttpResponse(content, content_type=FILES[kind])
    response["Content-Disposition"] = f'attachment; filename="participants-{conference.slug}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@private_pages.private
def public_list(request: HttpRequest, slug: str, kind: str = "") -> HttpResponse:
    """The published list as a page, or as a file."""
    conference = Conference.objects.public().filter(slug=slug).first()
    if conference is None or kind not in {"", *FILES}:
        raise Http404
    listing = delegation_listing.of(conference)
    if not listing.is_published:
        raise Http404
    if kind:
        return file(request, conference, kind)
    context = {
        "conference": conference,
        "crumbs": [
            (_("Conferences"), reverse("events:conferences")),
            (str(conference.title), conference.get_absolute_url()),
        ],
        "listing": listing,
        "standing": delegation_listing.standing(listing, conference),
    }
    return render(request, "registration/delegations/participants.html", context)
