"""Where something may show or name somebody who took a consent back: the pages that organisers look at first."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from events.admin import pages
from events.models import Conference, Material
from registration.models import Announcement, ParticipantList, Purpose

Place = tuple[str, str]  # label, address


def of(conference: Conference, purpose: Purpose) -> list[Place]:
    """The places for one purpose at a conference, in the active language."""
    return list(_of(conference, purpose))


def _of(conference: Conference, purpose: Purpose) -> Iterator[Place]:
    documents = pages.url("documents", conference)
    match purpose:
        case Purpose.LIST:
            made = ParticipantList.objects.filter(conference=conference).first()
            is_public = made is not None and made.is_published
            label = _("List of participants, public") if is_public else _("List of participants")
            yield label, pages.url("delegations", conference)
        case Purpose.PHOTO | Purpose.RECORDING | Purpose.STREAM | Purpose.MATERIALS:
            number = Material.objects.filter(conference=conference).count()
            materials = reverse("admin:events_material_changelist") + f"?conference__id__exact={conference.pk}"
            yield _("Papers and recordings (%(number)s)") % {"number": number}, materials
            if purpose == Purpose.PHOTO:
                yield _("Documents, photographs"), documents
        case Purpose.QUOTE:
            yield _("Documents and the report"), documents
        case Purpose.CONTACT:
            if Announcement.objects.filter(conference=conference).exists():
                yield _("Messages"), pages.url("messages", conference)
