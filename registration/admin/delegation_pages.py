"""Delegations of a conference, for organisers: who is nominated, credentials, and the list of participants."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import actor
from alliance import errors
from alliance.exceptions import DomainError
from events.admin import long_work, pages
from events.documents import DocumentNotMade
from events.models import Conference
from registration.delegations import listing as delegation_listing
from registration.delegations.views import rows_of
from registration.exports import work as exports
from registration.models import CredentialLetter, Delegation, Membership, Verification
from registration.services import credentials

_PERMISSION = "registration.change_delegation"


def page(request: HttpRequest, conference: Conference) -> HttpResponse:
    """All delegations with their members; what the secretariat says about credentials; the stamp on the list."""
    if request.method == "POST":
        try:
            _change(request, conference)
        except DomainError as error:
            messages.error(request, str(error.message))
        return HttpResponseRedirect(pages.url("delegations", conference))
    found = list(Delegation.objects.filter(conference=conference).select_related("country", "organisation"))
    rows = rows_of(*found)
    letters: dict[int, list[CredentialLetter]] = {}
    for letter in CredentialLetter.objects.filter(delegation__conference=conference).defer("content"):
        letters.setdefault(letter.delegation_id, []).append(letter)
    only_open = request.GET.get("verification") == Verification.OPEN
    if only_open:  # what the start page counts: members to compare with a letter that is there
        found = [delegation for delegation in found if delegation.pk in letters]
        rows = {key: [row for row in own if _is_open(row.membership)] for key, own in rows.items()}
        found = [delegation for delegation in found if rows[delegation.pk]]
    listing = delegation_listing.of(conference)
    context = pages.context(request, conference, "delegations", _("Delegations")) | {
        "found": [
            {
                "delegation": delegation,
                "rows": rows[delegation.pk],
                "letters": [
                    (letter, pages.url("delegation-letter", conference, letter=letter.public_id))
                    for letter in letters.get(delegation.pk, [])
                ],
            }
            for delegation in sorted(found, key=delegation_listing.protocol)
        ],
        "only_open": only_open,
        "choices": Verification.choices,
        "listing": listing,
        "standing": delegation_listing.standing(listing, conference),
        "files": [(kind.upper(), pages.url("participants", conference, kind=kind)) for kind in exports.LISTINGS],
    }
    return TemplateResponse(request, "admin/registration/delegations.html", context)


def _is_open(membership: Membership) -> bool:
    return membership.is_active and membership.verification == Verification.OPEN


def _change(request: HttpRequest, conference: Conference) -> None:
    now = timezone.now()
    if "stamp" in request.POST:
        delegation_listing.stamp(
            conference=conference,
            is_final="final" in request.POST,
            is_published="published" in request.POST,
            by=actor(request),
            now=now,
        )
        return
    try:
        public_id = UUID(request.POST.get("member", ""))
        verification = Verification(request.POST.get("verification", ""))
    except ValueError:
        raise Http404 from None
    membership = Membership.objects.filter(public_id=public_id, delegation__conference=conference).first()
    if membership is None:
        raise Http404
    credentials.verify(
        membership_id=membership.pk,
        verification=verification,
        reason=request.POST.get("reason", ""),
        by=actor(request),
        now=now,
    )


def letter(request: HttpRequest, conference: Conference, letter: UUID) -> HttpResponse:
    """A credential letter, for organisers alone; reading it is on the record. Never shown inside our pages."""
    found = credentials.open_letter(conference=conference, public_id=letter, by=actor(request), now=timezone.now())
    if found is None:
        raise Http404
    suffix = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}[found.content_type]
    return HttpResponse(
        found.data,
        content_type=found.content_type,
        headers={
            "Content-Disposition": f'attachment; filename="letter.{suffix}"',
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "no-store",
        },
    )


def participants(request: HttpRequest, conference: Conference, kind: str) -> HttpResponse:
    """The list of participants as a file, published or not."""
    if kind not in exports.LISTINGS:
        raise Http404
    try:
        return long_work.now_or_later(
            request,
            exports.PARTICIPANTS,
            conference,
            {"kind": kind},
            is_large=delegation_listing.of(conference).number > exports.LARGE_LISTING,
            back=pages.url("delegations", conference),
        )
    except DocumentNotMade:
        return errors.unavailable(request)


pages.register(
    "delegations",
    page,
    permission=_PERMISSION,
    label=gettext_lazy("Delegations"),
    order=30,
    group=pages.Group.REGISTRATION,
)
pages.register(
    "delegation-letter",
    letter,
    permission=_PERMISSION,
    route="delegations/letters/<uuid:letter>/",
    of="delegations",
)
pages.register(
    "participants", participants, permission=_PERMISSION, route="delegations/participants.<str:kind>", of="delegations"
)
