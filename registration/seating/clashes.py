"""Which seats somebody holds already at the same time as another: the question "keep or swap" is read, never stored."""

from __future__ import annotations

from collections.abc import Iterable

from registration.models import Admission, Registration, RegistrationStatus


def of(registrations: Iterable[Registration]) -> dict[int, list[Registration]]:
    """The confirmed seats of the same people that clash with each registration, by its primary key. One query at most.

    Only registrations that clash have an entry; its seats stand in the order of their admissions' keys. Needs the
    admission loaded with conference and session. Rule: Admission.clashes_with.
    """
    asked = list(registrations)
    if not asked:
        return {}
    people = {registration.participant_id for registration in asked}
    held: dict[int, list[Registration]] = {}
    confirmed = Registration.objects.filter(participant_id__in=people, status=RegistrationStatus.CONFIRMED)
    for seat in confirmed.select_related("admission__session", "admission__conference__venue").order_by(
        "admission_id", "pk"
    ):
        held.setdefault(seat.participant_id, []).append(seat)
    found = {
        registration.pk: [
            seat
            for seat in held.get(registration.participant_id, [])
            if seat.pk != registration.pk and registration.admission.clashes_with(seat.admission)
        ]
        for registration in asked
    }
    return {pk: seats for pk, seats in found.items() if seats}


def among(admissions: Iterable[Admission]) -> dict[int, list[Admission]]:
    """Those of the given admissions that clash with each of them, by its primary key, in their order. Asks nothing.

    Only those that clash have an entry. Needs conference and session loaded. Rule: Admission.clashes_with.
    """
    asked = list(admissions)
    found = {one.pk: [other for other in asked if one.clashes_with(other)] for one in asked}
    return {pk: others for pk, others in found.items() if others}
