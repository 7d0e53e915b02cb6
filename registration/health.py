"""What registration tells /metrics: how many people and places, by id of the admission and without names."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Count

from alliance import health
from registration.models import Places, Registration, RegistrationStatus


def figures(now: datetime) -> Iterable[health.Metric]:
    """Registrations by status; places taken and waiting, for admissions with a limit."""
    by_status = dict(Registration.objects.values_list("status").annotate(Count("pk")))
    yield health.Metric(
        "registrations",
        "Registrations by status.",
        [health.Sample({"status": status}, by_status.get(status, 0)) for status in RegistrationStatus.values],
    )
    limited = Places.objects.filter(capacity__isnull=False, admission__is_closed=False).select_related("admission")
    places = list(limited.order_by("pk"))
    for name, what in [("capacity", "Places there are."), ("taken", "Places taken."), ("waiting", "People waiting.")]:
        samples = [health.Sample({"admission": str(row.admission.public_id)}, getattr(row, name)) for row in places]
        yield health.Metric(f"places_{name}", what, samples)


def register() -> None:
    """Called when the app is ready."""
    health.measure("registration", figures)
