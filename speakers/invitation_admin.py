"""Invitations to speak, for organisers: where to write to, sending, the answers, and what to take into the programme.

Addresses are written here and shown only when somebody asks, with a line in the audit trail; those behind a pseudonym
never.
"""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin import actor
from alliance.exceptions import DomainError
from events.admin import pages, programme
from events.models import Conference
from speakers import consents, invitations
from speakers.invitation_views import LABELS
from speakers.models import Contribution, ContributionStatus, SpeakerInvitation, SpeakerPurpose

_PERMISSION = "speakers.change_speakerinvitation"


class ContactForm(forms.Form):
    """Where the speaker is written to. An address that is kept is not filled in."""

    address = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        help_text=gettext_lazy("Kept encrypted. Another address makes a link that was sent worthless."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language of the mails"), choices=settings.LANGUAGES)


def _invitations(conference: Conference) -> dict[int, SpeakerInvitation]:
    """By contribution, without what is sealed."""
    rows = SpeakerInvitation.objects.current().without_secrets().filter(contribution__session__conference=conference)
    return {row.contribution_id: row for row in rows}


def speakers(request: HttpRequest, conference: Conference) -> HttpResponse:
    """Everybody with a contribution, session by session: how they stand and whether something waits."""
    found = _invitations(conference)
    waiting = _waiting(conference)
    rows = [
        {
            "contribution": contribution,
            "invitation": found.get(contribution.pk),
            "waits": contribution.pk in waiting,
            "url": pages.url("speaker", conference, contribution=contribution.public_id),
        }
        for contribution in Contribution.objects.filter(session__conference=conference, person__isnull=False)
        .exclude(status=ContributionStatus.REPLACED)
        .select_related("session", "person")
        .order_by("session__starts_at", "session_id", "position", "pk")
    ]
    context = pages.context(request, conference, "speakers", _("Speakers")) | {"rows": rows}
    return TemplateResponse(request, "admin/speakers/speakers.html", context)


def speaker(request: HttpRequest, conference: Conference, contribution: UUID) -> HttpResponse:
    """One contribution: contact, mail, answer, proposals."""
    row = (
        Contribution.objects.filter(public_id=contribution, session__conference=conference, person__isnull=False)
        .select_related("session__conference", "person", "organisation")
        .first()
    )
    if row is None:
        raise Http404
    here = pages.url("speaker", conference, contribution=contribution)
    invitation = SpeakerInvitation.objects.current().filter(contribution=row).first()
    form = ContactForm(
        request.POST if "contact" in request.POST else None,
        initial={"language": invitation.language if invitation else "en"},
    )
    opened = ""
    if request.method == "POST":
        try:
            if "open" in request.POST:
                opened = invitations.open_contact(contribution_id=row.pk, by=actor(request), now=timezone.now())
            elif _done(request, row, form):
                return HttpResponseRedirect(here)
        except DomainError as error:
            messages.error(request, str(error.message))
            return HttpResponseRedirect(here)
    proposed = invitations.proposals(invitation) if invitation else {}
    present = invitations.printed(row, invitation.language) if invitation else {}
    agreed = consents.given(invitation) if invitation else {}
    context = pages.context(request, conference, "speaker", row.name) | {
        "contribution": row,
        "invitation": invitation,
        "form": form,
        "opened": opened,
        "is_sealed": row.is_under_pseudonym,
        "may_send": row.status == ContributionStatus.INVITED and bool(invitation and invitation.address),
        "proposals": [
            {
                "field": name,
                "label": LABELS[name],
                "printed": present.get(name, ""),
                "text": text,
                "by_hand": name == "organisation",
            }
            for name, text in proposed.items()
        ],
        "agreed": [
            {"sentence": consents.WORDINGS[purpose][-1].sentence, "is_given": agreed[purpose.value]}
            for purpose in SpeakerPurpose
            if purpose.value in agreed
        ],
        "back_url": pages.url("speakers", conference),
    }
    return TemplateResponse(request, "admin/speakers/speaker.html", context)


def _done(request: HttpRequest, row: Contribution, form: ContactForm) -> bool:
    """Do what a button asks for; whether the page is to be shown anew. Raises DomainError."""
    by, now = actor(request), timezone.now()
    if "contact" in request.POST:
        if not form.is_valid():
            return False
        invitations.set_contact(contribution_id=row.pk, **form.cleaned_data, by=by, now=now)
        messages.success(request, _("Saved."))
    elif "send" in request.POST:
        invitations.send(contribution_id=row.pk, by=by, now=now)
        messages.success(request, _("The invitation was queued."))
    elif "forget" in request.POST:
        invitations.forget(contribution_id=row.pk, by=by, now=now)
        messages.success(request, _("The address and what was proposed are erased."))
    elif "take" in request.POST:
        invitations.take_over(contribution_id=row.pk, field=request.POST["take"], by=by, now=now)
        messages.success(request, _("Taken into the programme. The public sees it with the next release."))
    elif "aside" in request.POST:
        invitations.put_aside(contribution_id=row.pk, field=request.POST["aside"], by=by, now=now)
        messages.success(request, _("Put aside."))
    return True


def _waiting(conference: Conference) -> set[int]:
    """The contributions with proposals that nobody has looked at."""
    rows = SpeakerInvitation.objects.current().filter(contribution__session__conference=conference)
    return set(rows.exclude(answers="").values_list("contribution_id", flat=True))


def answers_in_programme(conference: Conference) -> dict[int, list[str]]:
    """For the programme page: sessions whose speakers have sent something to look at."""
    waiting = SpeakerInvitation.objects.current().exclude(answers="")
    found: dict[int, int] = {}
    for session_id in waiting.filter(contribution__session__conference=conference).values_list(
        "contribution__session_id", flat=True
    ):
        found[session_id] = found.get(session_id, 0) + 1
    return {
        session_id: [ngettext("%d answer to look at", "%d answers to look at", count) % count]
        for session_id, count in found.items()
    }


programme.add_notes(answers_in_programme)
pages.register(
    "speakers", speakers, permission=_PERMISSION, label=gettext_lazy("Speakers"), order=15, group=pages.Group.PROGRAMME
)
pages.register("speaker", speaker, permission=_PERMISSION, route="speakers/<uuid:contribution>/", of="speakers")
