"""The scarce thing: places are claimed by one statement, last in the transaction; everything else locks them first.

docs/decisions/0004-places.md has the alternatives and what they cost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts import actors
from accounts.actors import Actor
from accounts.models import ActorKind
from events.releases.reading import published
from registration.models import (
    Admission,
    IdempotencyKey,
    Places,
    Registration,
    RegistrationStatus,
    Reserve,
    WaitingMode,
)
from registration.models.registration import REASON_FULL
from registration.seating import seats
from registration.services import waiting_list

# Locks the places rows in the order of their keys, decides from what it then sees, and gives each registration its
# seat, its place on the list, or a refusal. FIFO: whoever comes while others wait, waits. The triggers of
# registration.0002 count the result and refuse an oversell. The answer, which is the same for an address that is
# registered already, goes into the idempotency row in the same statement.
# Where seats are held back for some, or places are free although somebody waits, it only locks and leaves the decision
# to _Deciding. All it needs for that stands in the row it has locked, so that nothing is read twice.
_CLAIM = """
WITH seat AS (
    SELECT admission_id, capacity, taken, waiting, held, next_position
    FROM registration_places WHERE admission_id = ANY(%(admissions)s)
    ORDER BY admission_id
    FOR NO KEY UPDATE
), decided AS (
    SELECT seat.admission_id, admission.public_id, seat.waiting, seat.next_position,
        CASE
            WHEN seat.waiting = 0 AND (seat.capacity IS NULL OR seat.taken < seat.capacity) THEN 'confirmed'
            WHEN admission.waiting = 'none' THEN 'rejected'
            ELSE 'waitlisted'
        END AS status,
        seat.held > 0 OR (seat.waiting > 0 AND (seat.capacity IS NULL OR seat.taken < seat.capacity)) AS is_special
    FROM seat JOIN registration_admission admission ON admission.id = seat.admission_id
), claimed AS (
    UPDATE registration_registration registration
    SET status = decided.status,
        position = CASE WHEN decided.status = 'waitlisted' THEN decided.next_position END,
        reason = CASE WHEN decided.status = 'rejected' THEN '@full' ELSE '' END,
        version = registration.version + %(version_step)s,
        decided_at = %(now)s,
        decided_by_kind = %(by_kind)s,
        decided_by_id = %(by_user)s
    FROM decided
    WHERE registration.id = ANY(%(registrations)s)
        AND registration.admission_id = decided.admission_id
        AND registration.status = 'pending'
        AND NOT decided.is_special
), answer AS (
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'admission', public_id,
        'status', status,
        'position', CASE WHEN status = 'waitlisted' THEN waiting + 1 END
    ) || CASE WHEN is_special THEN jsonb_build_object('look_at', admission_id) ELSE '{}' END
    ORDER BY admission_id), '[]'::jsonb) AS outcomes
    FROM decided
), noted AS (
    UPDATE registration_idempotencykey
    SET answer = jsonb_build_object('outcomes', answer.outcomes || %(pending)s::jsonb)
    FROM answer WHERE registration_idempotencykey.id = %(idempotency_key)s
)
SELECT outcomes || %(pending)s::jsonb FROM answer
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a choice led to. position counts from 1 and is set for the waiting list only."""

    admission: str  # public id
    status: RegistrationStatus
    position: int | None


def outcomes_from(rows: Iterable[dict[str, Any]]) -> tuple[Outcome, ...]:
    """Outcomes from what the claim returned or the idempotency row keeps."""
    return tuple(Outcome(row["admission"], RegistrationStatus(row["status"]), row["position"]) for row in rows)


def claim(
    *,
    admission_ids: list[int],
    registration_ids: list[int],
    by: Actor,
    now: datetime,
    version_step: int = 0,
    idempotency_key_id: int | None = None,
    pending: list[dict[str, Any]] | None = None,
    category: str | None = None,
) -> tuple[Outcome, ...]:
    """Give pending registrations a seat or a place on the list, by one statement where no seats are reserved.

    admission_ids: all that an outcome is wanted for. registration_ids: those really claimed; for the other admissions
    the outcome is what a new registration would get. pending: outcomes of choices that wait for approval, added to the
    answer. category: of the entries that the answer is for; None: of whom the registration is.
    Call it last in the transaction: the lock it takes is held until the commit.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "admissions": admission_ids,
                "registrations": registration_ids,
                "version_step": version_step,
                "now": now,
                "by_kind": ActorKind.SYSTEM if by.user is None else by.kind,
                "by_user": by.user.pk if by.user else None,
                "pending": json.dumps(pending or []),
                "idempotency_key": idempotency_key_id,
            },
        )
        row = cursor.fetchone()
    found = row[0] if row else []
    rows: list[dict[str, Any]] = json.loads(found) if isinstance(found, str) else found
    if any("look_at" in row for row in rows):
        deciding = _Deciding(registration_ids, by, now, version_step)
        rows = [deciding.look_closer(row["look_at"], category) if "look_at" in row else row for row in rows]
        if idempotency_key_id is not None:
            IdempotencyKey.objects.filter(pk=idempotency_key_id).update(answer={"outcomes": rows})
    return outcomes_from(rows)


@dataclass(frozen=True, slots=True)
class _Deciding:
    """The claim where seats are reserved for some. The places rows are locked: each statement sees all before it."""

    registration_ids: list[int]
    by: Actor
    now: datetime
    version_step: int

    def look_closer(self, admission_id: int, category: str | None) -> dict[str, Any]:
        """Give what waits for a decision its seat or its place on the list; the outcome for the category.

        The outcome is that of a new registration with the entries; what is claimed goes by what a known person told us
        first, so that the answer tells a stranger nothing.
        """
        admission = Admission.objects.with_meeting().get(pk=admission_id)
        places = Places.objects.get(pk=admission_id)
        claimed = Registration.objects.filter(
            pk__in=self.registration_ids, admission_id=admission_id, status=RegistrationStatus.PENDING
        ).select_related("participant")
        registration = claimed.first()  # one live registration for each person and admission
        if category is None and registration is not None:
            category = self._category(registration)
        status = _status(admission, seats.for_newcomer(admission, places, category or ""))
        if registration is not None:
            self._seat(registration, admission, places)
        return {
            "admission": str(admission.public_id),
            "status": status,
            "position": places.waiting + 1 if status == RegistrationStatus.WAITLISTED else None,
        }

    def _category(self, registration: Registration) -> str:
        decided_by = self.by.kind if self.by.user is not None else ActorKind.SYSTEM
        return seats.reserves_for(registration.participant, decided_by=decided_by)

    def _seat(self, registration: Registration, admission: Admission, places: Places) -> None:
        found = seats.for_newcomer(admission, places, self._category(registration))
        registration.status = _status(admission, found)
        registration.reserve = found[1]
        if registration.status == RegistrationStatus.WAITLISTED:
            registration.position = places.next_position
        registration.reason = REASON_FULL if registration.status == RegistrationStatus.REJECTED else ""
        registration.version += self.version_step
        registration.decided_at = self.now
        registration.decided_by_kind = ActorKind.SYSTEM if self.by.user is None else self.by.kind
        registration.decided_by = self.by.user
        registration.save(
            update_fields=[
                "status",
                "reserve",
                "position",
                "reason",
                "version",
                "decided_at",
                "decided_by_kind",
                "decided_by",
            ]
        )


def _status(admission: Admission, found: tuple[bool, Reserve | None]) -> RegistrationStatus:
    if found[0]:
        return RegistrationStatus.CONFIRMED
    return RegistrationStatus.REJECTED if admission.waiting == WaitingMode.NONE else RegistrationStatus.WAITLISTED


@transaction.atomic(durable=True)
@published
def change_capacity(*, admission_id: int, capacity: int | None, by: Actor, now: datetime) -> int:
    """Set how many places there are (None: no limit) and promote into new ones. Returns how many were promoted.

    Lowering it below the number taken throws nobody out: it stops new places until enough people have cancelled.
    """
    places = Places.objects.select_for_update(no_key=True).get(admission_id=admission_id)
    before = places.capacity
    Places.objects.filter(pk=places.pk).update(capacity=capacity)
    admission = Admission.objects.with_meeting().get(pk=admission_id)
    actors.audit_entry(
        at=now,
        by=by,
        action="admission.capacity_changed",
        about_kind="admission",
        about_id=admission.public_id,
        details={"from": before, "to": capacity},
    ).save()
    return waiting_list.promote_locked(admission, now=now)
