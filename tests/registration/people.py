"""Somebody who registers, for tests of the services."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from registration import services
from registration.models import Admission, Participant
from registration.services import confirming
from tests.factories import NOW


def applicant(**more: Any) -> services.Applicant:
    """Somebody from civil society who fills in the form in English."""
    values: dict[str, Any] = {
        "given_name": "Ada",
        "family_name": "Guest",
        "email": "ada@mail.example",
        "language": "en",
        "category": "civil_society",
    }
    return services.Applicant(**(values | more))


def loaded(*admissions: Admission) -> list[Admission]:
    """The admissions as the form has them."""
    ids = [admission.pk for admission in admissions]
    found = Admission.objects.with_meeting().prefetch_related("audience_organisations").filter(pk__in=ids)
    return sorted(found, key=lambda admission: ids.index(admission.pk))


def register(*admissions: Admission, token: str, now: datetime = NOW, **about: Any) -> services.Answer:
    """Register for all of the admissions by the service."""
    return services.register(
        conference=admissions[0].conference,
        admissions=loaded(*admissions),
        applicant=applicant(**about),
        form_token=token,
        now=now,
    )


def confirm_wishes(*, now: datetime = NOW) -> list[confirming.Confirmed]:
    """Everybody says yes to what a form asked for with their address."""
    return [
        confirming.confirm(
            participant_id=person.pk, public_ids=set(person.asked_for.values_list("public_id", flat=True)), now=now
        )
        for person in Participant.objects.filter(asked_for__isnull=False).distinct().order_by("pk")
    ]
