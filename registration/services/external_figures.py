"""Storing what was counted from another platform's list: figures with their source, in place of the earlier ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import translation

from accounts import actors
from accounts.actors import Actor
from events.models import Session
from registration.external_lists import Line
from registration.models import Figure, ImportKind, Qualifier

_LONGEST_GROUP = 120


def earlier(session: Session, kind: str) -> list[Figure]:
    """The figures of a session that were counted from a list of this kind before."""
    return list(Figure.objects.filter(session=session, imported_as=kind).order_by("pk"))


@transaction.atomic(durable=True)
def store(*, session: Session, kind: ImportKind, found: Sequence[Line], by: Actor, now: datetime) -> int:
    """Keep figures of a session, in place of those counted from a list of this kind before. Returns how many.

    The source names the kind of list and the day, never the file. Figures written by hand are left alone.
    """
    locked = (
        Session.objects.select_for_update(no_key=True, of=("self",)).select_related("conference").get(pk=session.pk)
    )
    replaced, _by_model = Figure.objects.filter(session=locked, imported_as=kind).delete()
    day = now.astimezone(locked.conference.zone).date()
    with translation.override("en"):
        source = f"{kind.label}, {day.isoformat()}"
    # Not from an earlier list, but of the same name: somebody wrote it by hand, and it stays.
    taken = set(Figure.objects.filter(session=locked, source=source).values_list("measure", "group"))
    made = [
        Figure(
            conference=locked.conference,
            session=locked,
            measure=measure,
            group=group[:_LONGEST_GROUP],
            value=value,
            qualifier=Qualifier.EXACT,
            source=source,
            imported_as=kind,
        )
        for measure, group, value in found
        if (measure, group[:_LONGEST_GROUP]) not in taken
    ]
    Figure.objects.bulk_create(made)
    actors.audit_entry(
        at=now,
        by=by,
        action="figures.counted_from_list",
        about_kind="conference",
        about_id=locked.conference.public_id,
        details={"session": str(locked.public_id), "kind": kind.value, "figures": len(made), "replaced": replaced},
    ).save()
    return len(made)
