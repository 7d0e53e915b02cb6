"""The list of participants by delegation, in protocol order: States by their order, then organisations by name.

Only confirmed members who agreed to be named stand in it, under their own name: of three members, two of them named,
everybody would see whose the alias is. The stamp "final" freezes what it says; whoever takes the consent
back, is erased or takes an alias afterwards is left out all the same when the list is read.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from accounts import actors
from accounts.actors import Actor
from alliance import dates
from events.documents import pdf, store
from events.models import Conference
from registration.delegations import lists as delegation_lists
from registration.models import Delegation, DelegationCapacity, Membership, ParticipantList

_TEMPLATE = Path(__file__).resolve().parents[1] / "typst" / "participants.typ"


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the list."""

    name: str
    function: str
    capacity: str


@dataclass(frozen=True, slots=True)
class Group:
    """A delegation with those of its members who agreed to be listed; never without any."""

    name: str
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class Listing:
    """The list as it is read at this moment. final_at: None while it is provisional."""

    groups: list[Group]
    final_at: datetime | None
    is_published: bool

    @property
    def number(self) -> int:
        """How many people are listed."""
        return sum(len(group.lines) for group in self.groups)


def _entries(conference: Conference) -> list[dict[str, str]]:
    members = (
        Membership.objects.listed()
        .filter(delegation__conference=conference, participant__identity_key__isnull=False)
        .select_related("participant")
        .in_rank()
    )
    return [
        {
            "member": str(member.public_id),
            "name": member.participant.display_name,
            "function": member.participant.function,
            "capacity": member.capacity,
        }
        for member in members
    ]


def of(conference: Conference) -> Listing:
    """The list of a conference in the active language: frozen where it is final, else as things stand."""
    stamp = ParticipantList.objects.filter(conference=conference).first() or ParticipantList(conference=conference)
    entries = stamp.entries if stamp.final_at is not None else _entries(conference)
    agreed = {
        str(member.public_id): member
        for member in Membership.objects.listed()
        .filter(delegation__conference=conference, participant__identity_key__isnull=False)
        .only("public_id", "delegation")
    }
    by_delegation: dict[int, list[Line]] = {}
    for entry in entries:
        if (member := agreed.get(entry["member"])) is not None:
            line = Line(entry["name"], entry["function"], str(DelegationCapacity(entry["capacity"]).label))
            by_delegation.setdefault(member.delegation_id, []).append(line)
    found = Delegation.objects.select_related("country", "organisation").filter(pk__in=by_delegation)
    groups = [Group(delegation.name, by_delegation[delegation.pk]) for delegation in sorted(found, key=protocol)]
    return Listing(groups, stamp.final_at, stamp.is_published)


def protocol(delegation: Delegation) -> tuple[bool, int, str]:
    """States before organisations; States in their protocol order, those without one and organisations by name."""
    order = delegation.country.protocol_order if delegation.country is not None else None
    return (delegation.country is None, 1_000_000 if order is None else order, delegation.name.casefold())


@transaction.atomic(durable=True)
def stamp(*, conference: Conference, is_final: bool, is_published: bool, by: Actor, now: datetime) -> None:
    """Make the list final or provisional, public or not. A final list keeps its date until it is provisional again."""
    made, _is_new = ParticipantList.objects.select_for_update().get_or_create(conference=conference)
    if is_final and made.final_at is None:
        made.entries, made.final_at = _entries(conference), now
    elif not is_final:
        made.entries, made.final_at = [], None
    made.is_published = is_published
    made.save()
    actors.audit_entry(
        at=now,
        by=by,
        action="participant_list.stamped",
        about_kind="conference",
        about_id=conference.public_id,
        details={"final": is_final, "published": is_published},
    ).save()


def standing(listing: Listing, conference: Conference) -> str:
    """Whether the list is final, and since which day by the venue's calendar."""
    if listing.final_at is None:
        return _("Provisional")
    return _("Final, %(day)s") % {"day": dates.day(listing.final_at.astimezone(conference.zone).date())}


def as_csv(listing: Listing) -> bytes:
    """The list as CSV; no cell is a formula."""
    rows = [[_("Delegation"), pgettext("in a delegation", "Capacity"), _("Name"), _("Function")]]
    rows += [[group.name, line.capacity, line.name, line.function] for group in listing.groups for line in group.lines]
    return delegation_lists.as_csv(rows)


def as_pdf(listing: Listing, conference: Conference) -> bytes:
    """The list as tagged PDF. Raises events.documents.DocumentFailed and TooBusy."""
    content: dict[str, Any] = {
        "language": get_language() or "en",
        "title": _("List of participants"),
        "conference": str(conference.title),
        "standing": standing(listing, conference),
        "nobody": _("Nobody is listed yet."),
        "groups": [
            {
                "name": group.name,
                "lines": [
                    {"name": line.name, "about": " · ".join(part for part in (line.capacity, line.function) if part)}
                    for line in group.lines
                ],
            }
            for group in listing.groups
        ],
    }
    made = json.dumps(content, ensure_ascii=False).encode()
    return store.in_turn(lambda: pdf.typeset(made, template=_TEMPLATE))
