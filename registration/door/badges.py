"""Badges as PDF: what stands on them, and how they are set.

A badge is read by everybody. Somebody under an alias has nothing on it but the alias, and the finer categories, some of
which say what happened to a person, are folded into five.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

from django.db.models import QuerySet
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from events.documents import pdf, store
from events.models import Conference
from registration.door import codes as door_codes
from registration.models import AttendanceMode, Category, Participant, RegistrationStatus

_TEMPLATE = Path(__file__).resolve().parents[1] / "typst" / "badges.typ"
MOST = 500  # badges in one file; a file of that many takes some seconds


class Sheet(StrEnum):
    """How badges lie on paper: one A6 sheet each, or four on A4."""

    A6 = "a6"
    A4 = "a4"


class Group(StrEnum):
    """What the colour of a badge says."""

    DELEGATION = "delegation"
    ORGANISATION = "organisation"
    CIVIL_SOCIETY = "civil_society"
    MEDIA = "media"
    PARTICIPANT = "participant"


_WORDS = {
    Group.DELEGATION: gettext_lazy("Delegation"),
    Group.ORGANISATION: gettext_lazy("International organisation"),
    Group.CIVIL_SOCIETY: gettext_lazy("Civil society"),
    Group.MEDIA: gettext_lazy("Media"),
    Group.PARTICIPANT: gettext_lazy("Participant"),
}
# Each at least 4.5:1 against white, which the word stands in.
_COLOURS = {
    Group.DELEGATION: "#12325a",
    Group.ORGANISATION: "#14602f",
    Group.CIVIL_SOCIETY: "#6a2a7c",
    Group.MEDIA: "#9a3412",
    Group.PARTICIPANT: "#444b5b",
}
_GROUPS = {
    Category.DELEGATION: Group.DELEGATION,
    Category.INTERNATIONAL_ORGANISATION: Group.ORGANISATION,
    Category.EXECUTIVE_STRUCTURE: Group.ORGANISATION,
    Category.FIELD_OPERATION: Group.ORGANISATION,
    Category.CIVIL_SOCIETY: Group.CIVIL_SOCIETY,
    Category.SURVIVOR_NETWORK: Group.CIVIL_SOCIETY,
    Category.ACADEMIA: Group.CIVIL_SOCIETY,
    Category.THINK_TANK: Group.CIVIL_SOCIETY,
    Category.TRADE_UNION: Group.CIVIL_SOCIETY,
    Category.MEDIA: Group.MEDIA,
}


@dataclass(frozen=True, slots=True)
class Badge:
    """What stands on one badge. qr_path: strokes of one module, see door_codes.Picture."""

    name: str
    affiliation: str
    group: str
    colour: str
    code: str
    qr_size: int
    qr_path: str


def group_of(participant: Participant) -> Group:
    """The colour group; that of an alias says nothing."""
    if participant.has_alias:
        return Group.PARTICIPANT
    return _GROUPS.get(Category(participant.category), Group.PARTICIPANT)


def affiliation(participant: Participant) -> str:
    """Delegation or organisation, as everybody may read it; empty for an alias.

    Needs delegation with its country and organisation, and organisation loaded.
    """
    if participant.has_alias:
        return ""
    delegation = participant.delegation
    if delegation is not None:
        whose = delegation.country or delegation.organisation
        return str(whose.name) if whose is not None else ""
    if participant.organisation is not None:
        return str(participant.organisation.name)
    return participant.organisation_text


def with_affiliation(participants: QuerySet[Participant]) -> QuerySet[Participant]:
    """Together with what badges say; without what is sealed, and without who was taken down."""
    return (
        participants.filter(taken_down_at=None)
        .select_related("delegation__country", "delegation__organisation", "organisation")
        .defer("sealed_identity", "accessibility_needs")
    )


def of_conference(conference: Conference) -> QuerySet[Participant]:
    """Whoever holds a place in a room of the conference, in the order of names."""
    seated = [RegistrationStatus.CONFIRMED, RegistrationStatus.ATTENDED]
    found = Participant.objects.filter(
        conference=conference,
        identity_key__isnull=False,
        registrations__status__in=seated,
        registrations__admission__mode=AttendanceMode.IN_PERSON,
    )
    return with_affiliation(found.distinct().order_by("display_name", "pk"))


def badge(participant: Participant, code: str) -> Badge:
    """One badge, in the language of the moment."""
    group = group_of(participant)
    drawn = door_codes.picture(code)
    return Badge(
        name=participant.display_name,
        affiliation=affiliation(participant),
        group=str(_WORDS[group]),
        colour=_COLOURS[group],
        code=door_codes.shown(code),
        qr_size=drawn.size,
        qr_path=drawn.path,
    )


def as_pdf(conference: Conference, participants: Iterable[Participant], *, sheet: Sheet) -> bytes:
    """Badges for at most MOST participants, in the language of the moment. Raises DocumentFailed and TooBusy.

    Kept nowhere. Codes are made for those who have none.
    """
    people = list(participants)[:MOST]
    codes = door_codes.ensure(people)
    content = {
        "sheet": sheet,
        "language": get_language() or "en",
        "title": _("Badges"),
        "conference": str(conference.title),
        "alt": _("Code for the door"),
        "badges": [asdict(badge(person, codes[person.pk])) for person in people],
    }
    made = json.dumps(content, ensure_ascii=False).encode()
    return store.in_turn(lambda: pdf.typeset(made, template=_TEMPLATE))
