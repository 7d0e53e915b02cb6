"""What of registration comes along when an edition is copied: the doors as they were set up, and nobody in them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from events import cloning
from events.cloning import Copying, Part
from events.models import Conference
from registration.models import Admission, Places


def register_part() -> None:
    """Make the part known. Called in AppConfig.ready()."""
    cloning.register("admissions", Part(_("Admissions with their settings, no registrations"), 60, count, copy))


def count(conference: Conference) -> int:
    """How many admissions the conference has."""
    return Admission.objects.filter(conference=conference).count()


def copy(copying: Copying) -> None:
    """Set up the same admissions: times moved, capacities kept, no place taken, nobody waiting.

    They stay closed until somebody opens them: the new edition is a draft, and its times are not decided yet.
    """
    rows = list(
        Admission.objects.filter(conference=copying.source)
        .order_by("pk")
        .select_related("places")
        .prefetch_related("audience_organisations")
    )
    new = [
        cloning.copy_of(
            row,
            conference=copying.target,
            session=None if row.session_id is None else copying.sessions[row.session_id],
            opens_at=copying.moved(row.opens_at),
            closes_at=copying.moved(row.closes_at),
            is_closed=True,
        )
        for row in rows
    ]
    Admission.objects.bulk_create(new)  # a trigger makes their places
    places = Places.objects.in_bulk([row.pk for row in new])
    for row, copied in zip(rows, new, strict=True):
        places[copied.pk].capacity = row.places.capacity
    Places.objects.bulk_update(places.values(), ["capacity"])
    through = Admission.audience_organisations.through
    through.objects.bulk_create(
        through(admission_id=copied.pk, organisation_id=body.pk)
        for row, copied in zip(rows, new, strict=True)
        for body in row.audience_organisations.all()
    )
