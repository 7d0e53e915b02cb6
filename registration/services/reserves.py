"""Seats kept for some categories: set up, changed, removed, and given back to everybody when their time has come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import actors
from accounts.actors import Actor
from alliance.exceptions import DomainError
from events.releases.reading import published
from registration.models import Admission, Category, Places, Reserve
from registration.services import waiting_list


class ReserveTooLarge(DomainError):
    """The reserves of an admission would come to more than there are places at all."""

    code = "reserve_too_large"
    message = _("The reserves of an admission cannot have more places together than the admission has.")


class ReserveForNobody(DomainError):
    """A reserve without a known category, or without a place."""

    code = "reserve_for_nobody"
    message = _("A reserve needs at least one category and at least one place.")


class ReserveIsReleased(DomainError):
    """What was given back to everybody is not taken from them again."""

    code = "reserve_is_released"
    message = _("The places of this reserve have gone back to everybody. Set up a new reserve instead.")


class ReserveChanged(DomainError):
    """Somebody else has changed the reserve since the form was opened."""

    code = "reserve_changed"
    message = _("Somebody else has changed this reserve meanwhile. You see it below as it is now.")


def as_seen(reserve: Reserve) -> str:
    """What a form was opened with, to be compared before it is saved (docs/decisions/0013-seen-values.md)."""
    return json.dumps(_facts(reserve))


@transaction.atomic(durable=True)
@published
def set_reserve(
    *,
    admission_id: int,
    categories: Sequence[str],
    places: int,
    returns_at: datetime | None,
    by: Actor,
    now: datetime,
    reserve_id: int | None = None,
    seen: str | None = None,
) -> Reserve:
    """Set up a reserve, or change the one with the id; then serve the waiting list.

    More places than are free now is legal: the reserve fills as seats come free, and nobody loses one. More than the
    admission has at all is a mistake. Fewer than are taken is legal as well: those who have a seat keep it.
    seen: what the form was opened with (as_seen), to be compared under the lock.
    Raises ReserveForNobody, ReserveTooLarge, ReserveIsReleased, ReserveChanged, Reserve.DoesNotExist.
    """
    wanted = [category for category in Category.values if category in set(categories)]
    if not wanted or len(wanted) < len(set(categories)) or places < 1:
        raise ReserveForNobody
    row = Places.objects.select_for_update(no_key=True).get(pk=admission_id)
    others = Reserve.objects.holding().filter(admission_id=admission_id)
    if reserve_id is not None:
        others = others.exclude(pk=reserve_id)
    if row.capacity is not None and places + sum(others.values_list("places", flat=True)) > row.capacity:
        raise ReserveTooLarge
    reserve = Reserve(admission_id=admission_id)
    if reserve_id is not None:
        reserve = Reserve.objects.get(pk=reserve_id, admission_id=admission_id)
        if reserve.released_at is not None:
            raise ReserveIsReleased
        if seen is not None and seen != as_seen(reserve):
            raise ReserveChanged
    before = None if reserve_id is None else _facts(reserve)
    reserve.categories, reserve.places, reserve.returns_at = wanted, places, returns_at
    if reserve_id is None:
        reserve.save()
    else:
        reserve.save(update_fields=["categories", "places", "returns_at"])
    details = {"to": _facts(reserve)} | ({"from": before} if before else {})
    admission = _audited(admission_id, "reserve_changed" if before else "reserve_added", by=by, now=now, **details)
    waiting_list.promote_locked(admission, now=now)
    return reserve


@transaction.atomic(durable=True)
@published
def remove_reserve(*, reserve_id: int, by: Actor, now: datetime) -> None:
    """Give the seats of a reserve back to everybody at once and serve the waiting list. Doing it twice is fine.

    A reserve that somebody has a seat from stays as a released one, so that the page still says where the seat came
    from; one that nobody ever sat in goes.
    """
    admission_id = Reserve.objects.values_list("admission_id", flat=True).filter(pk=reserve_id).first()
    if admission_id is None:
        return
    Places.objects.select_for_update(no_key=True).get(pk=admission_id)
    reserve = Reserve.objects.filter(pk=reserve_id, released_at__isnull=True).first()
    if reserve is None:
        return
    if reserve.registrations.exists():
        _release(reserve, now=now)
    else:
        reserve.delete()
    waiting_list.promote_locked(
        _audited(admission_id, "reserve_removed", by=by, now=now, **{"from": _facts(reserve)}), now=now
    )


@published
def release_due_reserves(*, now: datetime) -> int:
    """Give back what every reserve still holds whose time has come, and serve the waiting list with it in the same
    transaction. Returns how many were released. Runs each minute; running beside itself releases nothing twice.
    """
    due = Reserve.objects.holding().filter(returns_at__lte=now)
    released = 0
    for admission_id in sorted(set(due.values_list("admission_id", flat=True))):
        with transaction.atomic(durable=True):
            Places.objects.select_for_update(no_key=True).get(pk=admission_id)
            # Read again under the lock: somebody may have moved the time meanwhile.
            reserves = list(due.filter(admission_id=admission_id))
            for reserve in reserves:
                _release(reserve, now=now)
                _audited(admission_id, "reserve_released", by=actors.SYSTEM, now=now, **{"from": _facts(reserve)})
            waiting_list.promote_locked(Admission.objects.with_meeting().get(pk=admission_id), now=now)
            released += len(reserves)
    return released


def _release(reserve: Reserve, *, now: datetime) -> None:
    reserve.released_at = now
    reserve.save(update_fields=["released_at"])


def _facts(reserve: Reserve) -> dict[str, Any]:
    """What the audit trail keeps about a reserve."""
    returns_at = reserve.returns_at.isoformat() if reserve.returns_at else None
    return {"categories": list(reserve.categories), "places": reserve.places, "returns_at": returns_at}


def _audited(admission_id: int, action: str, *, by: Actor, now: datetime, **details: Any) -> Admission:
    admission = Admission.objects.with_meeting().get(pk=admission_id)
    actors.audit_entry(
        at=now,
        by=by,
        action=f"admission.{action}",
        about_kind="admission",
        about_id=admission.public_id,
        details=details,
    ).save()
    return admission
