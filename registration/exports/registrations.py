"""Registrations as a table: by display name, with the columns that the reader may see elsewhere.

Names, addresses and answers never stand in it. Of somebody under an alias the alias alone does: no country, category or
body. Whoever was taken down or erased is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts import actors
from accounts.actors import Actor
from accounts.models import User
from events.models import Conference
from registration.door import badges
from registration.models import CheckIn, Registration, RegistrationStatus

MOST = 20_000  # registrations in one file
_PEOPLE, _DOOR = "registration.view_participant", "registration.view_checkin"
_BATCH = 500


def rows(conference: Conference, ids: Collection[int]) -> QuerySet[Registration]:
    """Those of the chosen registrations that may stand in a file."""
    return Registration.objects.filter(
        pk__in=ids,
        admission__conference=conference,
        participant__taken_down_at=None,
        participant__identity_key__isnull=False,
    )


def table(
    conference: Conference, ids: Collection[int], *, reader: User, by: Actor, now: datetime
) -> Iterator[list[str | int]]:
    """The chosen registrations, the headings first. That they were read is on the record before the first line."""
    sees_people = reader.has_perm(_PEOPLE, conference)
    sees_door = reader.has_perm(_DOOR, conference)
    found = (
        rows(conference, ids)
        .select_related(
            "admission__session",
            "participant__country",
            "participant__organisation",
            "participant__delegation__country",
            "participant__delegation__organisation",
        )
        .defer("participant__sealed_identity", "participant__accessibility_needs")
        .order_by("admission", "created_at", "pk")
    )
    actors.audit_entry(
        at=now,
        by=by,
        action="conference.registrations_read",
        about_kind="conference",
        about_id=conference.public_id,
        details={"rows": found.count(), "people": sees_people, "door": sees_door},
    ).save()
    head: list[str | int] = [_("Display name"), _("Session"), _("Attendance"), _("Status"), _("Place in line")]
    head += [_("Category"), _("Country"), _("Registered at"), _("Decided at")]
    head += [_("Organisation"), _("Function"), _("Language of the mails")] if sees_people else []
    head += [_("First checked in at")] if sees_door else []
    yield [*head, _("Id of the registration")]
    in_line = _places_in_line(conference)
    checked = _first_check_ins(conference) if sees_door else {}
    for one in found.iterator(chunk_size=_BATCH):
        person, shown = one.participant, not one.participant.has_alias
        session = one.admission.session
        line: list[str | int] = [
            person.display_name,
            str(session.title if session is not None else conference.title),
            one.admission.get_mode_display(),
            one.get_status_display(),
            in_line.get(one.pk, ""),
            person.get_category_display() if shown else "",
            str(person.country.name) if shown and person.country is not None else "",
            _at(one.created_at, conference),
            _at(one.decided_at, conference),
        ]
        if sees_people:
            line += [badges.affiliation(person), person.function if shown else "", person.get_language_display()]
        if sees_door:
            line.append(_at(checked.get(person.pk), conference))
        yield [*line, str(one.public_id)]


def _at(instant: datetime | None, conference: Conference) -> str:
    return instant.astimezone(conference.zone).isoformat(sep=" ", timespec="minutes") if instant is not None else ""


def _places_in_line(conference: Conference) -> dict[int, int]:
    """The place of everybody who waits, counted now: positions have gaps where people left."""
    waiting = Registration.objects.filter(admission__conference=conference, status=RegistrationStatus.WAITLISTED)
    ahead: Counter[int] = Counter()
    found = {}
    for pk, admission_id in waiting.order_by("admission", "position").values_list("pk", "admission_id"):
        ahead[admission_id] += 1
        found[pk] = ahead[admission_id]
    return found


def _first_check_ins(conference: Conference) -> dict[int, datetime]:
    entries = CheckIn.objects.standing().filter(conference=conference)
    return dict(entries.order_by("-at").values_list("participant_id", "at"))  # the last of each is the first
